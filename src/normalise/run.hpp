// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "src/jmespath/search.hpp"
#include "src/normalise/normalise.hpp"

namespace tocsin::normalise {

/// One request on its way: what it has used of its limits, and why it stopped. Whatever answers false or `stop` has
/// noted the refusal.
class Run final : public jmespath::Regexes {
 public:
  /// `output_from`: what `out` holds before the request.
  Run(const Means& means, std::size_t output_from)
      : means_(means),
        output_from_(output_from),
        request_arena_(&means.memory),
        event_arena_(first_.data(), first_.size(), &means.memory) {}

  enum class Found : std::uint8_t { value, nothing, stop };

  /// Of `nothing` reason() says why.
  [[nodiscard]] Found search(const jmespath::Expression& expression, const json::Value& in, json::Value& out);
  /// As search(), with all steps that are left; its result lives as long as the request.
  [[nodiscard]] Found search_document(const jmespath::Expression& expression, const json::Value& in, json::Value& out);
  /// False: stop.
  [[nodiscard]] bool matches(const regex::Pattern& pattern, std::string_view subject, bool& out);
  [[nodiscard]] Result<bool> find(std::string_view pattern, std::string_view subject,
                                  std::pmr::vector<std::string_view>& parts) override;

  /// Forgets what the event before has left.
  void begin_event(std::uint32_t event) {
    event_ = event;
    event_arena_.release();
  }
  [[nodiscard]] std::uint32_t event() const noexcept { return event_; }
  [[nodiscard]] std::pmr::memory_resource& arena() noexcept { return event_arena_; }
  [[nodiscard]] const Limits& limits() const noexcept { return means_.limits; }
  [[nodiscard]] bool fits(const std::string& out) const noexcept {
    return out.size() - output_from_ < means_.limits.output_bytes_max;  // the list is closed by one more
  }
  [[nodiscard]] const char* reason() const noexcept { return reason_; }

  /// Whether a value may stand at that level of an event; else refused. False: stop.
  [[nodiscard]] bool is_shallow(std::string_view name, const json::Value& value, std::uint32_t level);

  /// Answers false, for `return refuse(...)`. The event is named when `of_event`.
  bool refuse(Refusal::What what, RefusalCode code, std::string message, bool of_event = true);
  [[nodiscard]] std::optional<Refusal>& refusal() noexcept { return refusal_; }

  /// Whether somebody wants to hear tell(); what it costs to say a step is spent only then.
  [[nodiscard]] bool explains() const noexcept { return means_.explain != nullptr; }
  void tell(Explain::Step step) {
    step.event = event_;
    if (means_.explain != nullptr) means_.explain->step(step);
  }

 private:
  Found search_in(const jmespath::Expression& expression, const json::Value& in, std::pmr::memory_resource& arena,
                  std::uint32_t steps_max, json::Value& out);
  [[nodiscard]] Found note(const jmespath::Expression& expression, const jmespath::SearchError& error);
  [[nodiscard]] bool take_search() noexcept;

  const Means& means_;
  std::size_t output_from_;
  std::array<std::byte, 4096> first_;
  std::pmr::monotonic_buffer_resource request_arena_;
  std::pmr::monotonic_buffer_resource event_arena_;
  std::vector<regex::Pattern> patterns_;  ///< of regex_extract(); held, so that the library keeps them
  std::uint32_t steps_used_ = 0;
  std::uint32_t regex_searches_ = 0;
  bool regex_exhausted_ = false;
  std::uint32_t event_ = 0;
  const char* reason_ = "";
  std::optional<Refusal> refusal_;
};

/// The text that rules compare and that fields of type text get: strings as they are, numbers as written, true and
/// false, JSON for lists and objects, and for null what upstream compares with, "<nil>".
/// A view of the value or of `scratch`. Throws std::bad_alloc.
[[nodiscard]] std::string_view text_of(const json::Value& value, std::string& scratch);

/// Whether `rules` hold for an event: from left to right, the first sets the state; one with and counts while the state
/// is true; one with or ends with true while it is, else sets it anew. No rules hold. False: stop.
/// `place`: of the list in the profile; used only when somebody listens.
[[nodiscard]] bool rules_hold(Run& run, const Rules& rules, const json::Value& event, std::string_view place,
                              bool& out);

}  // namespace tocsin::normalise
