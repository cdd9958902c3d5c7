// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/result.hpp"
#include "src/base/time.hpp"
#include "src/model/instance.hpp"
#include "src/model/profile.hpp"
#include "src/port/store.hpp"

namespace tocsin::registry {

inline constexpr std::size_t kUsersMax = 64;
inline constexpr std::size_t kApiTokensMax = 128;

/// Who may push and who may operate: an immutable snapshot with a generation. Shared between threads.
/// Memory: about 350 bytes an instance, profiles are not in it (profile.hpp); bounds: kInstancesMax, kUsersMax,
/// kApiTokensMax.
class Registry {
 public:
  using Pointer = std::shared_ptr<const Registry>;

  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] const std::vector<model::Instance>& instances() const noexcept { return instances_; }  ///< by data id
  [[nodiscard]] const std::vector<model::User>& users() const noexcept { return users_; }
  [[nodiscard]] const std::vector<model::ApiToken>& api_tokens() const noexcept { return api_tokens_; }

  /// Null: unknown.
  [[nodiscard]] const model::Instance* instance(std::int32_t data_id) const noexcept;
  /// The instance of that data id when it is enabled and `token` is its token, or the one before the last rotation as
  /// long as that holds; null otherwise. Constant time over the token.
  [[nodiscard]] const model::Instance* authenticate(std::int32_t data_id, std::string_view token,
                                                    const port::Crypto& crypto, Bytes secret) const noexcept;
  /// The instance whose token this is, whatever its data id; null: none.
  [[nodiscard]] const model::Instance* by_token(std::string_view token, const port::Crypto& crypto,
                                                Bytes secret) const noexcept;
  [[nodiscard]] const model::User* user(std::string_view name) const noexcept;
  /// Null: unknown or expired at `now` (an untrusted clock expires nothing).
  [[nodiscard]] const model::ApiToken* api_token(std::string_view token, const port::Crypto& crypto, Bytes secret,
                                                 Wall now) const noexcept;
  /// The next data id to allocate: one above the highest that an instance of the box's own range ever had, also when it
  /// is deleted. nullopt: there is none above.
  [[nodiscard]] std::optional<std::int32_t> next_data_id() const noexcept;
  /// That highest id; 0: none yet. What put_highest_data_id() wants.
  [[nodiscard]] std::int32_t highest_data_id() const noexcept { return highest_data_id_; }
  /// When the next old token ends (Unix ms); 0: none holds. Negative: some wait for a wall clock to count by.
  [[nodiscard]] std::int64_t old_token_ends_ms() const noexcept { return old_token_ends_ms_; }

  /// Copies with one change and the next generation.
  [[nodiscard]] Pointer with(std::span<const model::Instance> instances) const;
  [[nodiscard]] Pointer with(const model::Instance& instance) const { return with({&instance, 1}); }
  [[nodiscard]] Pointer without_instance(std::int32_t data_id) const;
  [[nodiscard]] Pointer with(const model::User& user) const;
  [[nodiscard]] Pointer without_user(std::string_view name) const;
  [[nodiscard]] Pointer with(const model::ApiToken& token) const;
  [[nodiscard]] Pointer without_api_token(std::string_view name) const;

  /// Reads the tables. Damaged records are left out and counted in `damaged`.
  [[nodiscard]] static Result<Pointer> load(port::ReadTxn& txn, std::uint64_t generation, std::uint32_t& damaged);

 private:
  void look_at_instances() noexcept;
  std::uint64_t generation_ = 1;
  std::int32_t highest_data_id_ = 0;
  std::int64_t old_token_ends_ms_ = 0;
  std::vector<model::Instance> instances_;
  std::vector<model::User> users_;
  std::vector<model::ApiToken> api_tokens_;
};

/// HMAC-SHA256 under the store's secret: what is stored instead of a token.
[[nodiscard]] port::Digest256 token_hash(std::string_view token, const port::Crypto& crypto, Bytes secret) noexcept;

/// Puts one record under its key, sealed.
[[nodiscard]] Status put(port::WriteTxn& txn, const model::Instance& instance);
[[nodiscard]] Status put(port::WriteTxn& txn, const model::User& user);
[[nodiscard]] Status put(port::WriteTxn& txn, const model::ApiToken& token);
/// In every turn that creates or deletes an instance: the id of a deleted one is not given out again.
[[nodiscard]] Status put_highest_data_id(port::WriteTxn& txn, std::int32_t data_id);
/// The profile of an instance, the empty one when it has none; storage_corrupt: it is damaged. Not in the snapshot.
[[nodiscard]] Result<model::Profile> read_profile(port::ReadTxn& txn, std::int32_t data_id);
/// The same as the slice of a job that needs nothing else: true, or the error with its words.
[[nodiscard]] Result<bool> read_profile_into(model::Profile& out, port::ReadTxn& txn, std::int32_t data_id);
/// Puts it; one that says nothing is erased.
[[nodiscard]] Status put_profile(port::WriteTxn& txn, std::int32_t data_id, const model::Profile& profile);
/// With its profile.
[[nodiscard]] Status erase_instance(port::WriteTxn& txn, std::int32_t data_id);
[[nodiscard]] Status erase_user(port::WriteTxn& txn, std::string_view name);
[[nodiscard]] Status erase_api_token(port::WriteTxn& txn, const port::Digest256& hash);

}  // namespace tocsin::registry
