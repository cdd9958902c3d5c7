// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "src/programs/tocsinctl_args.hpp"

/// The commands, one file a resource of the API.
namespace tocsin::ctl {

[[nodiscard]] std::span<const Command> plugin_commands() noexcept;
[[nodiscard]] std::span<const Command> push_commands() noexcept;
[[nodiscard]] std::span<const Command> bench_commands() noexcept;
[[nodiscard]] std::span<const Command> alert_commands() noexcept;
[[nodiscard]] std::span<const Command> event_commands() noexcept;
[[nodiscard]] std::span<const Command> reject_commands() noexcept;
[[nodiscard]] std::span<const Command> account_commands() noexcept;
[[nodiscard]] std::span<const Command> config_commands() noexcept;
[[nodiscard]] std::span<const Command> system_commands() noexcept;  ///< status, audit, clock and what is still to come

int explain_sample(Context& context, const Args& args);

}  // namespace tocsin::ctl
