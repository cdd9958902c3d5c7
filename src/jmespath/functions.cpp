// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/functions.hpp"

#include <algorithm>

namespace tocsin::jmespath {
namespace {

static_assert(1U << static_cast<unsigned>(json::Kind::null) == kNullType);
static_assert(1U << static_cast<unsigned>(json::Kind::boolean) == kBooleanType);
static_assert(1U << static_cast<unsigned>(json::Kind::number) == kNumberType);
static_assert(1U << static_cast<unsigned>(json::Kind::string) == kStringType);
static_assert(1U << static_cast<unsigned>(json::Kind::array) == kArrayType);
static_assert(1U << static_cast<unsigned>(json::Kind::object) == kObjectType);

constexpr Types kComparableType = kNumbersType | kStringsType;

constexpr Function kFunctions[] = {
    {"abs", 1, false, {kNumberType}, "takes a number", numbers::abs},
    {"avg", 1, false, {kNumbersType}, "takes an array of numbers", numbers::avg},
    {"ceil", 1, false, {kNumberType}, "takes a number", numbers::ceil},
    {"contains", 2, false, {kArrayType | kStringType, kAnyType}, "looks into an array or string", arrays::contains},
    {"ends_with", 2, false, {kStringType, kStringType}, "takes two strings", strings::ends_with},
    {"floor", 1, false, {kNumberType}, "takes a number", numbers::floor},
    {"get_field", 2, false, {kObjectType, kStringType}, "takes an object and a string", objects::get_field},
    {"join", 2, false, {kStringType, kStringsType}, "takes a string and an array of strings", strings::join},
    {"keys", 1, false, {kObjectType}, "takes an object", objects::keys},
    {"length", 1, false, {kStringType | kArrayType | kObjectType}, "takes a string, array or object", strings::length},
    {"map", 2, false, {kReferenceType, kArrayType}, "takes an expression reference and an array", arrays::map},
    {"max", 1, false, {kComparableType}, "takes an array of only numbers or only strings", arrays::max},
    {"max_by", 2, false, {kArrayType, kReferenceType}, "takes an array and an expression reference", arrays::max_by},
    {"merge", 1, true, {kObjectType}, "takes objects", objects::merge},
    {"min", 1, false, {kComparableType}, "takes an array of only numbers or only strings", arrays::min},
    {"min_by", 2, false, {kArrayType, kReferenceType}, "takes an array and an expression reference", arrays::min_by},
    {"not_null", 1, true, {kAnyType}, "", objects::not_null},
    {"regex_extract", 2, false, {kStringType, kStringType}, "takes two strings", strings::regex_extract},
    {"reverse", 1, false, {kStringType | kArrayType}, "takes a string or an array", arrays::reverse},
    {"sort", 1, false, {kComparableType}, "takes an array of only numbers or only strings", arrays::sort},
    {"sort_by", 2, false, {kArrayType, kReferenceType}, "takes an array and an expression reference", arrays::sort_by},
    {"split", 2, false, {kStringType, kStringType}, "takes two strings", strings::split},
    {"starts_with", 2, false, {kStringType, kStringType}, "takes two strings", strings::starts_with},
    {"sum", 1, false, {kNumbersType}, "takes an array of numbers", numbers::sum},
    {"to_array", 1, false, {kAnyType}, "", objects::to_array},
    {"to_json", 1, false, {kStringType}, "takes a string", strings::to_json},
    {"to_number", 1, false, {kAnyType}, "", numbers::to_number},
    {"to_string", 1, false, {kAnyType}, "", strings::to_string},
    {"type", 1, false, {kAnyType}, "", objects::type},
    {"values", 1, false, {kObjectType}, "takes an object", objects::values},
    {"zip", 2, false, {kArrayType, kArrayType}, "takes two arrays", objects::zip},
};

static_assert(std::is_sorted(std::begin(kFunctions), std::end(kFunctions),
                             [](const Function& a, const Function& b) { return a.name < b.name; }));

}  // namespace

std::span<const Function> functions() noexcept { return kFunctions; }

std::optional<std::size_t> find_function(std::string_view name) noexcept {
  const auto* const at =
      std::lower_bound(std::begin(kFunctions), std::end(kFunctions), name,
                       [](const Function& row, std::string_view wanted) { return row.name < wanted; });
  if (at == std::end(kFunctions) || at->name != name) return std::nullopt;
  return static_cast<std::size_t>(at - std::begin(kFunctions));
}

}  // namespace tocsin::jmespath
