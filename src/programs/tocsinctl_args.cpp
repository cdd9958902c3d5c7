// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_args.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "src/programs/version.hpp"

namespace tocsin::ctl {
namespace {

using namespace std::string_view_literals;

constexpr std::array kFormats = {"table"sv, "json"sv};
constexpr std::array kGlobals = {
    Option{"--socket", Takes::text, "PATH",
           "control socket of the daemon (default: $TOCSIN_SOCKET, then /run/tocsin/control.sock)"},
    Option{"--format", Takes::word, "", "how answers are printed (default: table)", kFormats},
    Option{"--help", Takes::nothing, "", "this text"},
    Option{"--version", Takes::nothing, "", "the version of tocsinctl"},
};

std::string joined(std::span<const std::string_view> words, std::string_view between) {
  std::string out;
  for (const std::string_view word : words) out.append(out.empty() ? "" : between).append(word);
  return out;
}

std::string value_of(const Option& option) {
  if (option.takes == Takes::nothing) return {};
  return " " + (option.words.empty() ? std::string(option.shown) : joined(option.words, "|"));
}

void add_line(std::string& out, std::string left, std::string_view right) {
  constexpr std::size_t kColumn = 34;
  left.insert(0, "  ");
  if (left.size() + 2 > kColumn) {
    out.append(left).append("\n").append(kColumn, ' ');
  } else {
    left.resize(kColumn, ' ');
    out.append(left);
  }
  out.append(right).append("\n");
}

std::string overview(std::span<const Command> commands, std::string_view group) {
  std::string out = "usage: tocsinctl [--socket PATH] [--format table|json] COMMAND ...\n\n";
  for (const Command& command : commands) {
    if (command.run == nullptr) continue;
    if (!group.empty() && command.words.substr(0, command.words.find(' ')) != group) continue;
    std::string left(command.words);
    if (!command.shown_arguments.empty()) left.append(" ").append(command.shown_arguments);
    add_line(out, std::move(left), command.help);
  }
  out += "\n";
  for (const Option& option : kGlobals) add_line(out, std::string(option.name) + value_of(option), option.help);
  return out += "\ntocsinctl COMMAND --help tells more. Exit: 0 done, 1 refused or failed, 2 wrong usage.\n";
}

std::string help_of(const Command& command) {
  std::string out = "usage: tocsinctl " + std::string(command.words);
  for (const Option& option : command.options) {
    const std::string one = std::string(option.name) + value_of(option);
    out += option.required ? " " + one : " [" + one + "]";
    if (option.may_repeat) out += "...";
  }
  if (!command.shown_arguments.empty()) out.append(" ").append(command.shown_arguments);
  out.append("\n\n").append(command.help).append("\n\n");
  for (const Option& option : command.options) add_line(out, std::string(option.name) + value_of(option), option.help);
  for (const Option& option : kGlobals) add_line(out, std::string(option.name) + value_of(option), option.help);
  return out;
}

class Parser {
 public:
  Parser(std::span<const std::string_view> words, std::span<const Command> commands)
      : words_(words), commands_(commands) {}

  tl::expected<Args, Usage> run() {
    while (at_ < words_.size() && failure_.empty()) take(words_[at_]);
    if (!failure_.empty()) return wrong(failure_);
    if (wants_version_) return tl::unexpected(Usage{0, "tocsinctl " + std::string(programs::kVersion) + "\n"});
    if (args_.command != nullptr && args_.command->run == nullptr) return absent(args_.command->words);
    if (args_.command == nullptr) {
      if (is_absent_group()) return absent(first_);
      if (wants_help_) return tl::unexpected(Usage{0, overview(commands_, first_)});
      return wrong(missing_command());
    }
    if (wants_help_) return tl::unexpected(Usage{0, help_of(*args_.command)});
    const Command& command = *args_.command;
    if (args_.arguments.size() < command.arguments_min || args_.arguments.size() > command.arguments_max) {
      return wrong(std::string(command.words) + " takes " +
                   (command.shown_arguments.empty() ? "no arguments" : std::string(command.shown_arguments)) +
                   ", not " + std::to_string(args_.arguments.size()) +
                   (args_.arguments.size() == 1 ? " argument" : " arguments"));
    }
    for (const Option& option : command.options) {
      if (option.required && !args_.has(option.name)) {
        return wrong(std::string(command.words) + " needs " + std::string(option.name) + value_of(option));
      }
    }
    return std::move(args_);
  }

 private:
  tl::unexpected<Usage> wrong(std::string_view what) const {
    std::string text = "tocsinctl: ";
    text.append(what).append(" (tocsinctl ");
    if (args_.command != nullptr) text.append(args_.command->words).append(" ");
    return tl::unexpected(Usage{2, text.append("--help)")});
  }

  /// Nobody's mistake: the words are right, and what they ask for is not there.
  static tl::unexpected<Usage> absent(std::string_view what) {
    return tl::unexpected(Usage{1, "tocsinctl: " + std::string(what) + " is not in this version"});
  }

