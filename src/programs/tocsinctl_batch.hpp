// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.hpp"
#include "src/json/parser.hpp"

namespace tocsin::ctl {

inline constexpr std::size_t kLineBytesMax = 128 * 1024;
inline constexpr std::size_t kBatchItemsMax = 100;
inline constexpr std::size_t kBatchBytesMax = 256 * 1024;  ///< of the items of one request

/// What every event of one push has in common when its line does not say otherwise.
struct EventTemplate {
  std::string event_name;
  std::string target;
  std::vector<std::pair<std::string, std::string>> dimensions;
  std::optional<std::int64_t> timestamp_ms;
};

/// One custom event as JSON.
[[nodiscard]] std::string item_of(const EventTemplate& common, std::string_view content);

/// A line that begins with "{" is an item already and is taken as it stands; any other line is the content of an event.
/// invalid_input: a broken item, or a text without a name or target for its event; the reason is the context.
[[nodiscard]] Result<std::string> item_of_line(json::Parser& parser, const EventTemplate& common,
                                               std::string_view line);

/// The next line without its end. nullopt: no more. out_of_budget: longer than kLineBytesMax.
[[nodiscard]] Result<std::optional<std::string>> read_line(std::istream& in);

/// Where a client on the same machine reaches a listener: "http://127.0.0.1:10205" for "0.0.0.0:10205". Empty: not an
/// address, or its port is known to the daemon only (0).
[[nodiscard]] std::string url_of_listener(std::string_view listen_address);

/// Items that go into one request.
class Batch {
 public:
  [[nodiscard]] bool has_room_for(std::string_view item) const noexcept {
    return count_ == 0 || (count_ < kBatchItemsMax && items_.size() + item.size() < kBatchBytesMax);
  }
  void add(std::string_view item) {
    items_.append(count_ == 0 ? "" : ",").append(item);
    ++count_;
  }
  void clear() noexcept {
    items_.clear();
    count_ = 0;
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// The body of POST /v2/push/.
  [[nodiscard]] std::string body(std::int64_t data_id, std::string_view token) const;

 private:
  std::string items_;
  std::size_t count_ = 0;
};

/// How long to wait before the same request is tried again; nullopt: trying again is no use.
[[nodiscard]] std::optional<std::int64_t> wait_s(int status, std::int64_t retry_after_s, int tries_done) noexcept;

}  // namespace tocsin::ctl
