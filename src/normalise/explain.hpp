// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin::normalise {

/// Hears each step of a normalisation as it is made. At most one step for the request and one for each part
/// of a record of GSE that is skipped, and for each event one for each rule, alert name and field of the profile.
class Explain {
 public:
  enum class What : std::uint8_t {
    skipped,       ///< before the events are known: a part of a record of GSE, its value, and why it becomes no event
    events,        ///< value: how many there are; event counts for nothing
    rule,          ///< value: what its key gave, as text
    config,        ///< the configuration whose rules hold; or the default one
    alert_config,  ///< value: the name whose rules hold
    field,         ///< value: what the event gets, as JSON; empty: nothing
  };
  struct Step {
    What what = What::events;
    std::uint32_t event = 0;
    std::string_view place{};  ///< in the profile, as "clean_configs[0].rules[1]"; of a field: its name
    std::string_view value{};  ///< valid during the call
    bool matched = false;      ///< of a rule
    const char* reason = "";   ///< why there is no value, or not the one that the expression gave; static
  };

  virtual ~Explain() = default;
  virtual void step(const Step& step) = 0;
};

[[nodiscard]] constexpr const char* to_text(Explain::What what) noexcept {
  switch (what) {
    case Explain::What::skipped: return "skipped";
    case Explain::What::events: return "events";
    case Explain::What::rule: return "rule";
    case Explain::What::config: return "config";
    case Explain::What::alert_config: return "alert_config";
    case Explain::What::field: return "field";
  }
  return "";
}

}  // namespace tocsin::normalise
