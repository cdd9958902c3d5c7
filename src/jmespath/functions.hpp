// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "src/jmespath/ast.hpp"

namespace tocsin::jmespath {

class Machine;

/// An argument as the function gets it: a value, or the node of an expression reference.
struct Argument {
  json::Value value;
  NodeId reference = kNoNode;
};

/// What an argument may be; an array of numbers or strings is checked element by element.
using Types = std::uint16_t;
inline constexpr Types kNullType = 1;
inline constexpr Types kBooleanType = 2;
inline constexpr Types kNumberType = 4;
inline constexpr Types kStringType = 8;
inline constexpr Types kArrayType = 16;
inline constexpr Types kObjectType = 32;
inline constexpr Types kNumbersType = 64;
inline constexpr Types kStringsType = 128;
inline constexpr Types kReferenceType = 256;
inline constexpr Types kAnyType = kNullType | kBooleanType | kNumberType | kStringType | kArrayType | kObjectType;

struct Function {
  using Call = bool (*)(Machine& machine, std::span<const Argument> arguments, json::Value& out);

  std::string_view name;
  std::uint8_t arguments;  ///< exactly; of a variadic one: at least
  bool is_variadic;
  std::array<Types, 2> types;  ///< a variadic one's further arguments are like the first
  const char* wants;           ///< for the message when the types are others
  Call call;                   ///< false: the machine says why

  [[nodiscard]] Types type_of(std::size_t argument) const noexcept { return types[is_variadic ? 0 : argument]; }
};

/// The functions of the specification, then split, regex_extract, get_field, to_json and zip; sorted by name.
[[nodiscard]] std::span<const Function> functions() noexcept;
/// Its place in functions().
[[nodiscard]] std::optional<std::size_t> find_function(std::string_view name) noexcept;

// One family a file.
namespace arrays {
bool contains(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool map(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool max(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool max_by(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool min(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool min_by(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool reverse(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool sort(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool sort_by(Machine& machine, std::span<const Argument> arguments, json::Value& out);
}  // namespace arrays
namespace numbers {
bool abs(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool avg(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool ceil(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool floor(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool sum(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool to_number(Machine& machine, std::span<const Argument> arguments, json::Value& out);
}  // namespace numbers
namespace objects {
bool get_field(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool keys(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool merge(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool not_null(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool to_array(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool type(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool values(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool zip(Machine& machine, std::span<const Argument> arguments, json::Value& out);
}  // namespace objects
namespace strings {
bool ends_with(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool join(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool length(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool regex_extract(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool split(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool starts_with(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool to_json(Machine& machine, std::span<const Argument> arguments, json::Value& out);
bool to_string(Machine& machine, std::span<const Argument> arguments, json::Value& out);
}  // namespace strings

}  // namespace tocsin::jmespath
