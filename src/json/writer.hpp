// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/json/text.hpp"

namespace tocsin::json {

/// RFC 3339 in UTC with milliseconds, "2023-10-01T12:00:00.000Z". Years outside 0000-9999 are shown as the nearest
/// bound.
void append_time(std::int64_t unix_ms, std::string& out);
/// `plain` between quotes, escaped. Precondition: valid UTF-8.
void append_quoted(std::string_view plain, std::string& out);

class Value;  // value.hpp

/// Writes one JSON value, piece by piece, at the end of a string; commas come by themselves, white space never.
/// The caller keeps the order name, value inside objects and closes what it opened. Throws std::bad_alloc.
class Writer {
 public:
  explicit Writer(std::string& out) noexcept : out_(out) {}

  Writer& object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& name(std::string_view plain);

  Writer& text(std::string_view plain);
  Writer& number(std::int64_t value);
  Writer& number(std::uint64_t value);
  Writer& number(std::int32_t value) { return number(std::int64_t{value}); }
  Writer& number(std::uint32_t value) { return number(std::uint64_t{value}); }
  /// Shortest text that reads back the same; not finite: null.
  Writer& real(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// `json` is a JSON value already.
  Writer& raw(std::string_view json);
  Writer& value(const Value& value);
  /// A string as append_time() writes it.
  Writer& time(std::int64_t unix_ms);

  /// name() and text(); the other kinds are written as name("x").number(1).
  Writer& member(std::string_view key, std::string_view plain) { return name(key).text(plain); }

 private:
  void before_value() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
  }
  Writer& open(char bracket);
  Writer& close(char bracket);

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace tocsin::json
