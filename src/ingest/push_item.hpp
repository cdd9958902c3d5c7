// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/time.hpp"
#include "src/ingest/item_sink.hpp"
#include "src/ingest/refusal.hpp"
#include "src/json/cursor.hpp"

/// What custom events and custom metrics have in common. Texts are as written; empty: absent.
namespace tocsin::ingest {

inline constexpr std::size_t kEventNameCharactersMax = 128;
inline constexpr std::size_t kDimensionsMax = 256;       ///< of one item
inline constexpr std::size_t kMetricsMax = 1024;         ///< of one item
inline constexpr std::int64_t kFutureSecondsMax = 3600;  ///< how far ahead of a trusted clock an item may be

/// Names of one object, kept only to find one that is there twice. Views into the text, or into its own memory.
class Names {
 public:
  void clear() noexcept {
    names_.clear();
    has_escapes_ = false;
  }
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
  void add(std::string_view inside);
  /// Whether two stand for the same. Once, after the last add().
  [[nodiscard]] bool has_twin();

 private:
  std::vector<std::string_view> names_;
  std::string plain_;
  bool has_escapes_ = false;
};

enum class PushKind : std::uint8_t { event, metric };

struct PushItem {
  std::string_view event_name, event;  ///< of events only
  std::string_view metrics;            ///< of metrics only
  std::string_view target, dimension, timestamp;

  /// Takes one item of a list apart. A member that means something for `kind` appears at most once.
  [[nodiscard]] static Checked<PushItem> split(PushKind kind, json::Cursor& at, std::size_t index);

 private:
  [[nodiscard]] std::string_view* member(PushKind kind, std::string_view name) noexcept;
};

/// The refusal of item `index`: "<message> (data[<index>])".
[[nodiscard]] tl::unexpected<Refusal> refuse_item(RefusalCode code, std::string message, std::size_t index);
/// "<expectation> type, got <Go type> (data[<index>])".
[[nodiscard]] tl::unexpected<Refusal> refuse_type(RefusalCode code, const char* expectation, std::string_view json,
                                                  std::size_t index);

[[nodiscard]] Checked<void> check_event(const PushItem& item, std::size_t index);
/// Names as the receiver's regular expression wants them, numbers as values; a target only if it is a string or null.
[[nodiscard]] Checked<void> check_metric(const PushItem& item, std::size_t index, Names& names);
/// Also the names when `kind` is metric.
[[nodiscard]] Checked<void> check_dimension(PushKind kind, const PushItem& item, std::size_t index, Names& names);
/// Afterwards a timestamp of zero is an absent one.
[[nodiscard]] Checked<void> check_timestamp(PushItem& item, std::size_t index, Now now);

/// The item as it is stored. `now_ms`: for an absent timestamp.
void append_event(const PushItem& item, std::string_view now_ms, ItemSink& sink);
void append_metric(const PushItem& item, std::string_view now_ms, ItemSink& sink);

}  // namespace tocsin::ingest
