// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <microhttpd.h>

#include <array>
#include <cstddef>

#include "src/port/http.hpp"

namespace tocsin::microhttpd {

inline constexpr std::size_t kUuidBytes = 36;

/// A short answer's response object, used again for the next answer of the same length and kind: making one costs the
/// library six allocations and a mutex. Only its X-Request-ID is another each time.
struct ShortResponse {
  static constexpr std::size_t kBytesMax = 256;
  MHD_Response* response = nullptr;
  bool busy = false;
  bool admin = false;
  port::ContentType type = port::ContentType::json;
  std::size_t bytes = 0;
  std::array<char, kBytesMax> body{};
  std::array<char, kUuidBytes + 1> request_id{};  ///< that the response bears now; empty: none
};

/// Turns answers into the library's responses. Memory: kShortMax short responses; a longer body belongs to its
/// response.
class ResponseMaker {
 public:
  static constexpr std::size_t kShortMax = 16;

  ResponseMaker() = default;
  ~ResponseMaker();
  ResponseMaker(const ResponseMaker&) = delete;
  ResponseMaker& operator=(const ResponseMaker&) = delete;

  struct Made {
    MHD_Response* response = nullptr;  ///< null: out of memory
    ShortResponse* shared = nullptr;   ///< given back by give_back(); null: destroy `response` once it is queued
  };
  /// Takes the body out of `answer`. `admin`: admin and control listeners, whose answers nobody may keep.
  [[nodiscard]] Made make(port::HttpResponse& answer, bool admin, bool close) noexcept;
  /// When the library has sent the answer or dropped the connection.
  static void give_back(ShortResponse& shared) noexcept { shared.busy = false; }

 private:
  [[nodiscard]] ShortResponse* take_short(const port::HttpResponse& answer, bool admin) noexcept;
  std::array<ShortResponse, kShortMax> short_{};
  std::size_t next_victim_ = 0;
};

}  // namespace tocsin::microhttpd
