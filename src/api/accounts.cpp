// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/api/body.hpp"
#include "src/api/resources.hpp"
#include "src/json/writer.hpp"

namespace tocsin::api {
namespace {

using model::Role;

/// The roles as they are stored: the first is 1.
std::optional<Role> read_role(Body& body) {
  const auto at = body.word("role", {"viewer", "operator", "admin"});
  return at ? std::optional(static_cast<Role>(*at + 1)) : std::nullopt;
}

std::optional<std::string> read_name(Body& body) {
  body.require("name");
  auto name = body.text("name", 1, model::kAccountNameBytesMax);
  if (name && !is_account_name(*name)) body.reject("name", kAccountNameRule);
  return name;
}

std::string read_password(Body& body, port::Random& random) {
  const auto given = body.text("password", kPasswordBytesMin, kPasswordBytesMax);
  return given ? *given : generate_password(random);
}

/// Stretches the password on the reader, then hands the change to the writer.
Reply post_user(const Services& services, Call& call, core::ChangeUser change) {
  model::User& user = change.user;
  services.parts.random.fill(user.salt);
  user.iterations = services.parts.password_iterations;
  const auto salt = user.salt;
  const std::uint32_t iterations = user.iterations;
  std::string password = change.shown_password;
  struct Waiting {
    Call call;
    core::ChangeUser change;
  };
  auto waiting = std::make_shared<Waiting>(Waiting{call, std::move(change)});
  auto done = [&services, waiting](const port::Digest256* hash) {
    const Call& later = waiting->call;
    if (hash == nullptr)
      return services.answer(later.ticket, later.fail(503, "the password could not be stretched now"));
    waiting->change.user.password_hash = *hash;
    auto refused = post_input(services, later, {later.reply_to(), std::move(waiting->change)});
    if (refused) services.answer(later.ticket, std::move(*refused));
  };
  return post_job(
      services, call,
      std::make_unique<StretchJob>(services.parts.crypto, std::move(password), salt, iterations, std::move(done)));
}

}  // namespace

Reply get_users(const Services& services, Call& call) {
  std::string data;
  json::Writer w(data);
  w.object().name("items").array();
  for (const model::User& user : services.parts.daemon.view().registry->users()) {
    w.object().member("user", user.name).member("role", model::to_text(user.role));
    w.name("created").time(user.created_ms).name("created_ms").number(user.created_ms).end_object();
  }
  w.end_array().end_object();
  return call.succeed(data);
}

Reply post_users(const Services& services, Call& call) {
  Body body(services, call.body, {"name", "role", "password"});
  core::ChangeUser change;
  change.must_be_new = true;
  change.actor = call.who.actor;
  change.user.created_ms = call.now.wall.unix_ms;
  const auto name = read_name(body);
  body.require("role");
  const auto role = read_role(body);
  change.shown_password = read_password(body, services.parts.random);
  if (!body.ok() || !name || !role) return call.fail(400, body.problem());
  const auto& registry = *services.parts.daemon.view().registry;
  if (registry.user(*name) != nullptr) return call.fail(409, "name: this user exists already");
  if (registry.users().size() >= registry::kUsersMax) return call.fail(409, "there is no room for another user");
  change.user.name = *name;
  change.user.role = *role;
  return post_user(services, call, std::move(change));
}

Reply post_user_passwd(const Services& services, Call& call) {
  Body body(services, call.body, {"password"});
  core::ChangeUser change;
  change.actor = call.who.actor;
  change.shown_password = read_password(body, services.parts.random);
  if (!body.ok()) return call.fail(400, body.problem());
  const auto* user = services.parts.daemon.view().registry->user(call.parameter);
  if (user == nullptr) return call.fail(404, "there is no user of this name");
  change.user = *user;
  return post_user(services, call, std::move(change));
}

Reply post_user_delete(const Services& services, Call& call) {
  const Body body(services, call.body, {});
  if (!body.ok()) return call.fail(400, body.problem());
  const auto* user = services.parts.daemon.view().registry->user(call.parameter);
  if (user == nullptr) return call.fail(404, "there is no user of this name");
  core::ChangeUser change;
  change.remove = true;
  change.user = *user;
  change.actor = call.who.actor;
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

Reply get_tokens(const Services& services, Call& call) {
  std::string data;
  json::Writer w(data);
  w.object().name("items").array();
  for (const model::ApiToken& token : services.parts.daemon.view().registry->api_tokens()) {
    w.object().member("name", token.name).member("role", model::to_text(token.role));
    w.name("created").time(token.created_ms).name("created_ms").number(token.created_ms);
    if (token.expires_ms == 0) {
      w.name("expires").null().name("expires_ms").null();
    } else {
      w.name("expires").time(token.expires_ms).name("expires_ms").number(token.expires_ms);
    }
    w.end_object();
  }
  w.end_array().end_object();
  return call.succeed(data);
}

Reply post_tokens(const Services& services, Call& call) {
  Body body(services, call.body, {"name", "role", "expires"});
  core::ChangeApiToken change;
  const auto name = read_name(body);
  body.require("role");
  const auto role = read_role(body);
  if (const auto expires = body.time("expires")) {
    change.token.expires_ms = *expires;
    const bool is_past = call.now.wall.trusted && *expires <= call.now.wall.unix_ms;
    if (is_past || *expires == 0) body.reject("expires", "must be in the future");
  }
  if (!body.ok() || !name || !role) return call.fail(400, body.problem());
  const auto& tokens = services.parts.daemon.view().registry->api_tokens();
  if (std::ranges::find(tokens, *name, &model::ApiToken::name) != tokens.end()) {
    return call.fail(409, "name: an API token has this name already");
  }
  if (tokens.size() >= registry::kApiTokensMax) return call.fail(409, "there is no room for another API token");
  change.actor = call.who.actor;
  change.shown_token = generate_token(services.parts.random);
  change.token.name = *name;
  change.token.role = *role;
  change.token.created_ms = call.now.wall.unix_ms;
  change.token.hash = registry::token_hash(change.shown_token, services.parts.crypto, services.parts.secret);
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

Reply post_token_delete(const Services& services, Call& call) {
  const Body body(services, call.body, {});
  if (!body.ok()) return call.fail(400, body.problem());
  const auto& tokens = services.parts.daemon.view().registry->api_tokens();
  const auto found = std::ranges::find(tokens, call.parameter, &model::ApiToken::name);
  if (found == tokens.end()) return call.fail(404, "there is no API token of this name");
  core::ChangeApiToken change;
  change.remove = true;
  change.token = *found;
  change.actor = call.who.actor;
  return post_input(services, call, {call.reply_to(), std::move(change)});
}

}  // namespace tocsin::api
