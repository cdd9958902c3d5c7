// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::linux {

/// The whole file. Errors: not_found, out_of_budget (longer than `bytes_max`), io_failed.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// After success the name means the new content, also after a power cut; before, the old one. Never a mixture.
/// Permissions are exactly `mode`. Errors: storage_full, io_failed; nothing changed.
[[nodiscard]] Status write_file(const std::string& path, Bytes content, mode_t mode);

/// Makes the folder and its missing parents with `mode`. A folder that exists is left as it is.
[[nodiscard]] Status make_folders(const std::string& path, mode_t mode);

/// A file that is not there is success.
[[nodiscard]] Status remove_file(const std::string& path);

}  // namespace tocsin::linux
