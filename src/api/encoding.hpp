// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

#include "src/port/http.hpp"
#include "src/port/inflate.hpp"

namespace tocsin::api {

/// What Content-Encoding says of a body. `plain` also for "identity"; `foreign`: another one, or more than one.
enum class Encoding : std::uint8_t { plain, gzip, deflate, foreign };
[[nodiscard]] Encoding encoding_of(const port::HttpRequest& request) noexcept;

inline constexpr std::string_view kForeignEncoding =
    "unknown Content-Encoding: one of gzip and deflate is taken, or none";

/// Why a body is refused.
struct EncodingFault {
  std::uint16_t status = 400;
  std::string message;
  RefusalCode code;
};

/// A compressed body, inflated once it is there as a whole: its size is measured first, cut at `bytes_max`, and exactly
/// that much comes out of the same pool as bodies do while they are read. So nothing is held beyond the ledger,
/// whatever the stream claims; a pool that is full now is 503, and 413 when even the empty one could not hold the body
/// twice, compressed and inflated. The waiting lines of the listener count the compressed size only.
///
/// Precondition: `encoding` is gzip or deflate. Nothing: `out` is the body, followed by json::kPaddingBytes zeros.
/// Throws std::bad_alloc. Time: a body is inflated twice, 512,000 bytes take about 2 ms on a machine of 2020.
[[nodiscard]] std::optional<EncodingFault> inflate_body(Encoding encoding, Bytes body, std::size_t bytes_max,
                                                        port::Inflater& inflater, Budget& pool,
                                                        std::pmr::vector<std::byte>& out);

}  // namespace tocsin::api
