// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>

#include "src/jmespath/machine.hpp"
#include "src/json/text.hpp"

namespace tocsin::jmespath::numbers {
namespace {

using json::Value;

bool is_written_whole(const Value& value) noexcept {
  return !value.number_text().empty() && value.number_text().find_first_of(".eE") == std::string_view::npos;
}

/// The sum, exact while it and all parts are integers that fit; from then on in doubles.
bool add_up(Machine& machine, std::span<const Value> parts, Value& out) {
  std::int64_t whole = 0;
  std::size_t i = 0;
  for (; i < parts.size(); ++i) {
    const auto part = parts[i].integer();
    std::int64_t next = 0;
    if (!part || __builtin_add_overflow(whole, *part, &next)) break;
    whole = next;
  }
  if (i == parts.size()) {
    out = machine.integer(whole);
    return true;
  }
  auto total = static_cast<double>(whole);
  for (; i < parts.size(); ++i) total += parts[i].number();
  return machine.number(total, out);
}

}  // namespace

bool abs(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& given = arguments[0].value;
  const std::string_view text = given.number_text();
  if (text.empty()) return machine.number(std::abs(given.number()), out);
  out = text.front() == '-' ? Value::number_as_written(text.substr(1)) : given;
  return true;
}

bool ceil(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& given = arguments[0].value;
  if (!is_written_whole(given)) return machine.number(std::ceil(given.number()), out);
  out = given;
  return true;
}

bool floor(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& given = arguments[0].value;
  if (!is_written_whole(given)) return machine.number(std::floor(given.number()), out);
  out = given;
  return true;
}

bool sum(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const Value> parts = arguments[0].value.elements();
  return machine.charge(parts.size()) && add_up(machine, parts, out);
}

bool avg(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const Value> parts = arguments[0].value.elements();
  if (parts.empty()) return true;
  Value total;
  if (!machine.charge(parts.size()) || !add_up(machine, parts, total)) return false;
  return machine.number(total.number() / static_cast<double>(parts.size()), out);
}

/// As people write numbers: white space around, a plus sign, leading zeros, no digit before or behind the point.
bool to_number(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& given = arguments[0].value;
  if (given.is_number()) out = given;
  if (!given.is_text()) return true;
  std::string_view text = given.text();
  if (!machine.charge_bytes(text.size())) return false;
  constexpr std::string_view kSpace = " \t\n\r\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text.remove_suffix(text.size() - std::min(text.find_last_not_of(kSpace) + 1, text.size()));
  if (json::is_number(text)) {
    if (json::is_finite_number(text)) out = Value::number_as_written(text);
    return true;
  }
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const std::size_t digit = text.find_first_of("0123456789");
  if (digit == std::string_view::npos || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return true;
  }
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto [at, failure] = std::from_chars(text.data(), end, whole); failure == std::errc{} && at == end) {
    out = machine.integer(whole);
    return true;
  }
  double value = 0;
  if (const auto [at, failure] = std::from_chars(text.data(), end, value); failure == std::errc{} && at == end) {
    return machine.number(value, out);
  }
  return true;
}

}  // namespace tocsin::jmespath::numbers
