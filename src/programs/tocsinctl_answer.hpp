// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.hpp"
#include "src/json/parser.hpp"

namespace tocsin::ctl {

/// A value inside a JSON text that the parser accepted: a view of how it was written, so that nothing is lost on its
/// way to another program (numbers above 2^53, the order of members). A value that is not there is null everywhere.
class Value {
 public:
  Value() noexcept = default;
  explicit Value(std::string_view accepted) noexcept : text_(accepted) {}

  [[nodiscard]] bool exists() const noexcept { return !text_.empty(); }
  [[nodiscard]] json::Kind kind() const noexcept { return exists() ? json::kind_of(text_) : json::Kind::null; }
  [[nodiscard]] std::string_view written() const noexcept { return exists() ? text_ : "null"; }

  [[nodiscard]] Value member(std::string_view name) const;
  /// The first of these members that is there and not null.
  [[nodiscard]] Value any_of(std::initializer_list<std::string_view> names) const;
  [[nodiscard]] std::vector<Value> elements() const;
  [[nodiscard]] std::vector<std::pair<std::string, Value>> members() const;

  [[nodiscard]] std::optional<std::string> text() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] bool is_true() const noexcept { return text_ == "true"; }

  /// For people: strings without quotes, null as "-", everything else as written but on one line.
  [[nodiscard]] std::string shown() const;

 private:
  std::string_view text_;
};

/// A text with the room behind it that the parser wants, and its root. Not movable: the values point into it.
class Document {
 public:
  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// False: not JSON within the parser's limits; the root is then null.
  [[nodiscard]] bool parse(json::Parser& parser, std::string_view text);
  [[nodiscard]] const Value& root() const noexcept { return root_; }

 private:
  std::string buffer_;
  Value root_;
};

/// The entries of an answer that is a list, or that has one as its member "items".
[[nodiscard]] std::vector<Value> entries_of(const Value& data);

/// Keeps what a query string may hold as it is; everything else as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// `text` with bytes that are not UTF-8 replaced by U+FFFD and without NUL.
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace tocsin::ctl
