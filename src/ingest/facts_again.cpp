// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/facts_again.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "src/ingest/facts_text.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"

namespace tocsin::ingest {
namespace {

using Digest = CountMd5::Digest;

std::int64_t bounded_ms(std::string_view number) noexcept {
  constexpr double kLatestMs = 253'402'300'799'999.0;
  return static_cast<std::int64_t>(std::clamp(json::to_double(number), 0.0, kLatestMs));
}

Result<model::EventFacts> not_an_item() noexcept { return error(Errc::invalid_input, "stored item"); }

/// Fields one behind the other, each behind its length, so that no two lists of fields are the same text.
class FieldText {
 public:
  void number(std::int64_t value) {
    const std::size_t from = begin();
    text_.append(std::to_string(value));
    end(from);
  }
  /// The characters of a string, any other value as written.
  void value(std::string_view json) {
    if (json::kind_of(json) == json::Kind::string) return inside(json::inside_of(json));
    const std::size_t from = begin();
    text_.append(json);
    end(from);
  }
  void inside(std::string_view inside) {
    const std::size_t from = begin();
    if (json::has_escapes(inside)) {
      json::append_unescaped(inside, text_);
    } else {
      text_.append(inside);
    }
    end(from);
  }
  void raw(std::string_view fields) { text_.append(fields); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::size_t begin() {
    text_.append(sizeof(std::uint32_t), '\0');
    return text_.size();
  }
  void end(std::size_t from) noexcept {
    const auto size = static_cast<std::uint32_t>(text_.size() - from);
    std::memcpy(text_.data() + from - sizeof(size), &size, sizeof(size));
  }
  std::string text_;
};

/// Appends the dimensions in an order that does not depend on the sender's. The one that means recovery is left out;
/// `recovery` tells whether it was there.
void add_dimensions(std::string_view dimensions, FieldText& out, bool& recovery) {
  FieldText fields;
  std::vector<std::size_t> ends;
  json::Cursor at{dimensions};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (json::stands_for(name, "event_type") && json::stands_for(json::inside_of(value), "recovery")) {
      recovery = true;
      continue;
    }
    fields.inside(name);
    fields.value(value);
    ends.push_back(fields.text().size());
  }
  std::vector<std::string_view> pairs;
  pairs.reserve(ends.size());
  std::size_t from = 0;
  for (const std::size_t end : ends) {
    pairs.push_back(std::string_view{fields.text()}.substr(from, end - from));
    from = end;
  }
  std::sort(pairs.begin(), pairs.end());
  for (const std::string_view pair : pairs) out.raw(pair);
}

struct CustomItem {
  std::string_view event_name, target, event, dimension, timestamp;
};

CustomItem split(std::string_view stored_json) {
  CustomItem out;
  json::Cursor at{stored_json};
  std::string_view name;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (name == "event_name") out.event_name = value;
    if (name == "target") out.target = value;
    if (name == "event") out.event = value;
    if (name == "dimension") out.dimension = value;
    if (name == "timestamp") out.timestamp = value;
  }
  return out;
}

std::string_view content_of(std::string_view event) {
  json::Cursor at{event};
  std::string_view name;
  std::string_view content;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (json::stands_for(name, "content")) content = value;
  }
  return content;
}

Result<model::EventFacts> facts_of_custom(const port::Crypto& crypto, const model::Instance& instance,
                                          std::string_view stored_json, std::string& scratch) {
  const CustomItem item = split(stored_json);
  if (item.event_name.empty() || item.target.empty() || item.event.empty() || item.timestamp.empty())
    return not_an_item();
  FactsText text{scratch};
  model::EventFacts facts;
  facts.severity = instance.alert;
  facts.bk_biz_id = instance.bk_biz_id;
  facts.time_ms = bounded_ms(item.timestamp);
  facts.anomaly_time_ms = facts.time_ms;
  facts.alert_name = text.of_value(item.event_name, model::kNameBytesMax);
  facts.target = text.of_value(item.target, model::kTargetBytesMax);
  facts.description = text.of_value(content_of(item.event), model::kDescriptionBytesMax);
  facts.dimensions_json = item.dimension.size() <= model::kDimensionsBytesMax ? item.dimension : std::string_view{"{}"};

  FieldText fields;
  fields.number(instance.data_id);
  fields.number(instance.bk_biz_id);
  fields.value(item.event_name);
  fields.value(item.target);
  bool recovery = false;
  add_dimensions(item.dimension, fields, recovery);
  facts.dedupe = crypto.md5(as_bytes(fields.text()));
  if (recovery) facts.status = model::EventStatus::recovered;
  return facts;
}

/// The last member of that name.
std::string_view member_of(std::string_view object, std::string_view name_wanted) {
  json::Cursor at{object};
  std::string_view name;
  std::string_view found;
  for (at.enter('{'); at.next_member(name);) {
    const std::string_view value = at.skip();
    if (json::stands_for(name, name_wanted)) found = value;
  }
  return found;
}

