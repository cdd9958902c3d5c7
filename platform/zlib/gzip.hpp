// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tocsin::zlib {

/// `plain` as one gzip member, for a body with "Content-Encoding: gzip". For programs that are no daemon: its memory
/// (about 270 KiB while it runs, and the result) is in no budget. Throws std::bad_alloc.
[[nodiscard]] std::string gzip(std::string_view plain);

}  // namespace tocsin::zlib
