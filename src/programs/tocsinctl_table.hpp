// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::ctl {

inline constexpr std::size_t kCellColumnsMax = 72;  ///< a longer cell of a table ends with "…"

/// Columns that a terminal gives to a text in UTF-8: two for East Asian wide characters, none for combining ones.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// The text on one line and harmless to a terminal: control characters and direction marks become spaces or nothing.
[[nodiscard]] std::string plain_line(std::string_view text);

/// Aligned columns, two spaces between them, none at the end of a line. Every row has as many cells as there are
/// titles.
[[nodiscard]] std::string table_of(const std::vector<std::string>& titles,
                                   const std::vector<std::vector<std::string>>& rows);

/// "name  value" lines; nothing is cut.
[[nodiscard]] std::string list_of(const std::vector<std::pair<std::string, std::string>>& entries);

}  // namespace tocsin::ctl
