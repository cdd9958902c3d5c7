// SPDX-License-Identifier: Apache-2.0
// Equality, order and size of values, all of it counted: parts may be shared, so that a small value can say very much.
#include <charconv>
#include <cmath>

#include "src/jmespath/machine.hpp"
#include "src/json/text.hpp"

namespace tocsin::jmespath {
namespace {

using json::Kind;
using json::Value;

constexpr const char* kTooDeep = "a value nested deeper than 32 levels";
constexpr std::int64_t kDoubleExactMax = 9'007'199'254'740'991;

constexpr std::size_t kComputedNumberBytesMax = 25;  // -2.2250738585072014e-308

/// What a string takes between quotes, or a little more.
std::size_t escaped_size(std::string_view text) noexcept {
  std::size_t size = text.size();
  const char* const end = text.data() + text.size();
  for (const char* at = json::find_escaped(text.data(), end); at != end; at = json::find_escaped(at + 1, end)) {
    size += static_cast<unsigned char>(*at) < 0x20 ? 5 : 1;
  }
  return size;
}

int compare_numbers(const Value& a, const Value& b) noexcept {
  const auto exact_a = a.integer();
  const auto exact_b = b.integer();
  if (exact_a && exact_b) return *exact_a < *exact_b ? -1 : (*exact_a > *exact_b ? 1 : 0);
  const double left = a.number();
  const double right = b.number();
  return left < right ? -1 : (left > right ? 1 : 0);
}

}  // namespace

bool Machine::compare(const Value& a, const Value& b, int& out) {
  if (a.is_number()) {
    out = compare_numbers(a, b);
    return charge(1);
  }
  out = a.text().compare(b.text());
  return charge_bytes(std::min(a.text().size(), b.text().size()));
}

bool Machine::equal(const Value& a, const Value& b, bool& out, std::uint32_t depth) {
  if (depth > json::kDepthMax) return fail(SearchError::What::wrong_value, kTooDeep);
  if (!charge(1)) return false;
  out = false;
  if (a.kind() != b.kind()) return true;
  switch (a.kind()) {
    case Kind::null: out = true; return true;
    case Kind::boolean: out = a.is_true() == b.is_true(); return true;
    case Kind::number: out = compare_numbers(a, b) == 0; return true;
    case Kind::string: out = a.text() == b.text(); return !out || charge_bytes(a.text().size());
    case Kind::array: break;
    case Kind::object:
      if (a.members().size() != b.members().size()) return true;
      for (const json::Member& member : a.members()) {
        const Value* const other = b.find(member.name);
        if (!charge_bytes(member.name.size())) return false;
        if (other == nullptr) return true;
        bool same = false;
        if (!equal(member.value, *other, same, depth + 1)) return false;
        if (!same) return true;
      }
      out = true;
      return true;
  }
  if (a.elements().size() != b.elements().size()) return true;
  for (std::size_t i = 0; i < a.elements().size(); ++i) {
    bool same = false;
    if (!equal(a.elements()[i], b.elements()[i], same, depth + 1)) return false;
    if (!same) return true;
  }
  out = true;
  return true;
}

bool Machine::count(const Value& value, std::size_t& bytes, std::uint32_t depth) {
  std::size_t own = 6;  // a word or a pair of brackets, and a comma
  if (value.is_text()) own = 3 + escaped_size(value.text());
  if (value.is_number()) own = 1 + std::max(value.number_text().size(), kComputedNumberBytesMax);
  bytes += own;
  if (!charge_bytes(own)) return false;
  if (!value.is_array() && !value.is_object()) return true;
  if (depth == json::kDepthMax) return fail(SearchError::What::wrong_value, kTooDeep);
  for (const Value& element : value.elements()) {
    if (!count(element, bytes, depth + 1)) return false;
  }
  for (const json::Member& member : value.members()) {
    const std::size_t name = 3 + escaped_size(member.name);
    bytes += name;
    if (!charge_bytes(name) || !count(member.value, bytes, depth + 1)) return false;
  }
  return true;
}

bool Machine::number(double value, Value& out) noexcept {
  if (!std::isfinite(value)) return fail(SearchError::What::wrong_value, "the result is too large for a number");
  out = Value::number(value + 0.0);  // -0 becomes 0, as it would be as an integer
  return true;
}

Value Machine::integer(std::int64_t value) {
  if (value >= -kDoubleExactMax && value <= kDoubleExactMax) return Value::number(static_cast<double>(value));
  std::array<char, 24> digits{};
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return Value::number_as_written(
      json::copy_text({digits.data(), static_cast<std::size_t>(end - digits.data())}, means_.arena));
}

}  // namespace tocsin::jmespath