/// The value of a key of deduplication: a member of the item, or "tags.<key>", the last of that key.
std::string_view value_of(std::string_view key, std::string_view stored_json, std::span<const Tag> tags) {
  constexpr std::string_view kTags = "tags.";
  if (!key.starts_with(kTags)) return member_of(stored_json, key);
  std::string_view found;
  for (const Tag& tag : tags) {
    if (json::stands_for(tag.key, key.substr(kTags.size()))) found = tag.value;
  }
  return found;
}

bool target_is_not_compared(std::string_view target_type) noexcept {
  constexpr std::array<std::string_view, 5> kTypes{"K8S-POD", "K8S-NODE", "K8S-SERVICE", "K8S-WORKLOAD", "APM-SERVICE"};
  return std::find(kTypes.begin(), kTypes.end(), target_type) != kTypes.end();
}

Id128 dedupe_of_standard(const CountMd5& md5, const StandardFields& fields, std::string_view target_type,
                         std::span<const Tag> tags, std::string_view stored_json) {
  constexpr std::array<std::string_view, 4> kDefaultKeys{"alert_name", "target_type", "target", "bk_biz_id"};
  const bool odd_target = target_is_not_compared(target_type);
  const auto target_of = [&](std::string_view json) { return odd_target ? md5.of_text("None") : md5.of_json(json); };
  const auto type_of = [&](std::string_view json) { return odd_target ? md5.of_text("") : md5.of_json(json); };
  std::vector<Digest> parts{md5.of_json(fields[Field::alert_name]), type_of(fields[Field::target_type]),
                            target_of(fields[Field::target]), md5.of_json(fields[Field::bk_biz_id])};
  std::vector<std::string> seen;
  json::Cursor at{fields[Field::dedupe_keys]};
  if (!fields[Field::dedupe_keys].empty()) {
    for (at.enter('['); at.next_element();) {
      std::string key;
      json::append_unescaped(json::inside_of(at.skip()), key);
      if (std::find(kDefaultKeys.begin(), kDefaultKeys.end(), key) != kDefaultKeys.end()) continue;
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
      const std::string_view value = value_of(key, stored_json, tags);
      parts.push_back(value.empty() ? md5.of_text("None") : md5.of_json(value));
      seen.push_back(std::move(key));
    }
  }
  return to_id(md5.of_list(parts));
}

}  // namespace

Result<model::EventFacts> facts_of_standard(const CountMd5& md5, const StandardFields& fields,
                                            std::span<const Tag> tags, std::string_view stored_json,
                                            std::string& scratch) {
  for (const Field needed : {Field::alert_name, Field::target_type, Field::target, Field::severity, Field::bk_biz_id,
                             Field::time, Field::anomaly_time, Field::status}) {
    if (fields[needed].empty()) return not_an_item();
  }
  FactsText text{scratch};
  model::EventFacts facts;
  facts.severity = static_cast<std::uint8_t>(json::to_integer(fields[Field::severity]).value_or(3));
  facts.bk_biz_id = static_cast<std::int32_t>(json::to_integer(fields[Field::bk_biz_id]).value_or(0));
  facts.time_ms = json::to_integer(fields[Field::time]).value_or(0) * 1000;
  facts.anomaly_time_ms = json::to_integer(fields[Field::anomaly_time]).value_or(0) * 1000;
  if (fields[Field::status] == "\"RECOVERED\"") facts.status = model::EventStatus::recovered;
  if (fields[Field::status] == "\"CLOSED\"") facts.status = model::EventStatus::closed;
  facts.alert_name = text.of_value(fields[Field::alert_name], model::kNameBytesMax);
  facts.target_type = text.of_value(fields[Field::target_type], model::kTargetBytesMax);
  facts.target = text.of_value(fields[Field::target], model::kTargetBytesMax);
  facts.description = text.of_value(fields[Field::description], model::kDescriptionBytesMax);
  facts.metric = text.of_list(fields[Field::metric], model::kNameBytesMax);
  facts.category = text.of_value(fields[Field::category], model::kNameBytesMax);
  facts.assignee = text.of_list(fields[Field::assignee], model::kNameBytesMax);
  facts.event_id = text.of_value(fields[Field::event_id], model::kNameBytesMax);
  facts.dimensions_json = tags.empty() ? "{}" : text.of_tags(tags, model::kDimensionsBytesMax);
  facts.dedupe = dedupe_of_standard(md5, fields, facts.target_type, tags, stored_json);
  return facts;
}

Result<model::EventFacts> facts_of(const port::Crypto& crypto, model::RecordKind kind, const model::Instance& instance,
                                   std::string_view stored_json, std::string& scratch) {
  switch (kind) {
    case model::RecordKind::custom_event: return facts_of_custom(crypto, instance, stored_json, scratch);
    case model::RecordKind::standard_event: {
      StandardFields fields;
      std::vector<Tag> tags;
      fields.split(stored_json);
      if (!fields[Field::tags].empty() && read_tags(fields[Field::tags], tags) != nullptr) return not_an_item();
      return facts_of_standard(CountMd5{crypto}, fields, tags, stored_json, scratch);
    }
    case model::RecordKind::alert_transition:
    case model::RecordKind::custom_metric:  // a number is no event: it touches no alert
    case model::RecordKind::gap: break;
  }
  return not_an_item();
}

}  // namespace tocsin::ingest
