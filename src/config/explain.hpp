// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/load.hpp"

namespace tocsin::config {

enum class Layer : std::uint8_t { built_in, board, file, command_line };
[[nodiscard]] const char* to_text(Layer layer) noexcept;  ///< default, board, file, command line

struct Explained {
  std::string key;
  /// As it would stand in the file, which is a JSON value too. No secret: those are files, and only their paths are
  /// here.
  std::string value;
  Layer layer = Layer::built_in;
  std::uint32_t line = 0;  ///< of the file; 0: another layer
  std::string_view help;
};

/// Every key with its value and where that came from: in the order of the reference page, then upstream by upstream.
/// With a `key`: that one, or all of a section ("store", "upstream.centre"); none when there is no such key.
[[nodiscard]] std::vector<Explained> explain(const Loaded& loaded, std::string_view key = {});

/// The text of conf/REFERENCE.md. The same for every board.
[[nodiscard]] std::string reference_page();

}  // namespace tocsin::config
