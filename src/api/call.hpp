// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/api/services.hpp"
#include "src/json/needle.hpp"
#include "src/model/instance.hpp"

namespace tocsin::api {

/// Who calls the operator API.
struct Identity {
  std::string actor;  ///< as the audit log shows it: "user:alice", "token:ci", "uid:0"
  model::Role role = model::Role::anyone;
};

inline constexpr std::size_t kQueryBytesMax = 1024;  ///< of one value in the query
inline constexpr std::size_t kQueryMembersMax = 32;
static_assert(kQueryBytesMax <= json::Needle::kBytesMax);

/// The query members that any route reads.
inline constexpr std::array<std::string_view, 14> kQueryNames{
    "state",     "limit",     "cursor",  "plugin",    "since", "until",     "text",
    "dimension", "after_seq", "data_id", "plugin_id", "name",  "bk_biz_id", "bk_event_group_id"};

/// One request of the operator API, owned: its handler may answer long after the request's own memory is gone.
struct Call {
  port::Ticket ticket;
  Id128 request_id{};
  Now now;
  Identity who;
  std::string parameter;  ///< what {…} of the route's pattern matched, as sent
  std::string body;
  std::vector<port::HttpMember> query_members;  ///< those of kQueryNames, in their order, decoded

  /// The first of that name; nullptr: absent. Precondition: `name` is in kQueryNames.
  [[nodiscard]] const std::string* query(std::string_view name) const noexcept {
    for (const auto& member : query_members) {
      if (member.name == name) return &member.value;
    }
    return nullptr;
  }
  [[nodiscard]] std::vector<std::string> query_all(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& member : query_members) {
      if (member.name == name) out.push_back(member.value);
    }
    return out;
  }
  [[nodiscard]] core::ReplyTo reply_to() const noexcept {
    return {pack(ticket), static_cast<std::uint32_t>(Shape::admin), request_id};
  }
  [[nodiscard]] port::HttpResponse succeed(std::string_view data) const {
    return admin_reply(200, "success", request_id, data);
  }
  [[nodiscard]] port::HttpResponse fail(std::uint16_t status, std::string_view why, RefusalCode code = {}) const {
    return refuse(Shape::admin, status, why, request_id, code);
  }
};

/// What a handler of the operator API gives back: an answer, or nothing when one follows through its ticket.
using Reply = std::optional<port::HttpResponse>;

/// Hands an input to the writer, whose answer becomes that of the call.
[[nodiscard]] Reply post_input(const Services& services, const Call& call, core::Input&& input);
/// Hands a job to the reader; the job answers.
[[nodiscard]] Reply post_job(const Services& services, const Call& call, std::unique_ptr<core::Job> job);

/// The answer to a call that ended in an error, in the words of its context.
[[nodiscard]] port::HttpResponse fail_with(const Call& call, const Error& error);

/// For Job::finish: answers the call with the outcome's error, or with what `data` makes. The boundary for bad_alloc.
template <class MakeData>
void answer_guarded(const Services& services, const Call& call, const Status& outcome, MakeData&& data) noexcept {
  try {
    services.answer(call.ticket, outcome.ok() ? call.succeed(data()) : fail_with(call, outcome.error()));
  } catch (const std::bad_alloc&) {
    services.answer_out_of_memory(call.ticket, Shape::admin, call.request_id);
  }
}

/// How many entries a list gives: unless told, at most, and how many bytes of them.
inline constexpr std::uint64_t kPageEntriesDefault = 100;
inline constexpr std::uint64_t kPageEntriesMax = 500;
inline constexpr std::size_t kPageBytesMax = 256 * KiB;

/// A whole number of the query within [min, max]; `otherwise` when absent. nullopt: not such a number.
[[nodiscard]] std::optional<std::uint64_t> query_number(const Call& call, std::string_view name,
                                                        std::uint64_t otherwise, std::uint64_t min,
                                                        std::uint64_t max) noexcept;

}  // namespace tocsin::api
