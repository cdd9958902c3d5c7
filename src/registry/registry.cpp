// SPDX-License-Identifier: Apache-2.0
#include "src/registry/registry.hpp"

#include <algorithm>

#include "src/model/codec.hpp"
#include "src/model/seal.hpp"

namespace tocsin::registry {
namespace {

using model::ApiToken;
using model::Instance;
using model::Key;
using model::Table;
using model::User;

template <class T, class Same>
void replace_or_add(std::vector<T>& all, const T& one, Same same) {
  const auto at = std::find_if(all.begin(), all.end(), same);
  if (at != all.end()) {
    *at = one;
  } else {
    all.push_back(one);
  }
}

Key key_of(std::int32_t data_id) { return Key(Table::instance).u32(static_cast<std::uint32_t>(data_id)); }
/// Whether a token of that hash opens the instance. Both comparisons are made, whatever the first one says.
bool opens(const Instance& instance, const port::Digest256& hash) noexcept {
  const bool is_token = port::equal_constant_time(hash, instance.token_hash);
  const bool is_old_token = port::equal_constant_time(hash, instance.old_token_hash);
  return is_token || (is_old_token && instance.old_token_until_ms != 0);
}

Key key_of(std::string_view user) { return Key(Table::user).raw(as_bytes(user)); }
Key key_of(const port::Digest256& hash) { return Key(Table::api_token).raw(hash); }

/// Hands every sealed record of a table to `take`; what cannot be read is counted.
template <class Take>
Status for_each(port::ReadTxn& txn, Table table, std::uint32_t& damaged, Take take) {
  std::string at(1, static_cast<char>(table));
  for (;;) {
    auto entry = txn.at_or_after(as_bytes(at));
    if (!entry.ok()) return entry.error().in("registry: load");
    if (!*entry || !model::is_in((*entry)->key, table)) return {};
    auto payload = model::unseal((*entry)->key, (*entry)->value);
    if (!payload.ok() || !take(*payload)) ++damaged;
    at.assign(as_text((*entry)->key));
    at.push_back('\0');
  }
}

bool is_allocatable(std::int32_t data_id) noexcept {
  return data_id >= model::kDataIdAllocatedFirst && data_id < model::kDataIdMax;
}

/// 0: none is recorded, or it cannot be read (the instances that are there still count).
Result<std::int32_t> load_highest_data_id(port::ReadTxn& txn, std::uint32_t& damaged) {
  const Key key(Table::data_ids);
  auto value = txn.get(key);
  if (!value.ok()) return value.error().in("registry: data ids");
  if (!*value) return 0;
  const auto payload = model::unseal(key, **value);
  if (payload.ok() && payload->size() == sizeof(std::int32_t)) {
    if (const auto highest = load<std::int32_t>(payload->data()); is_allocatable(highest)) return highest;
  }
  ++damaged;
  return 0;
}

}  // namespace

port::Digest256 token_hash(std::string_view token, const port::Crypto& crypto, Bytes secret) noexcept {
  return crypto.hmac_sha256(secret, as_bytes(token));
}

const Instance* Registry::instance(std::int32_t data_id) const noexcept {
  const auto at = std::lower_bound(instances_.begin(), instances_.end(), data_id,
                                   [](const Instance& i, std::int32_t id) { return i.data_id < id; });
  return at != instances_.end() && at->data_id == data_id ? &*at : nullptr;
}

const Instance* Registry::authenticate(std::int32_t data_id, std::string_view token, const port::Crypto& crypto,
                                       Bytes secret) const noexcept {
  const auto hash = token_hash(token, crypto, secret);
  const Instance* found = instance(data_id);
  if (found == nullptr || !opens(*found, hash) || !found->enabled) return nullptr;
  return found;
}

const Instance* Registry::by_token(std::string_view token, const port::Crypto& crypto, Bytes secret) const noexcept {
  const auto hash = token_hash(token, crypto, secret);
  const Instance* found = nullptr;
  for (const Instance& one : instances_) {
    if (opens(one, hash) && one.enabled) found = &one;
  }
  return found;
}

const User* Registry::user(std::string_view name) const noexcept {
  const auto at = std::find_if(users_.begin(), users_.end(), [name](const User& u) { return u.name == name; });
  return at != users_.end() ? &*at : nullptr;
}

const ApiToken* Registry::api_token(std::string_view token, const port::Crypto& crypto, Bytes secret,
                                    Wall now) const noexcept {
  const auto hash = token_hash(token, crypto, secret);
  const ApiToken* found = nullptr;
  for (const ApiToken& one : api_tokens_) {
    const bool expired = one.expires_ms != 0 && now.trusted && one.expires_ms <= now.unix_ms;
    if (port::equal_constant_time(hash, one.hash) && !expired) found = &one;
  }
  return found;
}

std::optional<std::int32_t> Registry::next_data_id() const noexcept {
  const std::int32_t next = std::max(highest_data_id_ + 1, model::kDataIdAllocatedFirst);
  return next < model::kDataIdMax ? std::optional(next) : std::nullopt;
}

/// What is known of all instances together, after one of them has changed.
void Registry::look_at_instances() noexcept {
  old_token_ends_ms_ = 0;
  for (const Instance& one : instances_) {
    if (is_allocatable(one.data_id)) highest_data_id_ = std::max(highest_data_id_, one.data_id);
    if (one.old_token_until_ms == 0) continue;
    if (old_token_ends_ms_ == 0 || one.old_token_until_ms < old_token_ends_ms_)
      old_token_ends_ms_ = one.old_token_until_ms;
  }
}

Registry::Pointer Registry::with(std::span<const Instance> instances) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  const auto by_id = [](const Instance& a, const Instance& b) { return a.data_id < b.data_id; };
  for (const Instance& one : instances) {
    const auto at = std::lower_bound(next->instances_.begin(), next->instances_.end(), one, by_id);
    if (at != next->instances_.end() && at->data_id == one.data_id) {
      *at = one;
    } else {
      next->instances_.insert(at, one);
    }
  }
  next->look_at_instances();
  return next;
}

