// SPDX-License-Identifier: Apache-2.0
#include "src/registry/registry.hpp"

#include <algorithm>

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
  if (found == nullptr || !port::equal_constant_time(hash, found->token_hash) || !found->enabled) return nullptr;
  return found;
}

const Instance* Registry::by_token(std::string_view token, const port::Crypto& crypto, Bytes secret) const noexcept {
  const auto hash = token_hash(token, crypto, secret);
  const Instance* found = nullptr;
  for (const Instance& one : instances_) {
    if (one.enabled && port::equal_constant_time(hash, one.token_hash)) found = &one;
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

std::int32_t Registry::next_data_id() const noexcept {
  std::int32_t next = model::kDataIdAllocatedFirst;
  for (const Instance& one : instances_) {
    if (one.data_id >= next && one.data_id < 0x7FFF'FFFF) next = one.data_id + 1;
  }
  return next;
}

Registry::Pointer Registry::with(const Instance& instance) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  replace_or_add(next->instances_, instance, [&](const Instance& i) { return i.data_id == instance.data_id; });
  std::sort(next->instances_.begin(), next->instances_.end(),
            [](const Instance& a, const Instance& b) { return a.data_id < b.data_id; });
  return next;
}

Registry::Pointer Registry::without_instance(std::int32_t data_id) const {
  auto next = std::make_shared<Registry>(*this);
  ++next->generation_;
  std::erase_if(next->instances_, [data_id](const Instance& i) { return i.data_id == data_id; });
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
Status erase_instance(port::WriteTxn& txn, std::int32_t data_id) { return txn.erase(key_of(data_id)); }
Status erase_user(port::WriteTxn& txn, std::string_view name) { return txn.erase(key_of(name)); }
Status erase_api_token(port::WriteTxn& txn, const port::Digest256& hash) { return txn.erase(key_of(hash)); }

}  // namespace tocsin::registry
