// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/jmespath/lexer.hpp"

namespace tocsin::jmespath {

/// The values that tokens stand for: names, raw strings and JSON literals.
class Literals {
 public:
  /// Values lie in `arena` or are views into the tokens' text.
  Literals(json::Parser& parser, std::pmr::memory_resource& arena) noexcept : parser_(parser), arena_(arena) {}

  /// False: the token stands for nothing, and reason() says why.
  [[nodiscard]] bool read(const Token& token, json::Value& out);
  [[nodiscard]] const char* reason() const noexcept { return reason_; }

 private:
  bool read_json(std::string_view text, json::Value& out);
  bool read_literal(std::string_view text, json::Value& out);
  bool refuse(const char* reason) noexcept {
    reason_ = reason;
    return false;
  }

  json::Parser& parser_;
  std::pmr::memory_resource& arena_;
  const char* reason_ = "";
};

}  // namespace tocsin::jmespath
