// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "src/base/result.hpp"
#include "src/jmespath/expression.hpp"
#include "src/json/value.hpp"

namespace tocsin::jmespath {

/// What regex_extract() asks. Its caller has the regular expressions; this folder has none.
class Regexes {
 public:
  virtual ~Regexes() = default;
  /// Looks for the first match anywhere in `subject`. True: `parts` holds the whole match and then each group, one
  /// that took no part as an empty view. False: no match.
  /// invalid_input: the pattern is none. out_of_budget: no room for it now.
  /// Time: linear in the subject.
  [[nodiscard]] virtual Result<bool> find(std::string_view pattern, std::string_view subject,
                                          std::pmr::vector<std::string_view>& parts) = 0;
};

/// A step is an evaluated part of the expression, an element gone through, a comparison of a sort, or
/// kBytesPerStep bytes of text read or written: 7 to 25 ns on a desktop core, so 5 ms for the default.
inline constexpr std::uint32_t kStepsMaxDefault = 200'000;
inline constexpr std::size_t kBytesPerStep = 16;

/// What an evaluation may use.
struct Means {
  /// Takes everything that is made, the result too; its limit is the limit of memory. Nothing is given back.
  std::pmr::memory_resource& arena;
  json::Parser& parser;        ///< for to_json(); what a larger text takes for the call comes from the heap
  Regexes* regexes = nullptr;  ///< null: regex_extract() is an error
  std::uint32_t steps_max = kStepsMaxDefault;
  std::uint32_t* steps_used = nullptr;  ///< if given: the steps of this evaluation are added, of a failed one too
};

/// Why there is no result.
struct SearchError {
  enum class What : std::uint8_t {
    wrong_type,    ///< an argument of a type that the function does not take
    wrong_value,   ///< an argument of the right type that it cannot use, or a result outside what JSON can say
    out_of_steps,  ///< and so would be every later try on this document
    out_of_memory,
    unavailable,  ///< regular expressions: none given, or no room for one now
  };
  What what = What::wrong_type;
  const char* reason = "";    ///< short English, static
  std::string_view function;  ///< where it was seen; empty: in none
  std::size_t offset = 0;     ///< of that in the expression's text
};

/// Evaluates. The result looks into the arena, the document and the expression.
/// Its JSON has at most steps_max * kBytesPerStep bytes and json::kDepthMax levels: what parts share counts each time.
/// Never throws: this is the boundary where std::bad_alloc becomes out_of_memory.
/// Stack: bounded by kNestingMax; 64 calls inside each other take about 70 KiB.
[[nodiscard]] tl::expected<json::Value, SearchError> search(const Expression& expression, const json::Value& document,
                                                            const Means& means) noexcept;

/// What `||`, `!` and filters take for false: null, false, and empty strings, arrays and objects.
[[nodiscard]] bool is_false(const json::Value& value) noexcept;

}  // namespace tocsin::jmespath
