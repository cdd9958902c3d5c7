// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/programs/tocsinctl_answer.hpp"

namespace tocsin::ctl {

/// What a person asks of a box first, from the answer of /api/v1/status: about 15 lines and one or two an upstream.
/// What the answer does not have is left out or shown as "-".
[[nodiscard]] std::vector<std::pair<std::string, std::string>> status_lines(const Value& status);

/// "512 B", "1.5 MiB", "2.0 GiB".
[[nodiscard]] std::string bytes_text(std::int64_t bytes);
/// "45 s", "3 min", "5 h 20 min", "12 d 4 h".
[[nodiscard]] std::string duration_text(std::int64_t ms);

}  // namespace tocsin::ctl
