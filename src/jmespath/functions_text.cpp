// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/jmespath/machine.hpp"
#include "src/jmespath/text_search.hpp"
#include "src/json/text.hpp"

namespace tocsin::jmespath::strings {
namespace {

using json::Value;
using What = SearchError::What;

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// An array of the views.
Value to_texts(Machine& machine, std::span<const std::string_view> parts) {
  const std::span<Value> out = machine.room<Value>(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) out[i] = Value::text(parts[i]);
  return Value::array(out);
}

bool split_characters(Machine& machine, std::string_view text, Value& out) {
  const std::size_t count = count_characters(text);
  if (!machine.charge(text.size() + count)) return false;
  const std::span<Value> parts = machine.room<Value>(count);
  for (Value& part : parts) {
    const std::size_t size = character_size(text);
    part = Value::text(text.substr(0, size));
    text.remove_prefix(size);
  }
  out = Value::array(parts);
  return true;
}

}  // namespace

bool starts_with(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::string_view wanted = arguments[1].value.text();
  out = Value::boolean(arguments[0].value.text().starts_with(wanted));
  return machine.charge_bytes(wanted.size());
}

bool ends_with(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::string_view wanted = arguments[1].value.text();
  out = Value::boolean(arguments[0].value.text().ends_with(wanted));
  return machine.charge_bytes(wanted.size());
}

bool length(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& given = arguments[0].value;
  if (!machine.charge_bytes(given.text().size())) return false;
  const std::size_t size =
      given.is_text() ? count_characters(given.text()) : given.elements().size() + given.members().size();
  out = machine.integer(static_cast<std::int64_t>(size));
  return true;
}

bool join(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::string_view between = arguments[0].value.text();
  const std::span<const Value> parts = arguments[1].value.elements();
  std::size_t size = 0;
  for (const Value& part : parts) size += part.text().size() + between.size();
  if (!machine.charge(parts.size()) || !machine.charge_bytes(size)) return false;
  const std::span<char> joined = machine.room<char>(parts.empty() ? 0 : size - between.size());
  char* to = joined.data();
  for (const Value& part : parts) {
    if (&part != parts.data()) to = std::copy(between.begin(), between.end(), to);
    to = std::copy(part.text().begin(), part.text().end(), to);
  }
  out = Value::text({joined.data(), joined.size()});
  return true;
}

bool split(Machine& machine, std::span<const Argument> arguments, Value& out) {
  std::string_view text = arguments[0].value.text();
  const std::string_view between = arguments[1].value.text();
  if (between.empty()) return split_characters(machine, text, out);
  if (!charge_find(machine, text, between) || !charge_find(machine, text, between)) return false;
  std::size_t count = 1;
  for (std::size_t at = text.find(between); at != std::string_view::npos;
       at = text.find(between, at + between.size())) {
    ++count;
  }
  if (!machine.charge(count)) return false;
  const std::span<Value> parts = machine.room<Value>(count);
  for (Value& part : parts) {
    const std::size_t end = std::min(text.find(between), text.size());
    part = Value::text(text.substr(0, end));
    text.remove_prefix(std::min(end + between.size(), text.size()));
  }
  out = Value::array(parts);
  return true;
}

bool to_string(Machine& machine, std::span<const Argument> arguments, Value& out) {
  out = arguments[0].value;
  if (out.is_text()) return true;
  std::size_t bytes = 0;
  if (!machine.count(out, bytes)) return false;
  const std::span<char> own = machine.room<char>(bytes);  // before the heap's, so that the arena's limit holds for both
  std::string json;
  out.append_json(json);
  std::copy(json.begin(), json.end(), own.begin());
  out = Value::text({own.data(), json.size()});
  return true;
}

bool to_json(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::string_view text = arguments[0].value.text();
  if (!machine.charge_bytes(2 * text.size())) return false;
  const std::span<char> own = machine.room<char>(text.size() + json::kPaddingBytes);
  std::copy(text.begin(), text.end(), own.begin());
  const auto checked = machine.means().parser.check({own.data(), text.size()});
  if (!checked) return machine.fail(What::wrong_value, "the string is not JSON");
  if (!machine.charge(checked->values)) return false;
  const auto built = json::build(checked->text, machine.means().arena);
  if (!built.ok()) return machine.fail(What::wrong_value, "the string is not JSON");
  out = *built;
  return true;
}

bool regex_extract(Machine& machine, std::span<const Argument> arguments, Value& out) {
  Regexes* const regexes = machine.means().regexes;
  if (regexes == nullptr) return machine.fail(What::unavailable, "regular expressions are not available here");
  const std::string_view subject = arguments[0].value.text();
  if (!machine.charge_bytes(4 * subject.size())) return false;
  std::pmr::vector<std::string_view> parts{&machine.means().arena};
  const auto found = regexes->find(arguments[1].value.text(), subject, parts);
  if (!found.ok() && found.error().code == Errc::out_of_budget) {
    return machine.fail(What::unavailable, "no room for a regular expression now");
  }
  if (!found.ok()) return machine.fail(What::wrong_value, "the pattern is not a regular expression");
  if (!*found) return true;
  if (!machine.charge(parts.size())) return false;
  out = to_texts(machine, parts);
  return true;
}

}  // namespace tocsin::jmespath::strings
