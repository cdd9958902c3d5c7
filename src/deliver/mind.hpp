// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/base/time.hpp"

namespace tocsin::deliver {

/// What every input brings along.
struct Moment {
  Monotonic now;
  std::uint32_t random = 0;
};

/// The way to the core.
class FrameOut {
 public:
  virtual ~FrameOut() = default;
  /// False: no room now; the frame is dropped and the caller asks again later.
  [[nodiscard]] virtual bool send(std::string frame) = 0;
};

/// The same for a worker that brings records in.
class RecordOut : public FrameOut {
 public:
  /// False: an earlier record is still on its way; `frame` is untouched. Other frames may overtake a record.
  [[nodiscard]] virtual bool send_record(std::string&& frame) = 0;
};

}  // namespace tocsin::deliver
