// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/result.hpp"
#include "src/json/parser.hpp"

/// JSON as a tree, for what is looked into many times (normalisation); what is read once is read with a Cursor.
namespace tocsin::json {

struct Member;

/// A JSON value that never changes: a view of 16 bytes whose contents lie in the arena that it was made in, or in the
/// text that it was made from; valid as long as these. Copying one copies the view.
/// Every question about another kind has the answer "no" (empty text, no elements, nothing).
///
/// Memory: 16 bytes a value in its array; 32 (24 where pointers have 4 bytes) a member of an object, and 4 more from
///         kIndexedAbove members on; text as said where it is made.
class Value {
 public:
  static constexpr std::size_t kIndexedAbove = 16;  ///< objects with more members are looked up by binary search

  constexpr Value() noexcept : elements_(nullptr) {}  ///< null
  [[nodiscard]] static Value boolean(bool value) noexcept;
  /// Precondition: finite.
  [[nodiscard]] static Value number(double value) noexcept;
  /// Keeps the view. Precondition: is_number() and is_finite_number().
  [[nodiscard]] static Value number_as_written(std::string_view text) noexcept;
  /// Keeps the view. Precondition: UTF-8.
  [[nodiscard]] static Value text(std::string_view plain) noexcept;
  /// Keeps the view.
  [[nodiscard]] static Value array(std::span<const Value> elements) noexcept;
  /// Copies the members (not their names' bytes). A name that repeats keeps its first place and its last value.
  /// Throws what `arena` throws.
  [[nodiscard]] static Value object(std::span<const Member> members, std::pmr::memory_resource& arena);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_null() const noexcept { return kind_ == Kind::null; }
  [[nodiscard]] bool is_text() const noexcept { return kind_ == Kind::string; }
  [[nodiscard]] bool is_number() const noexcept { return kind_ == Kind::number; }
  [[nodiscard]] bool is_array() const noexcept { return kind_ == Kind::array; }
  [[nodiscard]] bool is_object() const noexcept { return kind_ == Kind::object; }
  [[nodiscard]] bool is_true() const noexcept { return kind_ == Kind::boolean && size_ != 0; }

  /// Characters of a string, escapes resolved.
  [[nodiscard]] std::string_view text() const noexcept;
  /// The nearest double. Read from the text each time when there is one.
  [[nodiscard]] double number() const noexcept;
  /// Exact value of a number written as an integer that fits, or of a double that is an integer within +-(2^53 - 1).
  [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
  /// A number as it was written; empty when it was computed.
  [[nodiscard]] std::string_view number_text() const noexcept;
  [[nodiscard]] std::span<const Value> elements() const noexcept;
  /// In the order of the text; names differ.
  [[nodiscard]] std::span<const Member> members() const noexcept;
  /// The value of that member, or nothing. Time: linear up to kIndexedAbove members, then logarithmic.
  [[nodiscard]] const Value* find(std::string_view name) const noexcept;

  /// Arrays and objects inside each other: 0 for everything else. Recursion: as many.
  [[nodiscard]] std::uint32_t levels() const noexcept;

  /// Appends compact JSON: numbers as written, strings with the shortest escapes. Recursion: depth of the value.
  /// Throws std::bad_alloc.
  void append_json(std::string& out) const;

 private:
  Kind kind_ = Kind::null;
  std::uint32_t size_ = 0;  ///< bytes, elements or members; of a boolean: 1 for true; of a computed number: 0
  union {
    const char* text_;
    const Value* elements_;
    const Member* members_;
    double number_;
  };
};

struct Member {
  std::string_view name;
  Value value;
};

static_assert(sizeof(Value) == 16);

/// Bytes copied to the arena.
[[nodiscard]] std::string_view copy_text(std::string_view plain, std::pmr::memory_resource& arena);

/// The tree of a text that Parser::check() accepted. Numbers and strings without escapes are views into `text`, other
/// strings take their bytes from `arena`. On any other text: some tree, or invalid_input. (Parser::read() is faster
/// where the text is still to be checked.) Throws what the resources throw.
[[nodiscard]] Result<Value> build(std::string_view text, std::pmr::memory_resource& arena,
                                  std::pmr::memory_resource& scratch);
[[nodiscard]] inline Result<Value> build(std::string_view text, std::pmr::memory_resource& arena) {
  return build(text, arena, arena);
}

}  // namespace tocsin::json
