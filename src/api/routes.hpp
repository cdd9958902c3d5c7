// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "src/api/call.hpp"

namespace tocsin::api {

/// The listeners that serve a route, as bits.
enum class On : std::uint8_t { push = 1, operators = 2, everywhere = 3 };  ///< operators: admin and the control socket
[[nodiscard]] bool serves(On on, port::Listener listener) noexcept;

/// Who may call it. `loopback_or_viewer` is open to the box itself and needs a viewer from anywhere else.
enum class Need : std::uint8_t { nothing, sender_token, loopback_or_viewer, viewer, operator_, admin };
[[nodiscard]] model::Role role_of(Need need) noexcept;

inline constexpr std::size_t kPushBody = static_cast<std::size_t>(-1);  ///< the limit of the configuration
inline constexpr std::size_t kAdminBodyBytesMax = 16 * 1024;
inline constexpr std::size_t kPluginBodyBytesMax = 32 * 1024;  ///< one instance with its profile
inline constexpr std::size_t kImportBodyBytesMax = 128 * 1024;

/// Routes that senders use are carried out by Api itself; the others have a handler.
enum class Intake : std::uint8_t { none, push, items, source };
using Handle = Reply (*)(const Services& services, Call& call);

struct Route {
  std::string_view path;  ///< "{…}" stands for one segment, not empty
  port::Method method;    ///< get stands for HEAD too
  On on;
  Need need;
  std::size_t body_bytes_max;
  Shape shape;
  Handle handle;
  Intake intake = Intake::none;
};

/// Sorted by path, then method.
[[nodiscard]] std::span<const Route> routes() noexcept;

struct Match {
  const Route* route = nullptr;  ///< null: 405 when `allow` is not empty, else 404
  std::string_view parameter;
  std::string_view allow;      ///< literal for the Allow header
  Shape shape = Shape::admin;  ///< how that path's callers expect a refusal
};
[[nodiscard]] Match match(port::Listener listener, port::Method method, std::string_view path) noexcept;

}  // namespace tocsin::api
