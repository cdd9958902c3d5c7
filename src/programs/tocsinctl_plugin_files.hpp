// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/programs/tocsinctl_context.hpp"

/// Sources from files and into files.
namespace tocsin::ctl {

/// The instances of a file, each as JSON that an import takes: one object or a list of our own form, bkmonitorproxy's
/// `report` (its rate is a minute, as ours) or bk-collector's `report_v2` (its qps is a second). nullopt: `problem`.
[[nodiscard]] std::optional<std::vector<std::string>> instances_of_file(const Value& root, std::string& problem);

/// Requests a minute of a bk-collector's qps: below 0 it refuses all, 0 is unlimited. nullopt: too many.
[[nodiscard]] std::optional<std::int64_t> rate_of_qps(std::int64_t qps) noexcept;

int import_plugins(Context& context, const Args& args);
int export_plugins(Context& context, const Args& args);

}  // namespace tocsin::ctl
