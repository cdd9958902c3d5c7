// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "src/base/result.hpp"

namespace tocsin::ctl {

class Context;
struct Args;

/// 0 done, 1 refused or failed, 2 wrong usage.
using Run = int (*)(Context& context, const Args& args);

enum class Takes : std::uint8_t { text, integer, word, nothing };

struct Option {
  std::string_view name;  ///< with its dashes
  Takes takes = Takes::text;
  std::string_view shown;  ///< the value in help: "N", "TIME"
  std::string_view help;
  std::span<const std::string_view> words = {};  ///< of Takes::word
  bool may_repeat = false;
  bool required = false;
};

/// One row a command: help, checks of usage and dispatch walk the table.
struct Command {
  std::string_view words;  ///< "plugin create"
  std::string_view shown_arguments;
  std::size_t arguments_min = 0;
  std::size_t arguments_max = 0;
  std::string_view help;
  std::span<const Option> options = {};
  Run run = nullptr;  ///< null: known, not in this version
};

enum class Format : std::uint8_t { table, json };

/// A command line that keeps to the table.
struct Args {
  const Command* command = nullptr;
  std::string socket;  ///< of --socket; empty: not given
  Format format = Format::table;
  std::vector<std::string> arguments;
  std::map<std::string, std::vector<std::string>, std::less<>> options;

  [[nodiscard]] bool has(std::string_view name) const { return options.contains(name); }
  /// The last value given; empty: none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] std::span<const std::string> all(std::string_view name) const;
  /// Precondition: the option takes an integer.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
};

/// What to print instead of running: help or version (exit 0), or one line: about the mistake (exit 2), about a command
/// that is not in this version (exit 1).
struct Usage {
  int exit_code = 2;
  std::string text;
};

/// Options may stand anywhere behind the command's words, as "--name value" or "--name=value"; "--" ends them.
[[nodiscard]] tl::expected<Args, Usage> parse_args(std::span<const std::string_view> words,
                                                   std::span<const Command> commands);

/// Decimal, with sign, all of the text.
[[nodiscard]] std::optional<std::int64_t> to_integer(std::string_view text) noexcept;

}  // namespace tocsin::ctl
