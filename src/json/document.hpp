// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/result.hpp"
#include "src/json/parser.hpp"

struct cJSON;

namespace tocsin::json {

inline constexpr std::size_t kDocumentBytesMax = 64 * KiB;
inline constexpr std::uint32_t kDocumentValuesMax = 8'192;

/// A place in a Document; valid as long as it. Every question about a place that is not there has the answer "no".
class Node {
 public:
  Node() noexcept = default;
  explicit Node(const cJSON* raw) noexcept : raw_(raw) {}

  [[nodiscard]] bool exists() const noexcept { return raw_ != nullptr; }
  [[nodiscard]] Kind kind() const noexcept;  ///< null for a place that is not there
  [[nodiscard]] bool is_object() const noexcept { return kind() == Kind::object; }
  [[nodiscard]] bool is_array() const noexcept { return kind() == Kind::array; }

  /// The member of that exact name (case counts).
  [[nodiscard]] Node member(std::string_view name) const noexcept;
  /// First element or member, and the one after this; walk with them: indexing would be quadratic.
  [[nodiscard]] Node first() const noexcept;
  [[nodiscard]] Node next() const noexcept;
  /// Name of a member of an object; empty for elements and the root.
  [[nodiscard]] std::string_view name() const noexcept;

  [[nodiscard]] std::optional<std::string_view> text() const noexcept;
  [[nodiscard]] std::optional<bool> boolean() const noexcept;
  [[nodiscard]] std::optional<double> number() const noexcept;
  /// A number without fraction within +-(2^53 - 1), where doubles are exact.
  [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;

  /// The first member of this object whose name is not in `known`.
  [[nodiscard]] std::optional<std::string_view> unknown_member(std::span<const std::string_view> known) const noexcept;

 private:
  const cJSON* raw_ = nullptr;
};

/// A small JSON document as a tree, for configuration and the bodies of the operator API.
///
/// cJSON's own parser is lenient and its allocator global to the process; so a text reaches it only after
/// Parser::check() has accepted it and counted its values: at most kDocumentBytesMax bytes and kDocumentValuesMax
/// values, which bounds the tree at about 1.3 MiB. Names may not repeat within an object.
class Document {
 public:
  /// `text` needs no padding. Throws std::bad_alloc.
  [[nodiscard]] static tl::expected<Document, ParseError> parse(Parser& parser, std::string_view text);
  [[nodiscard]] Node root() const noexcept { return Node{root_.get()}; }

 private:
  struct Free {
    void operator()(cJSON* raw) const noexcept;
  };
  explicit Document(cJSON* root) noexcept : root_(root) {}
  std::unique_ptr<cJSON, Free> root_;
};

}  // namespace tocsin::json
