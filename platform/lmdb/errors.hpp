// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/base/result.hpp"

namespace tocsin::lmdb {

/// A return code of the library (or an errno, which it passes through) as ours. Precondition: code != 0.
[[nodiscard]] Error from_lmdb(int code, Where where) noexcept;

/// An errno as ours: no room on the medium is storage_full, no memory is out_of_budget, the rest io_failed.
[[nodiscard]] Error from_errno(int os_errno, Where where) noexcept;

}  // namespace tocsin::lmdb
