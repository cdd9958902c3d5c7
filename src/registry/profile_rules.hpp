// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "src/json/document.hpp"
#include "src/model/instance.hpp"
#include "src/model/profile.hpp"

namespace tocsin::registry {

inline constexpr std::size_t kProfileListMax = 256;       ///< entries of any list in a profile
inline constexpr std::size_t kExpressionBytesMax = 1024;  ///< of a JMESPath expression or a pattern

/// Whether `value` is what that part of a profile may be: names, kinds and words as BlueKing's serializers have them,
/// nothing else. The members with which a source is polled are known for pull types only. nullopt: it is; else what is
/// wrong, as "clean_configs[0].rules[1].method: must be …". Expressions are not compiled here.
[[nodiscard]] std::optional<std::string> check_profile_part(model::ProfilePart part, json::Node value,
                                                            model::PluginType plugin_type);

}  // namespace tocsin::registry
