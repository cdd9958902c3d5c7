// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string_view>

#include "src/jmespath/ast.hpp"
#include "src/json/parser.hpp"

/// JMESPath: the whole of the specification and five functions that BlueKing adds (functions.hpp has the list).
/// src/decisions/0011-jmespath.md says where implementations differ and what was chosen.
namespace tocsin::jmespath {

inline constexpr std::size_t kTextBytesMax = 4'096;
inline constexpr std::uint32_t kNodesMax = 1'024;
inline constexpr std::uint32_t kNestingMax = 64;  ///< parts of an expression inside each other
inline constexpr std::uint32_t kArgumentsMax = 32;

/// Why a text is no expression.
struct CompileError {
  enum class What : std::uint8_t { syntax, unknown_function, wrong_arguments, too_large };
  What what = What::syntax;
  const char* reason = "";  ///< short English, static
  std::size_t offset = 0;   ///< byte of the text where it was seen
};

/// A compiled expression: a view of what lies in the arena that it was compiled into, valid as long as that.
///
/// Memory: its text, 12 bytes a node (about one for each name, operator and bracket), 16 a name or literal.
/// Threads: any number may evaluate it at the same time.
class Expression {
 public:
  /// `text` is copied into `arena`. `parser` reads literals. What can be seen without a document is an error here:
  /// names of functions, numbers of arguments, a step of 0, an expression reference that no function asked for.
  /// Throws what `arena` throws, and std::bad_alloc; what was taken from `arena` stays taken then.
  [[nodiscard]] static tl::expected<Expression, CompileError> compile(std::string_view text, json::Parser& parser,
                                                                      std::pmr::memory_resource& arena);

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] const Program& program() const noexcept { return program_; }

 private:
  Expression(std::string_view text, const Program& program) noexcept : text_(text), program_(program) {}

  std::string_view text_;
  Program program_;
};

}  // namespace tocsin::jmespath
