// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/fields.hpp"

#include <algorithm>
#include <cmath>

#include "src/json/text.hpp"
#include "src/normalise/target.hpp"

namespace tocsin::normalise {
namespace {

using json::Value;

enum class FieldKind : std::uint8_t { text, list, integer, time };

constexpr FieldKind kind_of(Field field) noexcept {
  switch (field) {
    case Field::metric:
    case Field::assignee: return FieldKind::list;
    case Field::severity:
    case Field::bk_biz_id: return FieldKind::integer;
    case Field::time:
    case Field::anomaly_time: return FieldKind::time;
    default: return FieldKind::text;
  }
}

/// Fields that the documentation of BlueKing marks as required.
constexpr std::array kRequired{Field::alert_name,  Field::event_id, Field::description, Field::metric, Field::category,
                               Field::target_type, Field::target,   Field::severity,    Field::time};

/// Numbers and texts that are numbers lose their fraction; true is 1.
std::optional<std::int64_t> integer_of(const Value& value) {
  constexpr double kBeyond = 9.2e18;
  double number = 0;
  if (value.kind() == json::Kind::boolean) return value.is_true() ? 1 : 0;
  if (value.is_number()) {
    if (const auto exact = value.integer()) return exact;
    number = value.number();
  } else if (value.is_text() && json::is_number(value.text()) && json::is_finite_number(value.text())) {
    if (const auto exact = json::to_integer(value.text())) return exact;
    number = json::to_double(value.text());
  } else {
    return std::nullopt;
  }
  if (!(std::abs(number) < kBeyond)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

/// What one field gets.
class FieldWriter {
 public:
  FieldWriter(const Options& options, json::Writer& writer) : options_(options), writer_(writer) {}

  /// Null: written. Else the reason why it was not.
  const char* write(Field field, const FieldRule& rule, const Value& value) {
    if (value.is_null()) return "the expression gives null";
    switch (kind_of(field)) {
      case FieldKind::text: text(field, value); return nullptr;
      case FieldKind::list: list(field, value); return nullptr;
      case FieldKind::integer: return integer(field, value);
      case FieldKind::time: return time(field, rule.time, value);
    }
    return nullptr;
  }
  void named(Field field, std::string_view plain) { writer_.member(to_text(field), plain); }

 private:
  void text(Field field, const Value& value) {
    std::string_view plain = text_of(value, scratch_);
    std::string rewritten;
    if (field == Field::target && options_.own_cloud_id && rewrite_cloud(plain, *options_.own_cloud_id, rewritten)) {
      plain = rewritten;
    }
    named(field, plain);
  }
  void list(Field field, const Value& value) {
    if (!value.is_array()) return named(field, text_of(value, scratch_));
    writer_.name(to_text(field)).array();
    for (const Value& element : value.elements()) {
      if (!element.is_null()) writer_.text(text_of(element, scratch_));
    }
    writer_.end_array();
  }
  const char* integer(Field field, const Value& value) {
    const auto number = integer_of(value);
    if (!number) return "not an integer";
    writer_.name(to_text(field)).number(*number);
    return nullptr;
  }
  const char* time(Field field, TimeOption option, const Value& value) {
    const auto seconds = epoch_seconds(value, option);
    if (!seconds) return "not a time of that form";
    writer_.name(to_text(field)).number(*seconds);
    return nullptr;
  }

  const Options& options_;
  json::Writer& writer_;
  std::string scratch_;
};

bool is_something(const Value& value) {
  if (value.is_text()) return !value.text().empty();
  return !value.is_null() && !(value.is_array() && value.elements().empty());
}

/// The name of the first alert_config whose rules hold. False: stop; none is one reason.
bool match_alert_name(Run& run, const Config& config, std::string_view config_place, const Value& event,
                      std::string_view& out) {
  std::string place;
  for (std::size_t i = 0; i < config.alerts.size(); ++i) {
    const AlertName& alert = config.alerts[i];
    if (run.explains()) {
      place.assign(config_place);
      place.append(place.empty() ? "" : ".").append("alert_config[").append(std::to_string(i)).append("]");
    }
    bool holds = false;
    if (!rules_hold(run, alert.rules, event, place, holds)) return false;
    if (!holds || alert.name.empty()) continue;
    out = alert.name;
    run.tell({.what = Explain::What::alert_config, .place = place, .value = alert.name});
    return true;
  }
  return run.refuse(Refusal::What::content, "alert_name_missing",
                    "alert_name: no expression gives it, and the rules of no alert_config hold");
}

/// The value of a field's expression, null where it has none. False: stop.
bool value_of(Run& run, const std::optional<FieldRule>& rule, const Value& event, Value& out, const char*& reason) {
  out = {};
  if (!rule) return true;
  const Run::Found found = run.search(rule->expression, event, out);
  if (found == Run::Found::nothing) reason = run.reason();
  return found != Run::Found::stop;
}

}  // namespace

bool write_fields(Run& run, const Config& config, std::string_view config_place, const Value& event,
                  const Options& options, json::Writer& writer, const std::string& out, FieldSet& seen) {
  FieldWriter fields{options, writer};
  for (std::size_t i = 0; i < kFieldNames.size(); ++i) {
    const auto field = static_cast<Field>(i);
    const auto& rule = config.fields[i];
    if (!rule && field != Field::alert_name) continue;
    Value value;
    const char* reason = nullptr;
    if (!value_of(run, rule, event, value, reason)) return false;
    const std::size_t before = out.size();
    if (field == Field::alert_name && !is_something(value)) {
      std::string_view name;
      if (!match_alert_name(run, config, config_place, event, name)) return false;
      fields.named(field, name);
      seen.set(i);
    } else {
      if (reason == nullptr) reason = fields.write(field, *rule, value);
      seen.set(i, reason == nullptr && is_something(value));
    }
    std::string_view written = std::string_view{out}.substr(before);
    if (const auto colon = written.find(':'); colon != std::string_view::npos) written.remove_prefix(colon + 1);
    run.tell({.what = Explain::What::field,
              .place = kFieldNames[i],
              .value = written,
              .reason = reason != nullptr ? reason : ""});
    if (!run.fits(out)) return true;  // the caller refuses it
  }
  return true;
}

bool write_as_it_is(Run& run, const Value& event, const Options& options, json::Writer& writer, FieldSet& seen) {
  constexpr std::uint32_t kMemberLevel = 1;  // the event
  std::string rewritten;
  for (const json::Member& member : event.members()) {
    const auto* const known = std::ranges::find(kFieldNames, member.name);
    if (known != kFieldNames.end()) {
      seen.set(static_cast<std::size_t>(known - kFieldNames.begin()), is_something(member.value));
    }
    if (member.name == to_text(Field::target) && options.own_cloud_id &&
        rewrite_cloud(member.value.text(), *options.own_cloud_id, rewritten)) {
      writer.member(member.name, rewritten);
      continue;
    }
    if (!run.is_shallow(member.name, member.value, kMemberLevel)) return false;
    writer.name(member.name).value(member.value);
  }
  return true;
}

bool check_required(Run& run, const FieldSet& seen) {
  for (const Field field : kRequired) {
    if (seen.test(static_cast<std::size_t>(field))) continue;
    return run.refuse(Refusal::What::content, "field_required",
                      std::string{to_text(field)} + ": missing or not usable, and this instance is strict");
  }
  return true;
}

}  // namespace tocsin::normalise
