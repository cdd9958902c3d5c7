// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "src/config/load.hpp"

namespace tocsin::programs {

/// A warning for each file that the configuration names and that the present user cannot read. No more than a warning:
/// the file may come later, and the daemon may be another user.
[[nodiscard]] inline std::vector<config::Problem> file_warnings(const config::Loaded& loaded) {
  std::vector<config::Problem> out;
  for (const config::NamedFile& one : config::named_files(loaded)) {
    struct stat info {};
    const bool is_there = ::stat(one.path.c_str(), &info) == 0 && ::access(one.path.c_str(), R_OK) == 0;
    if (is_there && S_ISREG(info.st_mode)) continue;
    out.push_back({loaded.file, one.line, one.key,
                   "warning: " + one.path + ": " + (is_there ? "is not a file" : std::strerror(errno))});
  }
  return out;
}

}  // namespace tocsin::programs
