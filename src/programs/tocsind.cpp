// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <string>

#include "platform/linux/files.hpp"
#include "platform/linux/memory.hpp"
#include "src/programs/named_files.hpp"
#include "src/programs/tocsind_daemon.hpp"
#include "src/programs/version.hpp"

namespace {

using tocsin::config::Loaded;

constexpr const char* kUsage =
    "usage: tocsind --config FILE [--check] | --data-dir DIR [--check]\n"
    "  --config FILE    run with this configuration\n"
    "  --data-dir DIR   run with the built-in configuration, everything it keeps below DIR\n"
    "  --check          check the configuration and end\n"
    "  --version        print the version and end\n";

struct Arguments {
  std::string config;
  std::string data_dir;
  bool check = false;
};

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--check") {
      out.check = true;
    } else if ((argument == "--config" || argument == "--data-dir") && i + 1 < argc) {
      (argument == "--config" ? out.config : out.data_dir) = argv[++i];
    } else {
      std::fprintf(stderr, "tocsind: %s: unknown or incomplete\n", argument.c_str());
      return std::nullopt;
    }
  }
  if (out.config.empty() == out.data_dir.empty()) return std::nullopt;
  return out;
}

std::optional<Loaded> load(const Arguments& arguments) {
  using namespace tocsin;
  tl::expected<Loaded, std::vector<config::Problem>> loaded = [&] {
    if (arguments.config.empty()) return config::load_embedded(arguments.data_dir, config::kBoard);
    auto text = linux::read_file(arguments.config, config::kTextBytesMax);
    if (text.ok()) return config::load(*text, arguments.config, config::kBoard);
    const std::string why = text.error().code == Errc::out_of_budget
                                ? "larger than 64 KiB"
                                : "cannot be read: " + std::string(std::strerror(text.error().os_errno));
    return tl::expected<Loaded, std::vector<config::Problem>>(
        tl::unexpect, std::vector<config::Problem>{{arguments.config, 0, "", why}});
  }();
  if (loaded) return std::move(*loaded);
  for (const auto& problem : loaded.error()) std::fprintf(stderr, "%s\n", config::to_text(problem).c_str());
  return std::nullopt;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("tocsind %s\n", tocsin::programs::kVersion);
    return 0;
  }
  if (argc == 2 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0)) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const auto arguments = parse(argc, argv);
  if (!arguments) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  auto loaded = load(*arguments);
  if (!loaded) return 2;
  for (const auto& warning : tocsin::programs::file_warnings(*loaded))
    std::fprintf(stderr, "%s\n", tocsin::config::to_text(warning).c_str());
  if (arguments->check) return 0;
  tocsin::programs::TocsinDaemon daemon(std::move(*loaded));
  if (const int code = daemon.open(); code != 0) return code;
  return daemon.run();
}

/// Every connection, worker and the store need a descriptor; what the shell allows is often just enough.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > 4096 ? 4096 : limit.rlim_max;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

int main(int argc, char** argv) {
  tocsin::linux::tune_malloc();
  raise_descriptor_limit();
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("tocsind: out of memory at start\n", stderr);
    return 1;
  }
}
