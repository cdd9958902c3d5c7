// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <exception>
#include <iostream>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"

namespace {

using namespace tocsin::ctl;

std::string socket_of(const Args& args) {
  if (!args.socket.empty()) return args.socket;
  const char* named = std::getenv("TOCSIN_SOCKET");
  return named != nullptr && *named != '\0' ? named : kDefaultSocket;
}

int run(std::span<const std::string_view> words) {
  std::vector<Command> commands;
  for (const auto group : {system_commands(), plugin_commands(), push_commands(), bench_commands(), alert_commands(),
                           event_commands(), reject_commands(), account_commands(), config_commands()}) {
    commands.insert(commands.end(), group.begin(), group.end());
  }
  const auto args = parse_args(words, commands);
  if (!args) {
    (args.error().exit_code == kDone ? std::cout : std::cerr) << args.error().text;
    if (args.error().exit_code != kDone) std::cerr << "\n";
    return args.error().exit_code;
  }
  Context context(std::cin, std::cout, std::cerr, socket_of(*args));
  const int exit_code = args->command->run(context, *args);
  std::cout.flush();
  return std::cout ? exit_code : kFailed;  // a full disk or a closed pipe must not look like success
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    // "bkmonitorbeat -report ..." with another program's name in front: that program has no commands.
    if (!words.empty() && (words[0] == "-report" || words[0] == "--report")) words.insert(words.begin(), "push");
    return run(words);
  } catch (const std::exception& failure) {
    std::cerr << "tocsinctl: " << failure.what() << "\n";
    return kFailed;
  }
}
