// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.hpp"
#include "src/model/tables.hpp"

namespace tocsin::model {

inline constexpr std::size_t kRejectMessageBytesMax = 512;
inline constexpr std::size_t kRejectBodyBytesMax = 4096;  ///< of the body: its first ones

/// Where the refused request came in, so that it can be carried out again. Numbers are stored: append only.
enum class RejectWay : std::uint8_t { push = 0, items = 1, source = 2 };
[[nodiscard]] const char* to_text(RejectWay way) noexcept;

/// All refusals of one instance for one reason; what is told of a single one is of the newest.
struct Reject {
  std::uint64_t order = 0;  ///< rises with each change of any of them: the lowest leaves first
  std::int32_t data_id = 0;
  std::string code;     ///< stable short name of the reason, such as "event_target_missing"
  std::string message;  ///< as the sender was told
  std::uint16_t http_status = 0;
  RejectWay way = RejectWay::push;
  bool is_time_trusted = false;  ///< of the last one
  bool is_whole = false;         ///< `body` is all of it, and nothing but the token's own place is masked
  std::uint64_t count = 0;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::uint32_t body_bytes = 0;  ///< of the body as it came, inflated
  std::string body;              ///< without any token; empty: there was no room for it
};

/// FORMAT.md "refusals". Unsealed payload.
void encode(const Reject& reject, std::string& out);
[[nodiscard]] Result<Reject> decode_reject(Bytes in);

/// Precondition: 1 to kRejectCodeBytesMax bytes of code.
[[nodiscard]] inline Key reject_key(std::int32_t data_id, std::string_view code) noexcept {
  return Key(Table::reject).u32(static_cast<std::uint32_t>(data_id)).raw(as_bytes(code));
}
/// Exists while the alert about the rejects of that instance is open. No reject has this key: its code is not empty.
[[nodiscard]] inline Key reject_alarm_key(std::int32_t data_id) noexcept {
  return Key(Table::reject).u32(static_cast<std::uint32_t>(data_id));
}

/// What people call one: "10000001.event_target_missing".
[[nodiscard]] std::string reject_id(std::int32_t data_id, std::string_view code);
/// The key of the one with that id. invalid_input: this is no such id.
[[nodiscard]] Result<Key> key_of_reject(std::string_view id);

}  // namespace tocsin::model
