// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin {

/// One row of "Error codes" in conf/REFERENCE.md.
struct RefusalRow {
  const char* name;
  std::array<std::uint16_t, 2> statuses;  ///< of HTTP that it comes with; 0: no second one
  const char* when;
  const char* remedy;
};

inline constexpr const char* kFixItem = "Correct the item that the message names and send the batch again.";
inline constexpr const char* kFixBody = "Correct the body; sending it again as it is will not help.";
inline constexpr const char* kAgain = "Send it again after `Retry-After`.";

// clang-format off
/// Every code that a refusal can bear. Programs rely on them: a name stays, and is never given another meaning.
/// Sorted by name; the answers can only use what stands here, see RefusalCode.
inline constexpr std::array kRefusals{
  RefusalRow{"access_token_too_long", {400}, "`access_token` is longer than 512 bytes.", kFixBody},
  RefusalRow{"access_token_type", {400}, "`access_token` is not a string.", kFixBody},
  RefusalRow{"alert_name_empty", {400}, "A standard event's `alert_name` is the empty string.", kFixItem},
  RefusalRow{"alert_name_missing", {400}, "A standard event has no `alert_name`.", kFixItem},
  RefusalRow{"alert_source", {400}, "An instance of type alert_source was addressed at `/v2/push/`.", "Send to `/api/v1/events`, or use an instance of another type."},
  RefusalRow{"body_empty", {400}, "The request has no body.", kFixBody},
  RefusalRow{"body_format", {400}, "The body of an alert source is not YAML, XML, text or a record of GSE, as its `source_format` says.", kFixBody},
  RefusalRow{"body_takes_too_much", {413}, "The events of an alert source take more memory than the box has for one request.", "Send fewer events at once."},
  RefusalRow{"body_too_long", {413}, "The body is longer than its path takes, as sent or as inflated.", "Send fewer items at once; `[http.push] body_bytes_max` is the limit of senders."},
  RefusalRow{"body_too_many_elements", {413}, "The body has more JSON values than fit the parser.", "Send fewer items at once."},
  RefusalRow{"body_type", {400}, "The body is JSON of the wrong kind, such as a number.", kFixBody},
  RefusalRow{"client_certificate", {401}, "The token is right, but the instance is bound to a client certificate that the connection did not show.", "Send over TLS with that certificate; `tocsinctl plugin show` has its fingerprint, `plugin update --client-cert` changes it."},
  RefusalRow{"compressed_broken", {400}, "A gzip or deflate body is corrupt or ends too early.", "Compress it anew, and look for a proxy that changes bodies."},
  RefusalRow{"conflict", {409}, "The thing exists already, or an `Idempotency-Key` came before with another body.", "Choose another name, or a fresh key for another body."},
  RefusalRow{"content_type", {415}, "A browser sent a change as something else than JSON.", "Send `Content-Type: application/json`."},
  RefusalRow{"control_socket_denied", {403}, "The control socket was used by somebody who is no admin of it.", "Use root or the daemon's user, or join the group `tocsin-admin`."},
  RefusalRow{"credentials_form", {401}, "`Authorization` is neither Basic nor Bearer.", "Send one of the two."},
  RefusalRow{"credentials_missing", {401}, "The operator API was asked without `Authorization`.", "Log in as a user, or send an API token as Bearer."},
  RefusalRow{"credentials_unknown", {401}, "The API token is not known or has expired.", "`tocsinctl token list` shows them; make a new one with `tocsinctl token create`."},
  RefusalRow{"data_empty", {400}, "The list of items is empty.", kFixBody},
  RefusalRow{"data_id_type", {400}, "`data_id` is not an integer.", kFixBody},
  RefusalRow{"data_type", {400}, "`data` is not a list.", kFixBody},
  RefusalRow{"debug_too_large", {413}, "The events that `debug` would show are larger than 8 KiB.", "Send fewer, or use `tocsinctl explain`."},
  RefusalRow{"dimension_repeated", {400}, "A dimension stands twice in one item.", kFixItem},
  RefusalRow{"dimension_too_many", {400}, "An item has more than 256 dimensions.", kFixItem},
  RefusalRow{"dimension_type", {400}, "`dimension` is not an object.", kFixItem},
  RefusalRow{"dimension_value_type", {400}, "The value of a dimension is an object or a list.", kFixItem},
  RefusalRow{"encoding_unknown", {415}, "`Content-Encoding` is neither gzip nor deflate.", "Send one of these, or the body as it is."},
  RefusalRow{"event_content_missing", {400}, "`event` has no `content`.", kFixItem},
  RefusalRow{"event_missing", {400}, "A custom event has no `event`.", kFixItem},
  RefusalRow{"event_name_empty", {400}, "`event_name` is the empty string.", kFixItem},
  RefusalRow{"event_name_missing", {400}, "A custom event has no `event_name`.", kFixItem},
  RefusalRow{"event_name_too_long", {400}, "`event_name` is longer than 128 characters.", kFixItem},
  RefusalRow{"event_name_type", {400}, "`event_name` is not a string.", kFixItem},
  RefusalRow{"event_target_empty", {400}, "A custom event's `target` is the empty string.", kFixItem},
  RefusalRow{"event_target_missing", {400}, "A custom event has no `target`.", kFixItem},
  RefusalRow{"event_target_type", {400}, "A custom event's `target` is not a string.", kFixItem},
  RefusalRow{"event_type", {400}, "`event`, or a standard event as a whole, is not an object.", kFixItem},
  RefusalRow{"events_path", {400}, "`events_path` of the profile cannot be evaluated on this body.", "Compare the body with the profile: `tocsinctl plugin show`."},
  RefusalRow{"events_too_many", {413}, "An alert source sent more than 1,000 events in one request, or 512 in a record of GSE.", "Send fewer events at once."},
  RefusalRow{"events_type", {400}, "Where the events of an alert source should be is no object, or no list of objects.", "Correct the body, or `events_path` and `multiple_events` of the profile."},
  RefusalRow{"facts", {500}, "An event that was checked could not be read back: a bug.", "Report it with the item."},
  RefusalRow{"field_list", {400}, "A list of a standard event holds something else than strings, or too many.", kFixItem},
  RefusalRow{"field_required", {400}, "An event lacks a field that a strict instance demands.", "Correct the event, or `tocsinctl plugin update --strict off`."},
  RefusalRow{"field_type", {400}, "A member of a standard event has the wrong type.", kFixItem},
  RefusalRow{"framing_invalid", {400}, "The request line, a header or the framing breaks the rule of HTTP that the message names. The connection is closed.", "Correct the client, or the proxy before it."},
  RefusalRow{"idempotency_key_characters", {400}, "`Idempotency-Key` holds something else than visible ASCII.", "Send 1 to 255 visible ASCII characters."},
  RefusalRow{"idempotency_key_empty", {400}, "`Idempotency-Key` has no value.", "Send 1 to 255 visible ASCII characters, or no such header."},
  RefusalRow{"idempotency_key_too_long", {400}, "`Idempotency-Key` is longer than 255 bytes.", "Send 1 to 255 visible ASCII characters."},
  RefusalRow{"internal_error", {500}, "A bug.", "Report it with the request; the daemon serves on."},
  RefusalRow{"invalid_input", {400}, "A member of the body, or of the query, of the operator API breaks the rule that the message names.", "Correct what the message names."},
  RefusalRow{"io_failed", {500, 503}, "The disk refused; what became of the change is not known. Senders get 503.", "Look at the log and `tocsinctl status`; a sender sends again."},
  RefusalRow{"item_type", {400}, "An item of `data` is not an object.", kFixItem},
  RefusalRow{"items_too_large", {413}, "The items are too large in the form in which they are stored.", "Send fewer items at once."},
  RefusalRow{"json_invalid", {400}, "A sender's body is not JSON; the message names the byte.", kFixBody},
  RefusalRow{"login_busy", {503}, "Other logins, or others that wait for this one, are being checked.", kAgain},
  RefusalRow{"login_failed", {401}, "The user name or the password is wrong.", "An admin sets a new one: `tocsinctl user passwd`."},
  RefusalRow{"login_too_often", {429}, "Too many logins of this account failed.", "Wait as long as `Retry-After` says."},
  RefusalRow{"member_repeated", {400}, "A member that means something stands twice in one item.", kFixItem},
  RefusalRow{"method_not_allowed", {405}, "The path does not take this method; `Allow` names those that it takes.", "Use one of them."},
  RefusalRow{"metric_target_type", {400}, "A metric's `target` is neither a string nor null.", kFixItem},
  RefusalRow{"metric_value_type", {400}, "The value of a metric is not a number.", kFixItem},
  RefusalRow{"metrics_empty", {400}, "`metrics` has no member.", kFixItem},
  RefusalRow{"metrics_missing", {400}, "An item of a time_series instance has no `metrics`.", kFixItem},
  RefusalRow{"metrics_repeated", {400}, "A metric stands twice in one item.", kFixItem},
  RefusalRow{"metrics_too_many", {400}, "An item has more than 1,024 metrics.", kFixItem},
  RefusalRow{"metrics_type", {400}, "`metrics` is not an object.", kFixItem},
  RefusalRow{"name_regex", {400}, "The name of a metric, or of a metric's dimension, does not match `^[a-zA-Z_][a-zA-Z0-9_]*$`.", kFixItem},
  RefusalRow{"name_taken", {409}, "The name that was asked about is that of another source.", "Choose another; several instances may share a plugin id."},
  RefusalRow{"normalisation_output", {413}, "The events are larger than 256 KiB as standard events.", "Send fewer events at once."},
  RefusalRow{"normalisation_regex", {413}, "The profile needs too many regular expressions for this body.", "Send fewer events at once, or use fewer patterns."},
  RefusalRow{"normalisation_steps", {413}, "The profile's expressions take too many steps for this body.", "Send fewer events at once, or use simpler expressions."},
  RefusalRow{"normalisation_tags", {413}, "An event has more than 256 tags or 32 dimensions.", "Choose fewer in the profile."},
  RefusalRow{"not_found", {404}, "There is nothing of this name or id.", "List what there is."},
  RefusalRow{"not_ready", {503}, "`/readyz`: the daemon does not take or keep events now; the text says why.", "Wait; `tocsinctl status` tells more."},
  RefusalRow{"origin_foreign", {403}, "A page of another site tried to change something with a remembered login.", "Use the page of the box itself."},
  RefusalRow{"out_of_budget", {503}, "No more fit the limit that the message names, or the memory for it.", "Delete one of them; a sender sends again after `Retry-After`."},
  RefusalRow{"out_of_memory", {503}, "No memory for this request now.", kAgain},
  RefusalRow{"path_unknown", {404}, "This listener has no such path.", "Compare path and port with the README: senders use 10205, operators 10206."},
  RefusalRow{"plugin_unknown", {404}, "No instance is meant by that `/event/<plugin_id>` path.", "`tocsinctl plugin list` shows the plugin ids."},
  RefusalRow{"profile_unusable", {409, 503}, "The profile of the instance is damaged, or its parts are too much together.", "An operator mends it: `tocsinctl plugin show`, `plugin import`."},
  RefusalRow{"queue_full", {503}, "Too many requests wait for the writer or the reader.", kAgain},
  RefusalRow{"rate_limited", {429}, "The instance sent more requests in a minute than it may, or may send none.", "Put more items into one request, or raise it: `tocsinctl plugin update --max-rate`."},
  RefusalRow{"rate_limited_total", {429}, "All instances together sent more requests in a second than `[http.push] requests_per_second_max`.", kAgain},
  RefusalRow{"replay_impossible", {409}, "That entry of the reject box cannot be sent again; the message says why.", "Ask the sender to send it again."},
  RefusalRow{"role_too_low", {403}, "The user or API token has a lower role than this needs.", "Use one with the role."},
  RefusalRow{"storage_corrupt", {500, 503}, "A checksum of the store failed. Senders get 503.", "Look at `tocsinctl status`; a restart salvages the store."},
  RefusalRow{"storage_full", {503}, "No room in the store, and nothing that may go.", "Raise `[store] quota_bytes`, or let the upstreams take their backlog."},
  RefusalRow{"tags_type", {400}, "`tags` is neither an object nor a list of key and value, or has more than 256.", kFixItem},
  RefusalRow{"time_form", {400}, "A time of a standard event is in no form that is read.", kFixItem},
  RefusalRow{"time_series", {400}, "An instance of type time_series was addressed at `/api/v1/events`.", "Send to `/v2/push/`, or use an instance of another type."},
  RefusalRow{"timed_out", {503}, "It took too long.", kAgain},
  RefusalRow{"timestamp_future", {400}, "`timestamp` is more than 3,600 s ahead of the box, whose clock is trusted.", "Set the sender's clock; `tocsinctl clock show` has the box's."},
  RefusalRow{"timestamp_type", {400}, "`timestamp` is not a number.", kFixItem},
  RefusalRow{"token_invalid", {401}, "No enabled instance has this data id and token.", "`tocsinctl plugin list` shows data ids and what is enabled; `plugin rotate` makes a new token."},
  RefusalRow{"token_missing", {401, 403}, "A push has neither `data_id` nor `access_token`, or a request to `/fta/v1/event` no token.", kFixBody},
  RefusalRow{"unavailable", {503}, "Not now: the box is starting or stopping, has no room for the body, or the instance changed meanwhile.", kAgain},
  RefusalRow{"unsupported", {501}, "Not in this release.", "See \"What it does not do yet\" in the README."},
};
// clang-format on

consteval bool refusals_are_sorted() {
  for (std::size_t i = 1; i < kRefusals.size(); ++i) {
    if (!(std::string_view(kRefusals[i - 1].name) < kRefusals[i].name)) return false;
  }
  return true;
}
static_assert(refusals_are_sorted(), "keep kRefusals sorted by name; no name twice");

/// The code of a refusal: a row of kRefusals, or none. Only a literal that names a row converts; another one does not
/// compile.
class RefusalCode {
 public:
  constexpr RefusalCode() noexcept = default;
  consteval RefusalCode(const char* name) : row_(find(name)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr bool is_none() const noexcept { return row_ == nullptr; }
  /// Null-terminated; empty: none.
  [[nodiscard]] constexpr const char* text() const noexcept { return row_ == nullptr ? "" : row_->name; }
  [[nodiscard]] constexpr bool operator==(const RefusalCode&) const noexcept = default;

 private:
  static void this_code_is_not_in_kRefusals();
  static consteval const RefusalRow* find(std::string_view name) {
    for (const RefusalRow& row : kRefusals) {
      if (name == row.name) return &row;
    }
    this_code_is_not_in_kRefusals();
    return nullptr;
  }
  const RefusalRow* row_ = nullptr;
};

}  // namespace tocsin
