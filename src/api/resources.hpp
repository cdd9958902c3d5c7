// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/api/call.hpp"

/// The handlers of the route table; one file a resource. Preconditions of each: the caller's role suffices and the body
/// is within the route's limit.
namespace tocsin::api {

[[nodiscard]] Reply get_healthz(const Services& services, Call& call);
[[nodiscard]] Reply get_readyz(const Services& services, Call& call);
[[nodiscard]] Reply get_metrics(const Services& services, Call& call);
[[nodiscard]] Reply get_status(const Services& services, Call& call);
[[nodiscard]] Reply get_config(const Services& services, Call& call);
[[nodiscard]] Reply get_clock(const Services& services, Call& call);
[[nodiscard]] Reply post_clock(const Services& services, Call& call);

[[nodiscard]] Reply get_alerts(const Services& services, Call& call);
[[nodiscard]] Reply get_alert(const Services& services, Call& call);
[[nodiscard]] Reply post_alerts_ack(const Services& services, Call& call);
[[nodiscard]] Reply not_in_this_release(const Services& services, Call& call);

[[nodiscard]] Reply get_events(const Services& services, Call& call);

[[nodiscard]] Reply get_audit(const Services& services, Call& call);
[[nodiscard]] Reply get_audit_verify(const Services& services, Call& call);

[[nodiscard]] Reply post_explain(const Services& services, Call& call);
[[nodiscard]] Reply get_plugins(const Services& services, Call& call);
[[nodiscard]] Reply post_plugins(const Services& services, Call& call);
[[nodiscard]] Reply get_plugin(const Services& services, Call& call);
[[nodiscard]] Reply post_plugin(const Services& services, Call& call);
[[nodiscard]] Reply post_plugin_disable(const Services& services, Call& call);
[[nodiscard]] Reply post_plugin_enable(const Services& services, Call& call);
[[nodiscard]] Reply post_plugin_delete(const Services& services, Call& call);
[[nodiscard]] Reply post_plugin_rotate(const Services& services, Call& call);
[[nodiscard]] Reply post_plugin_import(const Services& services, Call& call);
/// Also as BlueKing's validate_custom_event_group_name: `true`, or why the name may not be given.
[[nodiscard]] Reply get_plugin_check(const Services& services, Call& call);
[[nodiscard]] Reply get_plugin_export(const Services& services, Call& call);

[[nodiscard]] Reply get_rejects(const Services& services, Call& call);
[[nodiscard]] Reply get_reject(const Services& services, Call& call);
[[nodiscard]] Reply post_reject_replay(const Services& services, Call& call);

[[nodiscard]] Reply get_users(const Services& services, Call& call);
[[nodiscard]] Reply post_users(const Services& services, Call& call);
[[nodiscard]] Reply post_user_passwd(const Services& services, Call& call);
[[nodiscard]] Reply post_user_delete(const Services& services, Call& call);

[[nodiscard]] Reply get_tokens(const Services& services, Call& call);
[[nodiscard]] Reply post_tokens(const Services& services, Call& call);
[[nodiscard]] Reply post_token_delete(const Services& services, Call& call);

}  // namespace tocsin::api
