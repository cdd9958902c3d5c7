// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::normalise {

/// Gives a host target that names the default cloud the box's own one: "0:192.168.0.1" (as custom events write it)
/// and "192.168.0.1|0" (as alert sources do; IPv6 too). True: it was one, and `out` is the target with `cloud_id`.
/// An IPv6 address is never taken for the first spelling. Throws std::bad_alloc.
[[nodiscard]] bool rewrite_cloud(std::string_view target, std::int32_t cloud_id, std::string& out);

}  // namespace tocsin::normalise
