// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/bytes.hpp"

namespace tocsin::model {

/// Writes the field grammar of FORMAT.md: fixed-width little-endian integers; texts as u32 length and bytes.
class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}
  template <class T>
  requires std::is_integral_v<T> Encoder& put(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  Encoder& text(std::string_view value) {
    put(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
    return *this;
  }
  Encoder& raw(Bytes value) {
    out_.append(as_text(value));
    return *this;
  }

 private:
  std::string& out_;
};

/// Reads it back. Once a field does not fit, ok() is false for good and every value is empty or zero.
class Decoder {
 public:
  explicit Decoder(Bytes in) : in_(in) {}
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return ok_ && in_.empty(); }
  template <class T>
  requires std::is_integral_v<T>
  [[nodiscard]] T get() noexcept {
    const Bytes bytes = raw(sizeof(T));
    return ok_ ? load<T>(bytes.data()) : T{};
  }
  /// A view into the input.
  [[nodiscard]] std::string_view text() noexcept { return as_text(raw(get<std::uint32_t>())); }
  [[nodiscard]] Bytes raw(std::size_t size) noexcept {
    if (!ok_ || size > in_.size()) {
      ok_ = false;
      return {};
    }
    const Bytes out = in_.first(size);
    in_ = in_.subspan(size);
    return out;
  }
  template <std::size_t N>
  void array(std::array<std::byte, N>& out) noexcept {
    const Bytes bytes = raw(N);
    if (ok_) std::memcpy(out.data(), bytes.data(), N);
  }

 private:
  Bytes in_;
  bool ok_ = true;
};

}  // namespace tocsin::model
