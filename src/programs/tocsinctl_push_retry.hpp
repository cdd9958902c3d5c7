// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "platform/curl/client.hpp"

namespace tocsin::ctl {

/// Whether the same request may be taken later: too many requests, or the server is at fault.
[[nodiscard]] bool may_be_taken_later(int status) noexcept;

/// Whether a request without an answer may reach the server later. Not when its words are wrong.
[[nodiscard]] bool may_be_taken_later(const Error& failure) noexcept;

/// Milliseconds before the next try: never less than `retry_after_s` when the server gave one (0: none); else from
/// 250 ms doubling to 30 s. `dice`, from 0 to 1, spreads clients that failed together. `tries_done` is at least 1.
[[nodiscard]] std::int64_t wait_ms(std::int64_t retry_after_s, int tries_done, double dice) noexcept;

}  // namespace tocsin::ctl
