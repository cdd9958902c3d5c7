// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/model/audit.hpp"
#include "src/model/batch.hpp"
#include "src/model/instance.hpp"
#include "src/model/profile.hpp"
#include "src/model/reject.hpp"
#include "src/model/source_position.hpp"

namespace tocsin::core {

/// Who waits for an input's outcome. The core hands it back untouched in the answer.
struct ReplyTo {
  std::uint64_t ticket = 0;  ///< 0: nobody waits
  std::uint32_t shape = 0;   ///< the api's own note of how to word the answer
  Id128 request_id{};
};

/// A partition of a source was read up to `next_offset`.
struct SourceMark {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t from_offset = model::kNoOffset;  ///< where the store must say that it was read up to before
  std::int64_t next_offset = model::kNoOffset;
};

struct Push {
  model::EventBatch batch;
  bool wants_outcomes = false;  ///< /api/v1/events answers item by item
  /// Records of a source: the batch and the marks become durable together, or neither. A mark whose from_offset is not
  /// what the store has refuses the input as a conflict. With marks the batch may be empty.
  std::string source = {};
  std::vector<SourceMark> marks = {};  ///< each partition once; at most kSourceMarksMax
};
inline constexpr std::size_t kSourceMarksMax = 256;

struct AckAlerts {
  std::vector<std::string> ids;  ///< at most kAckIdsMax
  std::string message;
  std::string actor;
};
inline constexpr std::size_t kAckIdsMax = 200;

/// What is said of an instance's profile; what is not said stays.
struct ProfileChange {
  std::optional<std::string> version;
  std::array<std::optional<std::string>, model::kProfileParts.size()> parts;  ///< checked, compact
  void apply_to(model::Profile& profile) const {
    if (version) profile.version = *version;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i]) profile.parts[i] = *parts[i];
    }
  }
  [[nodiscard]] bool says_something() const noexcept {
    return version || std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.has_value(); });
  }
};

/// update changes the settings and nothing else: what io read may be old, and a token that was rotated or an instance
/// that was disabled meanwhile stays so.
enum class InstanceChange : std::uint8_t { create, update, enable, disable, rotate, remove };
struct ChangeInstance {
  InstanceChange change = InstanceChange::create;
  model::Instance instance;     ///< data_id 0 with create: the core allocates one; rotate: data_id and token_hash count
  std::optional<bool> enabled;  ///< update: also enables or disables it
  bool sets_token = false;      ///< update: also gives it the token of that hash; the old one ends at once
  std::shared_ptr<const ProfileChange> profile;  ///< create and update; null: nothing is said
  std::int64_t overlap_ms = 0;  ///< rotate: how long the old token still holds; at most kTokenOverlapMsMax
  std::string shown_token;      ///< goes into the answer, never onto flash
  std::string actor;
};

/// Creates and updates: all of them, or none when one is refused. Each data id at most once.
struct ImportInstances {
  std::vector<ChangeInstance> changes;  ///< at most kImportInstancesMax
};
inline constexpr std::size_t kImportInstancesMax = 512;

struct ChangeUser {
  bool remove = false;
  bool must_be_new = false;  ///< conflict when it exists
  model::User user;
  std::string shown_password;
  std::string actor;
};

struct ChangeApiToken {
  bool remove = false;
  model::ApiToken token;
  std::string shown_token;
  std::string actor;
};

struct SetClock {
  std::int64_t unix_ms = 0;  ///< 0: only say that the present wall clock is right
  std::string actor;
};

/// A worker says that everything of the lane up to `seq` is safe at its broker. It waits for the company of another
/// turn, kConfirmFlushMs at most.
struct Confirm {
  std::uint8_t upstream = 0;
  model::Lane lane = model::Lane::normal;
  std::uint64_t seq = 0;
  bool is_urgent = false;  ///< half the delivery window is unrecorded: do not wait
};

/// Refusals of one instance for one reason since the last TakeRejects, as model::Reject has them.
struct Refused {
  explicit Refused(std::pmr::memory_resource* memory) : code(memory), message(memory), body(memory) {}
  std::int32_t data_id = 0;
  std::uint16_t http_status = 0;
  model::RejectWay way = model::RejectWay::push;
  bool is_time_trusted = false;
  bool is_whole = false;
  std::uint64_t count = 0;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::uint32_t body_bytes = 0;
  std::pmr::string code;
  std::pmr::string message;
  std::pmr::string body;
};

/// The share of an instance's requests that is refused came over the limit, or is below it again.
struct RejectAlarm {
  std::int32_t data_id = 0;
  bool is_over = false;
  std::uint64_t requests = 0;  ///< lately
  std::uint64_t rejects = 0;   ///< of them
};

/// What goes into the reject box. Nobody waits for it; a turn that fails loses it.
struct TakeRejects {
  explicit TakeRejects(std::pmr::memory_resource* memory) : refused(memory) {}
  std::pmr::vector<Refused> refused;
  std::vector<RejectAlarm> alarms;
};

/// Something to be recorded in the audit log and nothing else (refused credentials, start, stop …).
struct Note {
  model::AuditAction action{};
  std::string actor;
  std::string object;
  std::string detail;
};

struct Input {
  ReplyTo reply;
  std::variant<Push, AckAlerts, ChangeInstance, ImportInstances, ChangeUser, ChangeApiToken, SetClock, Confirm, Note,
               TakeRejects>
      what;
};

}  // namespace tocsin::core
