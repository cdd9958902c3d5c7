// SPDX-License-Identifier: Apache-2.0
#include "src/api/routes.hpp"

#include <algorithm>
#include <array>

#include "src/api/resources.hpp"

namespace tocsin::api {
namespace {

using port::Listener;
using port::Method;

constexpr auto get = Method::get;
constexpr auto post = Method::post;
constexpr auto kOps = On::operators;
constexpr auto kAdmin = Shape::admin;
constexpr std::size_t kSmall = kAdminBodyBytesMax;
constexpr std::size_t kPlugin = kPluginBodyBytesMax;

/// The page comes from FindAsset; Api answers these rows itself.
constexpr Handle kAsset = nullptr;

// One row is one line: the table is read down its columns.
// clang-format off
constexpr std::array kRoutes{
  Route{"/",                                get,  kOps,           Need::viewer,             0,         Shape::admin, kAsset},
  Route{"/ack_alert",                       post, kOps,           Need::operator_,          kSmall,    kAdmin, post_alerts_ack},
  Route{"/api/v1/alerts",                   get,  kOps,           Need::viewer,             0,         kAdmin, get_alerts},
  Route{"/api/v1/alerts/ack",               post, kOps,           Need::operator_,          kSmall,    kAdmin, post_alerts_ack},
  Route{"/api/v1/alerts/{id}",              get,  kOps,           Need::viewer,             0,         kAdmin, get_alert},
  Route{"/api/v1/audit",                    get,  kOps,           Need::viewer,             0,         kAdmin, get_audit},
  Route{"/api/v1/audit/verify",             get,  kOps,           Need::viewer,             0,         kAdmin, get_audit_verify},
  Route{"/api/v1/clock",                    get,  kOps,           Need::viewer,             0,         kAdmin, get_clock},
  Route{"/api/v1/clock",                    post, kOps,           Need::admin,              kSmall,    kAdmin, post_clock},
  Route{"/api/v1/config",                   get,  kOps,           Need::viewer,             0,         kAdmin, get_config},
  Route{"/api/v1/events",                   get,  kOps,           Need::viewer,             0,         kAdmin, get_events},
  Route{"/api/v1/events",                   post, On::push,       Need::sender_token,       kPushBody, Shape::items, nullptr, Intake::items},
  Route{"/api/v1/explain/{instance}",       post, kOps,           Need::operator_,          kImportBodyBytesMax, kAdmin, post_explain},
  Route{"/api/v1/plugin_check",             get,  kOps,           Need::viewer,             0,         kAdmin, get_plugin_check},
  Route{"/api/v1/plugin_export",            get,  kOps,           Need::admin,              0,         kAdmin, get_plugin_export},
  Route{"/api/v1/plugin_import",            post, kOps,           Need::admin,              kImportBodyBytesMax, kAdmin, post_plugin_import},
  Route{"/api/v1/plugins",                  get,  kOps,           Need::viewer,             0,         kAdmin, get_plugins},
  Route{"/api/v1/plugins",                  post, kOps,           Need::admin,              kPlugin,   kAdmin, post_plugins},
  Route{"/api/v1/plugins/{instance}",       get,  kOps,           Need::viewer,             0,         kAdmin, get_plugin},
  Route{"/api/v1/plugins/{instance}",       post, kOps,           Need::admin,              kPlugin,   kAdmin, post_plugin},
  Route{"/api/v1/plugins/{instance}/delete",  post, kOps,         Need::admin,              kSmall,    kAdmin, post_plugin_delete},
  Route{"/api/v1/plugins/{instance}/disable", post, kOps,         Need::admin,              kSmall,    kAdmin, post_plugin_disable},
  Route{"/api/v1/plugins/{instance}/enable",  post, kOps,         Need::admin,              kSmall,    kAdmin, post_plugin_enable},
  Route{"/api/v1/plugins/{instance}/rotate",  post, kOps,         Need::admin,              kSmall,    kAdmin, post_plugin_rotate},
  Route{"/api/v1/rejects",                  get,  kOps,           Need::viewer,             0,         kAdmin, get_rejects},
  Route{"/api/v1/rejects/{id}",             get,  kOps,           Need::viewer,             0,         kAdmin, get_reject},
  Route{"/api/v1/rejects/{id}/replay",      post, kOps,           Need::operator_,          kSmall,    kAdmin, post_reject_replay},
  Route{"/api/v1/status",                   get,  kOps,           Need::viewer,             0,         kAdmin, get_status},
  Route{"/api/v1/tokens",                   get,  kOps,           Need::admin,              0,         kAdmin, get_tokens},
  Route{"/api/v1/tokens",                   post, kOps,           Need::admin,              kSmall,    kAdmin, post_tokens},
  Route{"/api/v1/tokens/{name}/delete",     post, kOps,           Need::admin,              kSmall,    kAdmin, post_token_delete},
  Route{"/api/v1/users",                    get,  kOps,           Need::admin,              0,         kAdmin, get_users},
  Route{"/api/v1/users",                    post, kOps,           Need::admin,              kSmall,    kAdmin, post_users},
  Route{"/api/v1/users/{name}/delete",      post, kOps,           Need::admin,              kSmall,    kAdmin, post_user_delete},
  Route{"/api/v1/users/{name}/passwd",      post, kOps,           Need::admin,              kSmall,    kAdmin, post_user_passwd},
  Route{"/assign_alert",                    post, kOps,           Need::operator_,          kSmall,    kAdmin, not_in_this_release},
  Route{"/close_alert",                     post, kOps,           Need::operator_,          kSmall,    kAdmin, not_in_this_release},
  Route{"/event/{receiver}",                post, On::push,       Need::sender_token,       kPushBody, Shape::event, nullptr, Intake::source},
  Route{"/event/{receiver}/",               post, On::push,       Need::sender_token,       kPushBody, Shape::event, nullptr, Intake::source},
  Route{"/fta/v1/event",                    post, On::push,       Need::sender_token,       kPushBody, Shape::fta, nullptr, Intake::source},
  Route{"/fta/v1/event/",                   post, On::push,       Need::sender_token,       kPushBody, Shape::fta, nullptr, Intake::source},
  Route{"/healthz",                         get,  On::everywhere, Need::nothing,            0,         Shape::text, get_healthz},
  Route{"/metrics",                         get,  kOps,           Need::loopback_or_viewer, 0,         kAdmin, get_metrics},
  Route{"/page.css",                        get,  kOps,           Need::viewer,             0,         Shape::admin, kAsset},
  Route{"/page.js",                         get,  kOps,           Need::viewer,             0,         Shape::admin, kAsset},
  Route{"/readyz",                          get,  kOps,           Need::loopback_or_viewer, 0,         Shape::text, get_readyz},
  Route{"/upgrade_alert",                   post, kOps,           Need::operator_,          kSmall,    kAdmin, not_in_this_release},
  Route{"/v2/push/",                        post, On::push,       Need::sender_token,       kPushBody, Shape::push, nullptr, Intake::push},
  Route{"/validate_custom_event_group_name", get, kOps,           Need::viewer,             0,         kAdmin, get_plugin_check},
};
// clang-format on

constexpr bool is_before(const Route& a, const Route& b) {
  return a.path != b.path ? a.path < b.path : a.method < b.method;
}
consteval bool is_sorted_and_unique() {
  for (std::size_t i = 1; i < kRoutes.size(); ++i) {
    if (!is_before(kRoutes[i - 1], kRoutes[i])) return false;
  }
  return true;
}
static_assert(is_sorted_and_unique(), "keep the table sorted by path, then method; no duplicates");
static_assert(std::ranges::none_of(kRoutes, [](const Route& r) { return r.method == get && r.body_bytes_max != 0; }));
static_assert(std::ranges::none_of(kRoutes,
                                   [](const Route& r) { return r.method == post && r.need < Need::sender_token; }),
              "whatever changes something needs credentials");

/// Whether `path` is of that pattern; what "{…}" stood for goes to `parameter`.
bool fits(std::string_view pattern, std::string_view path, std::string_view& parameter) noexcept {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == path;
  const std::string_view head = pattern.substr(0, open);
  const std::string_view tail = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= head.size() + tail.size() || !path.starts_with(head) || !path.ends_with(tail)) return false;
  const std::string_view middle = path.substr(head.size(), path.size() - head.size() - tail.size());
  if (middle.find('/') != std::string_view::npos) return false;
  parameter = middle;
  return true;
}

Shape shape_for(Listener listener, std::string_view path) noexcept {
  if (listener != Listener::push) return Shape::admin;
  if (path == "/api/v1/events") return Shape::items;
  if (path.starts_with("/fta/")) return Shape::fta;
  return path.starts_with("/event/") ? Shape::event : Shape::push;
}

}  // namespace

