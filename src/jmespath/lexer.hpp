// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/jmespath/expression.hpp"

namespace tocsin::jmespath {

struct Token {
  enum class Type : std::uint8_t {
    end,
    name,         ///< identifier without quotes
    quoted_name,  ///< text is what lies between the quotes
    raw_string,   ///< text is what lies between the quotes
    literal,      ///< text is what lies between the backticks
    number,
    dot,
    star,
    comma,
    colon,
    current,
    open_round,
    close_round,
    open_brace,
    close_brace,
    open_square,
    close_square,
    flatten,  ///< []
    filter,   ///< [?
    pipe,
    any,
    all,
    reference,
    negate,
    equal,
    differ,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
  };
  Type type = Type::end;
  std::uint16_t offset = 0;
  std::int32_t number = 0;  ///< a larger one is cut to the nearest that fits: no array is that long
  std::string_view text;
};

/// The tokens of `text`, the last one Type::end. Precondition: at most kTextBytesMax bytes.
[[nodiscard]] tl::expected<std::vector<Token>, CompileError> tokenize(std::string_view text);

}  // namespace tocsin::jmespath
