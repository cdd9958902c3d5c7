// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.hpp"

#include "src/config/config.hpp"

namespace tocsin::config {

/// One thing that is wrong with a file. `line` is 0 when no line is to blame; a missing key is told at its section.
struct Problem {
  std::string file;
  std::uint32_t line = 0;
  std::string key;  ///< empty: the file as a whole
  std::string message;
};

/// "tocsin.toml:12: store.quota_byte: unknown key; did you mean store.quota_bytes?"
[[nodiscard]] std::string to_text(const Problem& problem);

/// Where a value came from when it is not a default.
struct Origin {
  std::string key;
  std::uint32_t line = 0;  ///< 0: from the command line
};

struct Loaded {
  Config config;
  std::string file;             ///< as given; empty: there is none
  std::vector<Origin> origins;  ///< sorted by key
};

/// A file that the configuration names. Whoever can see files looks whether it is there.
struct NamedFile {
  std::string key;
  std::uint32_t line = 0;
  std::string path;
};

/// The CA of clients, then those of upstreams and sources, in the order of their names. Not the listeners' certificate
/// and key, which are made when they are missing.
[[nodiscard]] std::vector<NamedFile> named_files(const Loaded& loaded);

/// Reads a configuration. `file` is only a name for messages: the caller reads the text.
/// Failure: every problem found, at most kProblemsMax and one that counts the rest; never an empty list.
/// Throws nothing but bad_alloc.
[[nodiscard]] tl::expected<Loaded, std::vector<Problem>> load(std::string_view text, std::string_view file,
                                                              const BoardProfile& board);

/// The configuration of `tocsind --data-dir DIR`: the board's defaults with the store and the control socket in DIR.
/// Failure as load(): a path that no configuration could name.
[[nodiscard]] tl::expected<Loaded, std::vector<Problem>> load_embedded(std::string_view data_dir,
                                                                       const BoardProfile& board);

}  // namespace tocsin::config