bool serves(On on, Listener listener) noexcept {
  const On asked = listener == Listener::push ? On::push : On::operators;
  return (static_cast<unsigned>(on) & static_cast<unsigned>(asked)) != 0;
}

model::Role role_of(Need need) noexcept {
  switch (need) {
    case Need::nothing:
    case Need::sender_token: return model::Role::anyone;
    case Need::loopback_or_viewer:
    case Need::viewer: return model::Role::viewer;
    case Need::operator_: return model::Role::operator_;
    case Need::admin: return model::Role::admin;
  }
  return model::Role::admin;
}

std::span<const Route> routes() noexcept { return kRoutes; }

Match match(Listener listener, Method method, std::string_view path) noexcept {
  if (method == Method::head) method = Method::get;
  Match out;
  out.shape = shape_for(listener, path);
  bool has_get = false;
  bool has_post = false;
  const auto look_at = [&](const Route& route) {
    std::string_view parameter;
    if (!serves(route.on, listener) || !fits(route.path, path, parameter)) return;
    has_get = has_get || route.method == get;
    has_post = has_post || route.method == post;
    if (route.method != method) return;
    out.route = &route;
    out.parameter = parameter;
    out.shape = route.shape;
  };
  // A literal path wins over a pattern that would fit too.
  const auto first = std::ranges::lower_bound(kRoutes, path, {}, &Route::path);
  const auto last = std::ranges::upper_bound(first, kRoutes.end(), path, {}, &Route::path);
  std::for_each(first, last, look_at);
  if (first == last) std::ranges::for_each(kRoutes, look_at);
  if (has_get) out.allow = has_post ? std::string_view("GET, HEAD, POST") : std::string_view("GET, HEAD");
  if (!has_get && has_post) out.allow = "POST";
  return out;
}

}  // namespace tocsin::api
