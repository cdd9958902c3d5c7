// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "src/api/call.hpp"
#include "src/json/document.hpp"

namespace tocsin::api {

/// Why a body is no JSON, for the answer, with the place when there is one.
[[nodiscard]] std::string not_json(const json::ParseError& error);

/// Reads the JSON object that an operator sent, member by member. The first thing that is wrong stays as `problem`, in
/// words that name the member and its rule; from then on every question is answered as if the member were absent.
/// An empty body is an empty object.
class Body {
 public:
  /// `known`: the members that this request may have.
  Body(const Services& services, std::string_view text, std::initializer_list<std::string_view> known);

  [[nodiscard]] bool ok() const noexcept { return problem_.empty(); }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] bool has(std::string_view name) const noexcept { return root().member(name).exists(); }

  /// A string of [bytes_min, bytes_max] bytes without control characters.
  [[nodiscard]] std::optional<std::string> text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max);
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<bool> boolean(std::string_view name);
  /// Position of the string in `words`.
  [[nodiscard]] std::optional<std::size_t> word(std::string_view name, std::initializer_list<std::string_view> words);
  /// Strings of 1 to bytes_max bytes; at least one, at most count_max.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t count_max,
                                                              std::size_t bytes_max);
  /// Epoch milliseconds of a number or of an RFC 3339 text.
  [[nodiscard]] std::optional<std::int64_t> time(std::string_view name);
  void require(std::string_view name);
  void reject(std::string_view name, std::string_view rule);
  void reject(std::string problem);
  /// Of any kind; absent once something was wrong.
  [[nodiscard]] json::Node find(std::string_view name) const noexcept {
    return ok() ? root().member(name) : json::Node{};
  }

 private:
  [[nodiscard]] json::Node root() const noexcept { return document_ ? document_->root() : json::Node{}; }
  std::optional<json::Document> document_;
  std::string problem_;
};

/// Epoch milliseconds of digits or of an RFC 3339 text; a text without zone is UTC.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text) noexcept;

[[nodiscard]] bool has_control(std::string_view text) noexcept;
/// ^[A-Za-z0-9][A-Za-z0-9._-]*$, at most kAccountNameBytesMax: names that stand in a path as they are.
[[nodiscard]] bool is_account_name(std::string_view name) noexcept;
inline constexpr std::string_view kAccountNameRule =
    "1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit";
/// ^[a-zA-Z][a-zA-Z0-9_]*$, at most kPluginIdBytesMax.
[[nodiscard]] bool is_plugin_id(std::string_view name) noexcept;

}  // namespace tocsin::api
