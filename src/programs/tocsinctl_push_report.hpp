// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/programs/tocsinctl_answer.hpp"
#include "src/programs/tocsinctl_args.hpp"

namespace tocsin::ctl {

/// The flags of bkmonitorbeat's one-shot report mode. With one dash; two are taken as well.
inline constexpr std::array kReportOptions = {
    Option{"-report", Takes::nothing, "", "take the options of bkmonitorbeat's report mode: those that follow"},
    Option{"-report.type", Takes::text, "http|agent",
           "http: to -report.http.server; agent: to the daemon of this machine, there is no GSE agent"},
    Option{"-report.bk_data_id", Takes::integer, "N", "data id"},
    Option{"-report.message.kind", Takes::text, "event|timeseries", "what the body has"},
    Option{"-report.message.body", Takes::text, "JSON", "the whole envelope, as POST /v2/push/ takes it"},
    Option{"-report.http.server", Takes::text, "HOST:PORT", "push listener"},
    Option{"-report.http.token", Takes::text, "TEXT", "token (default: the body's, then $TOCSIN_TOKEN)"},
    Option{"-report.agent.address", Takes::text, "PATH", "passed over"},
    Option{"-report.event.name", Takes::text, "TEXT", "event_name of the first event"},
    Option{"-report.event.content", Takes::text, "TEXT", "content of the first event"},
    Option{"-report.event.target", Takes::text, "TEXT", "target of the first event"},
    Option{"-report.event.timestamp", Takes::integer, "MS", "time of the first event (default: the body's, then now)"},
    Option{"-c", Takes::text, "FILE", "bkmonitorbeat's configuration file; passed over"},
};

/// What the flags come to.
struct Report {
  std::int64_t data_id = 0;
  std::string token;
  std::string url;  ///< empty: the daemon of this machine
  std::vector<std::string> items;
};

/// `environment_token`: what stands in where neither flag nor body has a token. Events without a time get `now_ms`.
/// Error: one line about what is missing or wrong, as bkmonitorbeat would refuse it.
[[nodiscard]] tl::expected<Report, std::string> read_report(json::Parser& parser, const Args& args,
                                                            const std::string& environment_token, std::int64_t now_ms);

}  // namespace tocsin::ctl
