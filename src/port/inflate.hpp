// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "src/base/budget.hpp"
#include "src/base/bytes.hpp"

namespace tocsin::port {

/// How a body was compressed, by the names of HTTP. `deflate` is the zlib format (RFC 1950), never bare DEFLATE.
enum class Coding : std::uint8_t { gzip, deflate };

enum class InflateFault : std::uint8_t {
  none,
  too_large,  ///< more than the caller's limit; what comes behind it was not looked at
  truncated,  ///< the input is the beginning of a stream
  corrupt,    ///< no such stream, a wrong checksum, or something behind its end
  no_memory,  ///< the budget has no room for the working memory
};

struct Inflated {
  InflateFault fault = InflateFault::none;
  std::size_t bytes = 0;  ///< without a fault: of the whole
};

/// Working memory of one call at most; given back before it returns.
inline constexpr std::size_t kMeasureBytesMax = 64 * KiB;
inline constexpr std::size_t kInflateBytesMax = 12 * KiB;  ///< into a buffer that is large enough

/// Inflates whole bodies in two steps, so that a sender can never make us hold more than its body needs: measure()
/// looks through the stream and keeps nothing, then the caller takes exactly that much memory for inflate(). Both read
/// all of `in` and check its checksums; a gzip body may have several members, one behind the other. Time: measure()
/// ends at `bytes_max`, whatever the input says of its size. Threads: any, one call an object at a time.
class Inflater {
 public:
  virtual ~Inflater() = default;
  [[nodiscard]] virtual Inflated measure(Coding coding, Bytes in, std::size_t bytes_max, Budget& memory) noexcept = 0;
  /// too_large: `out` is too small; what it holds then, and after any other fault, means nothing.
  [[nodiscard]] virtual Inflated inflate(Coding coding, Bytes in, std::span<std::byte> out,
                                         Budget& memory) noexcept = 0;
};

}  // namespace tocsin::port
