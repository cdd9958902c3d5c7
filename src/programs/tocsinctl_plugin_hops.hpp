// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/programs/tocsinctl_answer.hpp"
#include "src/programs/tocsinctl_args.hpp"
#include "src/programs/tocsinctl_push_url.hpp"

/// plugin test: one marked event, followed on its way.
namespace tocsin::ctl {

inline constexpr std::string_view kTestEventName = "tocsin_plugin_test";
inline constexpr std::string_view kTestTarget = "tocsinctl";

inline constexpr std::array kPluginTestOptions = {
    Option{"--token", Takes::text, "TEXT", "token of the source: the box has only its hash (default: $TOCSIN_TOKEN)"},
    Option{"--timeout-s", Takes::integer, "S", "wait so long for all hops, 1 to 600 (default: 10)"},
    kUrlOption,
};

int test_plugin(Context& context, const Args& args);

/// The body that makes the box store one item with `mark` in it, for an instance of this type.
[[nodiscard]] std::string test_body(std::string_view type, std::int64_t data_id, std::string_view token,
                                    std::string_view mark);

/// An alert into which test events fold.
struct TestAlert {
  std::string id;
  std::int64_t events = 0;
  std::string severity;
};
/// The open one of this instance among `alerts`. nullopt: none.
[[nodiscard]] std::optional<TestAlert> open_test_alert(const std::vector<Value>& alerts, std::int64_t data_id);

/// Whether an upstream of /api/v1/status has confirmed the event `seq` of `lane`.
[[nodiscard]] bool has_confirmed(const Value& upstream, std::string_view lane, std::int64_t seq);

}  // namespace tocsin::ctl
