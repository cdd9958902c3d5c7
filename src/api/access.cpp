// SPDX-License-Identifier: Apache-2.0
#include "src/api/access.hpp"

#include <algorithm>
#include <array>

namespace tocsin::api {
namespace {

using model::AuditAction;
using model::Role;

std::string actor_of_peer(const port::HttpRequest& request) {
  if (request.listener() == port::Listener::control) return "uid:" + std::to_string(request.peer_uid());
  return "peer:" + std::string(request.peer());
}

/// A browser says where a request comes from; another site's page may not use the login that the browser remembers.
bool is_same_origin(std::string_view origin, std::string_view host) noexcept {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && !host.empty() && origin.substr(scheme + 3) == host;
}

bool is_json(std::string_view content_type) noexcept {
  constexpr std::string_view kJson = "application/json";
  if (content_type.size() < kJson.size()) return false;
  for (std::size_t i = 0; i < kJson.size(); ++i) {
    const char c = content_type[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != kJson[i]) return false;
  }
  return content_type.size() == kJson.size() || content_type[kJson.size()] == ';' || content_type[kJson.size()] == ' ';
}

/// A page can make a browser send a form but not JSON; whoever is no browser has no remembered login to misuse.
bool looks_like_a_browser(const port::HttpRequest& request) noexcept {
  constexpr std::array kSigns{"Origin", "Sec-Fetch-Site", "Cookie", "Referer"};
  return std::ranges::any_of(kSigns, [&](const char* name) { return !request.header(name).empty(); });
}

bool is_ack(const Route& route) noexcept { return route.path == "/ack_alert" || route.path == "/api/v1/alerts/ack"; }

}  // namespace

Access::Access(const Services& services) : services_(services), cache_(services.parts.crypto, services.parts.random) {}

Access::Decision Access::decide(const port::HttpRequest& request, const Route& route, const Id128& request_id) {
  if (role_of(route.need) == Role::anyone) return {Verdict::allowed, {}, {}};
  const bool is_open = route.need == Need::loopback_or_viewer;
  if (request.listener() == port::Listener::control) {
    Identity who{actor_of_peer(request), Role::admin};
    if (request.peer_is_admin() || is_open) return {Verdict::allowed, std::move(who), {}};
    return refuse_it(request, route, request_id, who.actor,
                     {403, "control_socket_denied",
                      "only root, the owner of the daemon and the group tocsin-admin may use the control socket"});
  }
  const std::string_view header = request.header("Authorization");
  if (header.empty()) {
    if (is_open && request.peer_is_loopback()) return {Verdict::allowed, {"loopback", Role::viewer}, {}};
    // A browser's first request is no attempt; something that would change the box is.
    const bool is_attempt = route.method == port::Method::post;
    return refuse_it(request, route, request_id, actor_of_peer(request),
                     {401, "credentials_missing", "credentials are missing: use Basic or an API token as Bearer",
                      AuditAction::access_refused, is_attempt});
  }
  if (const std::string_view token = parse_bearer(header); !token.empty()) {
    const Daemon& daemon = services_.parts.daemon;
    const auto* found =
        daemon.view().registry->api_token(token, services_.parts.crypto, services_.parts.secret, daemon.now().wall);
    if (found != nullptr) return decide_role(request, route, request_id, {"token:" + found->name, found->role});
    return refuse_it(request, route, request_id, actor_of_peer(request),
                     {401, "credentials_unknown", "the API token is not known or has expired"});
  }
  return decide_basic(request, route, request_id);
}

Access::Decision Access::decide_basic(const port::HttpRequest& request, const Route& route, const Id128& request_id) {
  const std::string_view header = request.header("Authorization");
  const auto credentials = parse_basic(header);
  if (!credentials) {
    return refuse_it(request, route, request_id, actor_of_peer(request),
                     {401, "credentials_form", "the Authorization header is neither Basic nor Bearer"});
  }
  if (route.method == port::Method::post) {
    const std::string_view origin = request.header("Origin");
    if (!origin.empty() && !is_same_origin(origin, request.header("Host"))) {
      return refuse_it(request, route, request_id, actor_of_peer(request),
                       {403, "origin_foreign", "the request comes from another site's page"});
    }
    if (looks_like_a_browser(request) && !is_json(request.header("Content-Type"))) {
      return {Verdict::refused,
              {},
              refuse(route.shape, 415, "Content-Type must be application/json", request_id, "content_type")};
    }
  }
  const Daemon& daemon = services_.parts.daemon;
  const Now now = daemon.now();
  const auto& registry = *daemon.view().registry;
  const auto cached = cache_.find(cache_.key_of(header), registry.generation(), now.mono);
  if (const auto* user = cached.empty() ? nullptr : registry.user(cached); user != nullptr) {
    return decide_role(request, route, request_id, {"user:" + user->name, user->role});
  }
  if (const std::uint16_t wait_s = failed_.wait_s(credentials->user, now.mono); wait_s > 0) {
    return refuse_it(request, route, request_id, actor_of_peer(request),
                     {429, "login_too_often", "too many failed logins of this account: wait before the next",
                      AuditAction::login_refused, true, wait_s});
  }
  return {Verdict::password_needed, {}, {}};
}

Access::Decision Access::decide_role(const port::HttpRequest& request, const Route& route, const Id128& request_id,
                                     Identity who) {
  if (who.role >= role_of(route.need)) return {Verdict::allowed, std::move(who), {}};
  return refuse_it(request, route, request_id, who.actor, {403, "role_too_low", "this needs a higher role"});
}

Access::Decision Access::refuse_it(const port::HttpRequest& request, const Route& route, const Id128& request_id,
                                   std::string_view actor, const Refusal& refusal) {
  if (refusal.is_recorded) {
    const bool is_ack_refused = is_ack(route) && refusal.action == AuditAction::access_refused;
    record(is_ack_refused ? AuditAction::alert_ack_refused : refusal.action, actor, request.path(), refusal.why);
  }
  Decision out;
  out.refusal = refuse(route.shape == Shape::text ? Shape::admin : route.shape, refusal.status, refusal.why, request_id,
                       refusal.code);
  out.refusal.ask_for_credentials = refusal.status == 401;
  if (refusal.retry_after_s > 0) out.refusal.retry_after_s = refusal.retry_after_s;
  return out;
}

bool Access::take_note_room() noexcept {
  const Monotonic now = services_.parts.daemon.now().mono;
  const std::int64_t earned = std::min((now.ms() - notes_counted_at_.ms()) / kNoteEveryMs, kNotesAtOnceMax);
  if (earned > 0) {
    notes_left_ = std::min(notes_left_ + earned, kNotesAtOnceMax);
    notes_counted_at_ = notes_left_ == kNotesAtOnceMax ? now : notes_counted_at_.after_ms(earned * kNoteEveryMs);
  }
  if (notes_left_ == 0) return false;
  --notes_left_;
  return true;
}

void Access::record(AuditAction action, std::string_view actor, std::string_view object, std::string_view detail) {
  ++services_.counters.refused_credentials;
  bool is_written = false;
  if (take_note_room()) {
    core::Note note{action, std::string(actor), std::string(object.substr(0, model::kAuditTextBytesMax)),
                    std::string(detail)};
    if (notes_left_out_ > 0)
      note.detail += " (and " + std::to_string(notes_left_out_) + " more refusals before this one)";
    is_written = services_.parts.daemon.post(core::Input{{}, std::move(note)});
  }
  if (is_written) {
    notes_left_out_ = acks_left_out_ = 0;
    return;
  }
  ++notes_left_out_;
  if (action == AuditAction::alert_ack_refused) ++acks_left_out_;
}

void Access::record_left_out(bool is_last) {
  if (notes_left_out_ == 0 || (!take_note_room() && !is_last)) return;
  core::Note note{acks_left_out_ > 0 ? AuditAction::alert_ack_refused : AuditAction::access_refused, "system", "access",
                  std::to_string(notes_left_out_) + " more refusals, " + std::to_string(acks_left_out_) +
                      " of acknowledgements: too many to record each"};
  if (services_.parts.daemon.post(core::Input{{}, std::move(note)})) notes_left_out_ = acks_left_out_ = 0;
}

Reply Access::check_password(const port::HttpRequest& request, const Route& route, Call&& call, GoOn go_on) {
  const std::string_view header = request.header("Authorization");
  const auto credentials = parse_basic(header);
  if (!credentials) return call.fail(401, "the Authorization header is not Basic", "credentials_form");
  const port::Digest256 key = cache_.key_of(header);
  auto login = std::ranges::find(running_, key, &Login::key);
  if (login == running_.end()) {
    // One guess at a time and account: else many could be tried before the first is known to be wrong.
    const bool is_tried = std::ranges::find(running_, credentials->user, &Login::user) != running_.end();
    if (is_tried || running_.size() >= kLoginsRunningMax)
      return call.fail(503, "other logins are being checked", "login_busy");
    if (!start(request, *credentials, key))
      return call.fail(503, "too many jobs are waiting for the reader", "queue_full");
    login = std::prev(running_.end());
  }
  if (login->waiting.size() >= kCallsPerLoginMax)
    return call.fail(503, "too many requests wait for this login", "login_busy");
  login->waiting.push_back({std::move(call), &route, std::move(go_on)});
  return std::nullopt;
}

bool Access::start(const port::HttpRequest& request, const BasicCredentials& credentials, const port::Digest256& key) {
  const auto* user = services_.parts.daemon.view().registry->user(credentials.user);
  // An account that does not exist costs the same time.
  const model::User nobody{{}, Role::anyone, {}, services_.parts.password_iterations, {}, 0};
  const model::User& account = user != nullptr ? *user : nobody;
  running_.push_back({key, credentials.user, actor_of_peer(request), {}});
  running_.back().waiting.reserve(2);
  auto job =
      std::make_unique<StretchJob>(services_.parts.crypto, credentials.password, account.salt, account.iterations,
                                   [this, key, expected = account.password_hash, is_known = user != nullptr](
                                       const port::Digest256* hash) { finish_login(key, expected, is_known, hash); });
  if (services_.parts.daemon.post(std::move(job))) return true;
  running_.pop_back();
  return false;
}

void Access::finish_login(const port::Digest256& key, const port::Digest256& expected, bool is_known,
                          const port::Digest256* hash) noexcept {
  const auto at = std::ranges::find(running_, key, &Login::key);
  if (at == running_.end()) return;
  Login login = std::move(*at);
  running_.erase(at);
  const bool is_right = is_known && hash != nullptr && port::equal_constant_time(expected, *hash);
  const Now now = services_.parts.daemon.now();
  try {
    if (is_right) {
      failed_.succeeded(login.user);
      cache_.add(key, login.user, services_.parts.daemon.view().registry->generation(), now.mono);
    } else if (hash != nullptr) {
      failed_.failed(login.user, now.mono);
      record(AuditAction::login_refused, login.peer, "login", "wrong user name or password");
    }
  } catch (const std::bad_alloc&) {
    ++services_.counters.out_of_memory;  // the login itself still counts; it is only not remembered
  }
  for (Waiting& waiting : login.waiting) {
    try {
      settle(waiting, login.user, is_right, hash != nullptr);
    } catch (const std::bad_alloc&) {
      services_.answer_out_of_memory(waiting.call.ticket, Shape::admin, waiting.call.request_id);
    }
  }
}

void Access::settle(Waiting& waiting, std::string_view user, bool is_right, bool could_run) {
  Call& call = waiting.call;
  // The account may have changed while its password was stretched.
  const auto* account = is_right ? services_.parts.daemon.view().registry->user(user) : nullptr;
  if (!could_run) return services_.answer(call.ticket, call.fail(503, "the login could not be checked now"));
  if (account == nullptr) {
    auto refusal = call.fail(401, "wrong user name or password", "login_failed");
    refusal.ask_for_credentials = true;
    return services_.answer(call.ticket, std::move(refusal));
  }
  call.who = {"user:" + account->name, account->role};
  if (account->role < role_of(waiting.route->need)) {
    record(is_ack(*waiting.route) ? AuditAction::alert_ack_refused : AuditAction::access_refused, call.who.actor,
           waiting.route->path, "this needs a higher role");
    return services_.answer(call.ticket, call.fail(403, "this needs a higher role", "role_too_low"));
  }
  waiting.go_on(std::move(call), *waiting.route);
}

}  // namespace tocsin::api
