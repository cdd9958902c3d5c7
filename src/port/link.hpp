// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/base/bytes.hpp"

namespace tocsin::port {

/// Takes what arrives on a stream between two of our programs.
class LinkSink {
 public:
  virtual ~LinkSink() = default;
  /// Any split of the stream. False: the peer broke the protocol, or memory is out; the link closes.
  [[nodiscard]] virtual bool on_bytes(Bytes in) noexcept = 0;
};

}  // namespace tocsin::port
