// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "src/json/parser.hpp"

namespace tocsin::json {

/// A text with exactly the padding that the parser asks for, filled with letters that would do harm if they counted.
class Padded {
 public:
  explicit Padded(std::string_view text, char filler = '}')
      : size_(text.size()), bytes_(std::make_unique<char[]>(text.size() + kPaddingBytes)) {
    if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
    std::memset(bytes_.get() + size_, filler, kPaddingBytes);
  }
  [[nodiscard]] std::string_view text() const { return {bytes_.get(), size_}; }
  [[nodiscard]] Bytes bytes() const { return as_bytes(text()); }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace tocsin::json