  bool is_absent_group() const {
    const auto of_group = [&](const Command& command) {
      return !first_.empty() && command.words.starts_with(std::string(first_) + " ");
    };
    return std::any_of(commands_.begin(), commands_.end(), of_group) &&
           std::none_of(commands_.begin(), commands_.end(),
                        [&](const Command& command) { return of_group(command) && command.run != nullptr; });
  }

  std::string missing_command() const {
    if (first_.empty()) return "a command is needed";
    std::string subcommands;
    for (const Command& command : commands_) {
      if (command.run == nullptr || !command.words.starts_with(std::string(first_) + " ")) continue;
      subcommands.append(subcommands.empty() ? "" : "|").append(command.words.substr(first_.size() + 1));
    }
    if (!subcommands.empty()) return std::string(first_) + " needs one of " + subcommands;
    return "no command " + std::string(first_);
  }

  void take(std::string_view word) {
    ++at_;
    if (options_ended_ || word.size() < 2 || word.front() != '-') return take_word(word);
    if (word == "--") {
      options_ended_ = true;
      return;
    }
    if (word == "-h") word = "--help";
    take_option(word);
  }

  void take_word(std::string_view word) {
    if (args_.command != nullptr) {
      args_.arguments.emplace_back(word);
      return;
    }
    const std::string words = first_.empty() ? std::string(word) : std::string(first_).append(" ").append(word);
    for (const Command& command : commands_) {
      if (command.words == words) {
        args_.command = &command;
        return;
      }
    }
    const bool is_group =
        first_.empty() && std::any_of(commands_.begin(), commands_.end(),
                                      [&](const Command& command) { return command.words.starts_with(words + " "); });
    if (!is_group) {
      failure_ = "no command " + words;
      return;
    }
    first_ = word;
  }

  const Option* option_named(std::string_view name) const {
    if (args_.command != nullptr) {
      for (const Option& option : args_.command->options) {
        // Those of bkmonitorbeat have one dash and may be written with two.
        const bool has_one_dash = !option.name.starts_with("--") && option.name.size() > 2;
        if (option.name == name || (has_one_dash && name.starts_with("--") && option.name == name.substr(1))) {
          return &option;
        }
      }
    }
    const auto* const global =
        std::find_if(kGlobals.begin(), kGlobals.end(), [&](const Option& option) { return option.name == name; });
    return global == kGlobals.end() ? nullptr : global;
  }

  void take_option(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Option* option = option_named(name);
    if (option == nullptr) {
      failure_ = "no option " + std::string(name) +
                 (args_.command == nullptr ? "" : " of " + std::string(args_.command->words));
      // The options of a later release's command are unknown here; that it is one is what counts.
      if (args_.command != nullptr && args_.command->run == nullptr) failure_.clear();
      return;
    }
    if (option->takes == Takes::nothing) {
      if (equals != std::string_view::npos) failure_ = std::string(name) + " takes no value";
      if (option->name == "--help") wants_help_ = true;
      if (option->name == "--version") wants_version_ = true;
      args_.options[std::string(option->name)];
      return;
    }
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (at_ < words_.size()) {
      value = words_[at_++];
    } else {
      failure_ = std::string(name) + " needs a value";
      return;
    }
    check_and_keep(*option, value);
  }

  void check_and_keep(const Option& option, std::string_view value) {
    if (option.takes == Takes::integer && !to_integer(value)) {
      failure_ = std::string(option.name) + " takes a whole number, not " + std::string(value);
      return;
    }
    if (option.takes == Takes::word &&
        std::find(option.words.begin(), option.words.end(), value) == option.words.end()) {
      failure_ = std::string(option.name) + " is one of " + joined(option.words, ", ") + ", not " + std::string(value);
      return;
    }
    if (option.name == "--socket") {
      args_.socket = std::string(value);
    } else if (option.name == "--format") {
      args_.format = value == "json" ? Format::json : Format::table;
    } else {
      auto& values = args_.options[std::string(option.name)];
      if (!option.may_repeat) values.clear();
      values.emplace_back(value);
    }
  }

  std::span<const std::string_view> words_;
  std::span<const Command> commands_;
  std::size_t at_ = 0;
  std::string_view first_;
  Args args_;
  bool wants_help_ = false;
  bool wants_version_ = false;
  bool options_ended_ = false;
  std::string failure_;
};

}  // namespace

std::string_view Args::get(std::string_view name) const {
  const auto values = all(name);
  return values.empty() ? std::string_view{} : std::string_view{values.back()};
}

std::span<const std::string> Args::all(std::string_view name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::span<const std::string>{} : std::span<const std::string>{found->second};
}

std::int64_t Args::integer(std::string_view name, std::int64_t otherwise) const {
  return to_integer(get(name)).value_or(otherwise);
}

std::optional<std::int64_t> to_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

tl::expected<Args, Usage> parse_args(std::span<const std::string_view> words, std::span<const Command> commands) {
  return Parser(words, commands).run();
}

}  // namespace tocsin::ctl
