// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "src/core/input.hpp"
#include "src/core/job.hpp"
#include "src/core/status.hpp"

namespace tocsin::api {

/// What the handlers ask of the daemon around them. io thread only, but for now(); none of these blocks.
class Daemon {
 public:
  virtual ~Daemon() = default;
  /// Jobs ask it too, on the reader thread.
  [[nodiscard]] virtual Now now() const noexcept = 0;
  /// Hands an input to the writer. False: the intake is full (answer 503 with Retry-After); `input` is untouched then.
  [[nodiscard]] virtual bool post(core::Input&& input) noexcept = 0;
  /// Hands a job to the reader. False: too many are waiting; the job is dropped.
  [[nodiscard]] virtual bool post(std::unique_ptr<core::Job> job) noexcept = 0;
  [[nodiscard]] virtual const core::View& view() const noexcept = 0;  ///< after the last turn seen by io
  [[nodiscard]] virtual core::Gauges gauges() const noexcept = 0;
  [[nodiscard]] virtual core::ProcessStatus process_status() const = 0;
  /// Local flow works and the store serves: what /readyz says. `why` is a literal.
  [[nodiscard]] virtual bool is_ready(const char*& why) const noexcept = 0;
  /// JSON of `config explain`: [{"key","value","layer"}].
  [[nodiscard]] virtual std::string config_json() const = 0;
};

}  // namespace tocsin::api
