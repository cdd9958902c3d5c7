// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/model/codec.hpp"
#include "src/model/facts.hpp"

namespace tocsin::model {

/// First byte of an encoded record of this folder, unless the record has come to a higher format of its own (segments
/// and the store's format have their own numbers).
inline constexpr std::uint8_t kRecordFormat = 1;

/// Why a walk over encoded fields ended badly; the reader keeps the first.
enum class FieldFault : std::uint8_t { none, truncated, out_of_bounds };

// Each record lists its fields once, in a `fields(op, record)` template; FieldWriter and FieldReader both walk that
// list, so that what is written and what is read cannot drift apart. Order in the list is order on flash.

/// Texts are cut at their bound: a record that cannot be read back would be worse than a shorter text.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out, std::uint8_t format = kRecordFormat) : to_(out) { to_.put(format); }
  template <class T>
  void number(const T& value) {
    to_.put(value);
  }
  void flag(bool value) { to_.put(static_cast<std::uint8_t>(value ? 1 : 0)); }
  template <class T>
  void choice(const T& value, std::uint8_t /*first*/, std::uint8_t /*last*/) {
    to_.put(static_cast<std::uint8_t>(value));
  }
  template <class T>
  void wide_choice(const T& value) {
    to_.put(static_cast<std::uint16_t>(value));
  }
  void text(std::string_view value, std::size_t bytes_max) { to_.text(cut_utf8(value, bytes_max)); }
  template <std::size_t N>
  void array(const std::array<std::byte, N>& value) {
    to_.raw(value);
  }

 private:
  Encoder to_;
};

/// Accepts exactly what FieldWriter makes: a flag is 0 or 1, a choice lies in its range, a text within its bound.
class FieldReader {
 public:
  explicit FieldReader(Bytes in) : from_(in) {}
  template <class T>
  void number(T& value) {
    value = from_.get<T>();
  }
  void flag(bool& value) {
    const auto byte = from_.get<std::uint8_t>();
    require(byte <= 1);
    value = byte == 1;
  }
  template <class T>
  void choice(T& value, std::uint8_t first, std::uint8_t last) {
    const auto byte = from_.get<std::uint8_t>();
    require(byte >= first && byte <= last);
    value = static_cast<T>(byte);
  }
  /// Any number: the caller copes with those it does not know.
  template <class T>
  void wide_choice(T& value) {
    value = static_cast<T>(from_.get<std::uint16_t>());
  }
  template <class T>
  void text(T& value, std::size_t bytes_max) {
    const std::string_view view = from_.text();
    require(view.size() <= bytes_max);
    if (fault_ == FieldFault::none) value = T(view);
  }
  template <std::size_t N>
  void array(std::array<std::byte, N>& value) {
    from_.array(value);
  }
  /// After the last field. Truncation goes before bounds: bytes that are not there have no value.
  [[nodiscard]] FieldFault finish() const noexcept {
    if (fault_ != FieldFault::none) return fault_;
    return from_.at_end() ? FieldFault::none : FieldFault::truncated;
  }

 private:
  void require(bool in_bounds) noexcept {
    if (fault_ != FieldFault::none) return;
    if (!from_.ok()) {
      fault_ = FieldFault::truncated;
    } else if (!in_bounds) {
      fault_ = FieldFault::out_of_bounds;
    }
  }
  Decoder from_;
  FieldFault fault_ = FieldFault::none;
};

/// Reads one stored record. unsupported: another record format; storage_corrupt: too short or bytes left over;
/// invalid_input: a value outside its range or a text over its bound.
template <class T, class Walk>
[[nodiscard]] Result<T> read_record(Bytes in, Where where, Walk&& walk, std::uint8_t format = kRecordFormat) {
  if (in.empty()) return error(Errc::storage_corrupt, where);
  if (in[0] != std::byte{format}) return error(Errc::unsupported, where);
  T out;
  FieldReader reader(in.subspan(1));
  walk(reader, out);
  switch (reader.finish()) {
    case FieldFault::none: return out;
    case FieldFault::truncated: return error(Errc::storage_corrupt, where);
    case FieldFault::out_of_bounds: return error(Errc::invalid_input, where);
  }
  return error(Errc::storage_corrupt, where);
}

}  // namespace tocsin::model