Registry::Pointer Registry::without_instance(std::int32_t data_id) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  std::erase_if(next->instances_, [data_id](const Instance& i) { return i.data_id == data_id; });
  next->look_at_instances();
  return next;
}

Registry::Pointer Registry::with(const User& user) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  replace_or_add(next->users_, user, [&](const User& u) { return u.name == user.name; });
  return next;
}

Registry::Pointer Registry::without_user(std::string_view name) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  std::erase_if(next->users_, [name](const User& u) { return u.name == name; });
  return next;
}

Registry::Pointer Registry::with(const ApiToken& token) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  replace_or_add(next->api_tokens_, token, [&](const ApiToken& t) { return t.name == token.name; });
  return next;
}

Registry::Pointer Registry::without_api_token(std::string_view name) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  std::erase_if(next->api_tokens_, [name](const ApiToken& t) { return t.name == name; });
  return next;
}

Result<Registry::Pointer> Registry::load(port::ReadTxn& txn, std::uint64_t generation, std::uint32_t& damaged) {
  auto out = std::make_shared<Registry>();
  out->generation_ = generation;
  const auto add = [](auto& all, auto decoded, std::size_t max) {
    if (!decoded.ok() || all.size() >= max) return false;
    all.push_back(std::move(*decoded));
    return true;
  };
  auto done = for_each(txn, Table::instance, damaged, [&](Bytes in) {
    return add(out->instances_, model::decode_instance(in), model::kInstancesMax);
  });
  if (!done.ok()) return done.error();
  auto highest = load_highest_data_id(txn, damaged);
  if (!highest.ok()) return highest.error();
  out->highest_data_id_ = *highest;
  out->look_at_instances();
  done = for_each(txn, Table::user, damaged,
                  [&](Bytes in) { return add(out->users_, model::decode_user(in), kUsersMax); });
  if (!done.ok()) return done.error();
  done = for_each(txn, Table::api_token, damaged,
                  [&](Bytes in) { return add(out->api_tokens_, model::decode_api_token(in), kApiTokensMax); });
  if (!done.ok()) return done.error();
  return Pointer{std::move(out)};
}

Status put(port::WriteTxn& txn, const Instance& instance) {
  return model::put_sealed(txn, key_of(instance.data_id), instance);
}
Status put(port::WriteTxn& txn, const User& user) { return model::put_sealed(txn, key_of(user.name), user); }
Status put(port::WriteTxn& txn, const ApiToken& token) { return model::put_sealed(txn, key_of(token.hash), token); }
Status put_highest_data_id(port::WriteTxn& txn, std::int32_t data_id) {
  const Key key(Table::data_ids);
  std::string value;
  model::Encoder(value).put(data_id);
  model::seal(key, value);
  return txn.put(key, as_bytes(value));
}
Result<model::Profile> read_profile(port::ReadTxn& txn, std::int32_t data_id) {
  const Key key = model::profile_key(data_id);
  auto value = txn.get(key);
  if (!value.ok()) return value.error().in("reading a profile");
  if (!*value) return model::Profile{};
  return model::open_sealed(key, **value, model::decode_profile);
}
Result<bool> read_profile_into(model::Profile& out, port::ReadTxn& txn, std::int32_t data_id) {
  auto profile = read_profile(txn, data_id);
  if (!profile.ok()) return profile.error().in("the profile of this instance cannot be read");
  out = std::move(*profile);
  return true;
}

Status put_profile(port::WriteTxn& txn, std::int32_t data_id, const model::Profile& profile) {
  const Key key = model::profile_key(data_id);
  if (!profile.is_empty()) return model::put_sealed(txn, key, profile);
  auto done = txn.erase(key);
  return !done.ok() && done.error().code == Errc::not_found ? Status{} : done;
}
Status erase_instance(port::WriteTxn& txn, std::int32_t data_id) {
  if (auto done = put_profile(txn, data_id, {}); !done.ok()) return done;
  return txn.erase(key_of(data_id));
}
Status erase_user(port::WriteTxn& txn, std::string_view name) { return txn.erase(key_of(name)); }
Status erase_api_token(port::WriteTxn& txn, const port::Digest256& hash) { return txn.erase(key_of(hash)); }

}  // namespace tocsin::registry
