// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/api/services.hpp"
#include "src/ingest/refusal.hpp"
#include "src/normalise/http_parts.hpp"
#include "src/normalise/normalise.hpp"

namespace tocsin::api {

/// What a normalised request may be, and what one field may add before that is seen.
inline constexpr std::size_t kSourceOutputBytesMax = 256 * KiB;

/// One body of an alert source, and how it is to be read.
struct SourceBody {
  const ReadyProfile& profile;
  const model::Instance& instance;
  const std::vector<port::HttpMember>& headers;
  const std::vector<port::HttpMember>& query;
  std::span<const std::byte> bytes;                  ///< kPaddingBytes more are readable
  std::span<const normalise::HttpPart> fields = {};  ///< members of each event; text that is UTF-8
};

/// The text of the normalised events while it is charged to the intake, with a guess before there is one.
class ChargedText {
 public:
  ChargedText(Budget& memory, std::size_t body_bytes)
      : memory_(memory), bytes_(std::min(4 * body_bytes + 4 * KiB, 2 * kSourceOutputBytesMax)) {
    if (!memory_.try_charge(bytes_)) throw std::bad_alloc();
    try {
      text.reserve(bytes_);
    } catch (const std::bad_alloc&) {
      memory_.release(bytes_);
      throw;
    }
  }
  ~ChargedText() { memory_.release(bytes_); }
  ChargedText(const ChargedText&) = delete;
  ChargedText& operator=(const ChargedText&) = delete;
  std::string text;

  /// Once the text is there: charges what it came to hold beyond that. Throws std::bad_alloc.
  void charge_growth() {
    if (text.capacity() <= bytes_) return;
    const std::size_t more = text.capacity() - bytes_;
    if (!memory_.try_charge(more)) throw std::bad_alloc();
    bytes_ += more;
  }

 private:
  Budget& memory_;
  std::size_t bytes_;
};

/// Appends the list of standard events (perhaps none) to `out` and answers how many they are. Everything else that it
/// takes comes from the intake and is given back. Throws std::bad_alloc.
[[nodiscard]] ingest::Checked<std::uint32_t> read_source_body(const Services& services, const SourceBody& body,
                                                              normalise::Explain* explain, std::string& out);

}  // namespace tocsin::api
