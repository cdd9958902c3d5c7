// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "src/port/http.hpp"

namespace tocsin::page {

inline constexpr std::size_t kBytesMax = 24 * 1024;  ///< of all assets together

/// The status page: "/", "/page.js" and "/page.css", static and complete in themselves: no script or style inside the
/// HTML, nothing from elsewhere. What it shows it asks of the operator API. nullopt: not one of them.
[[nodiscard]] std::optional<port::HttpResponse> find_asset(std::string_view path) noexcept;

}  // namespace tocsin::page
