// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "src/json/value.hpp"

namespace tocsin::jmespath {

enum class Op : std::uint8_t {
  current,       ///< @, and what stands where a projection has no right side
  literal,       ///< constants[operand]
  field,         ///< constants[operand] is its name
  index,         ///< operand, from the end when negative
  slice,         ///< slices[operand]
  chain,         ///< each child is evaluated on the result of the one before: a.b, a[0], a | b
  flatten,       ///< child
  project,       ///< children: array, what is done with each element
  project_some,  ///< as project; a third child is the condition
  project_each,  ///< as project, on the values of an object
  list,          ///< a child for each element
  hash,          ///< children in turn: a literal with the name, the value
  any,           ///< ||
  all,           ///< &&
  negate,
  equal,
  differ,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  call,       ///< functions()[operand], a child for each argument
  reference,  ///< &child, as an argument only
};

using NodeId = std::uint16_t;
inline constexpr NodeId kNoNode = 0xFFFF;

struct Node {
  Op op = Op::current;
  NodeId child = kNoNode;    ///< the first one
  NodeId sibling = kNoNode;  ///< the next child of the same parent
  std::uint16_t offset = 0;  ///< in the text
  std::int32_t operand = 0;
};
static_assert(sizeof(Node) == 12);

struct Slice {
  std::optional<std::int32_t> start, stop;
  std::int32_t step = 1;  ///< not 0
};

/// What an expression was compiled to; all of it lies in the arena given to the compiler.
struct Program {
  std::span<const Node> nodes;
  std::span<const json::Value> constants;
  std::span<const Slice> slices;
  NodeId root = 0;
};

}  // namespace tocsin::jmespath
