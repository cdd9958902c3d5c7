// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "src/programs/tocsinctl_args.hpp"
#include "src/programs/tocsinctl_context.hpp"

namespace tocsin::ctl {

inline constexpr Option kUrlOption{
    "--url", Takes::text, "URL",
    "push listener (default: the daemon's own, asked for on its control socket; without a daemon on the default "
    "socket http://127.0.0.1:10205)"};

/// "http://host:10205/v2/push/" for "http://host:10205", with or without the path.
[[nodiscard]] std::string push_url(std::string listener);

/// --url, or where the daemon behind the control socket listens. nullopt: not known, and said so on err.
[[nodiscard]] std::optional<std::string> find_push_url(Context& context, const Args& args);

}  // namespace tocsin::ctl
