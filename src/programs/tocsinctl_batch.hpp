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

inline constexpr std::size_t kLineBytesMax = 500 * 1024;  ///< as much as one request may have
inline constexpr std::size_t kBatchItemsDefault = 100;
inline constexpr std::size_t kBatchItemsMax = 1000;
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

/// A value of a custom metric: its name, and a number as JSON writes it.
struct Metric {
  std::string name;
  std::string number;
};
/// "load=0.5". nullopt: not of this form, or the value is no JSON number.
[[nodiscard]] std::optional<Metric> metric_of(json::Parser& parser, std::string_view text);
/// One custom metric item as JSON; target and timestamp of `common` when they are there.
[[nodiscard]] std::string metric_item_of(const EventTemplate& common, const std::vector<Metric>& metrics);

/// The next line without its end. nullopt: no more. out_of_budget: longer than kLineBytesMax.
[[nodiscard]] Result<std::optional<std::string>> read_line(std::istream& in);

/// Where a client on the same machine reaches a listener: "http://127.0.0.1:10205" for "0.0.0.0:10205". Empty: not an
/// address, or its port is known to the daemon only (0).
[[nodiscard]] std::string url_of_listener(std::string_view listen_address);

/// Items that go into one request.
class Batch {
 public:
  explicit Batch(std::size_t items_max = kBatchItemsDefault) noexcept : items_max_(items_max) {}
  [[nodiscard]] bool has_room_for(std::string_view item) const noexcept {
    return count_ == 0 || (count_ < items_max_ && items_.size() + item.size() < kBatchBytesMax);
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
  std::size_t items_max_;
  std::string items_;
  std::size_t count_ = 0;
};

}  // namespace tocsin::ctl
