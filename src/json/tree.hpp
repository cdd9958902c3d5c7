// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "src/json/text.hpp"
#include "src/json/value.hpp"

namespace tocsin::json {

/// What a walk over a text tells of it, in the order of the text: nobody listens.
struct NoTree {
  void name(std::string_view /*inside*/, bool /*has_escapes*/) noexcept {}
  void string(std::string_view /*inside*/, bool /*has_escapes*/) noexcept {}
  void number(std::string_view /*written*/) noexcept {}
  void word(char /*first*/) noexcept {}
  void begin() noexcept {}
  void end(char /*closing*/) noexcept {}
};

/// Makes a tree of it. The order is not checked: every begin() has its end(), values of an object have names, and no
/// more than kDepthMax are open.
///
/// Memory: `scratch` holds the values of all that is open (32 bytes each, doubled as they grow).
/// Every call may throw what the resources throw; the maker is then to be thrown away.
class TreeMaker {
 public:
  TreeMaker(std::pmr::memory_resource& arena, std::pmr::memory_resource& scratch) : arena_(arena), values_(&scratch) {}

  void name(std::string_view inside, bool has_escapes) { name_ = plain_of(inside, has_escapes); }
  void string(std::string_view inside, bool has_escapes) { add(Value::text(plain_of(inside, has_escapes))); }
  void number(std::string_view written) { add(Value::number_as_written(written)); }
  void word(char first) { add(first == 'n' ? Value{} : Value::boolean(first == 't')); }
  void begin() { open_[depth_++] = {values_.size(), name_}; }
  void end(char closing) {
    const Open& closed = open_[--depth_];
    const std::span<const Member> own = std::span{values_}.subspan(closed.from);
    const Value made = closing == '}' ? Value::object(own, arena_) : array_of(own);
    values_.resize(closed.from);
    name_ = closed.name;
    add(made);
  }
  /// Precondition: everything that was begun has ended.
  [[nodiscard]] Value root() const noexcept { return values_.front().value; }

 private:
  struct Open {
    std::size_t from = 0;  ///< index of its first value
    std::string_view name;
  };
  void add(const Value& value) { values_.push_back({name_, value}); }
  [[nodiscard]] Value array_of(std::span<const Member> own) {
    if (own.empty()) return Value::array({});
    auto* const elements = static_cast<Value*>(arena_.allocate(own.size() * sizeof(Value), alignof(Value)));
    for (std::size_t i = 0; i < own.size(); ++i) std::construct_at(elements + i, own[i].value);
    return Value::array({elements, own.size()});
  }
  [[nodiscard]] std::string_view plain_of(std::string_view inside, bool has_escapes) {
    if (!has_escapes) return inside;
    plain_.clear();
    append_unescaped(inside, plain_);
    return copy_text(plain_, arena_);
  }

  std::pmr::memory_resource& arena_;
  std::pmr::vector<Member> values_;  ///< of all that is open
  std::array<Open, kDepthMax> open_{};
  std::size_t depth_ = 0;
  std::string_view name_;
  std::string plain_;
};

}  // namespace tocsin::json
