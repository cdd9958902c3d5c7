// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/api/call.hpp"
#include "src/api/logins.hpp"
#include "src/api/routes.hpp"

namespace tocsin::api {

inline constexpr std::size_t kLoginsRunningMax = 4;  ///< passwords that are being stretched
inline constexpr std::size_t kCallsPerLoginMax =
    16;  ///< calls that wait for the same one (a page opens several at once)
inline constexpr std::int64_t kNotesAtOnceMax = 16;  ///< rows of refusals that may follow one another at once
inline constexpr std::int64_t kNoteEveryMs = 1'000;  ///< and one more may be written for each such time

/// Decides who calls the operator API and whether they may.
///
/// Peer credentials on the control socket, Bearer tokens and cached Basic logins are decided at once. A Basic login
/// that is not cached needs the password stretched on the reader; the call waits for it. What is refused is counted and
/// recorded in the audit log: kNotesAtOnceMax rows at once, then one every kNoteEveryMs, so that nobody fills the
/// flash. The number of those left out is in the next row, or in one of its own when no refusal follows. Threads: io.
/// Jobs it posts refer to it: it outlives them.
class Access {
 public:
  explicit Access(const Services& services);

  enum class Verdict : std::uint8_t { allowed, refused, password_needed };
  struct Decision {
    Verdict verdict = Verdict::refused;
    Identity who;                ///< allowed
    port::HttpResponse refusal;  ///< refused
  };
  [[nodiscard]] Decision decide(const port::HttpRequest& request, const Route& route, const Id128& request_id);

  /// For password_needed: stretches the password, then goes on with the call: `go_on` is called with call.who set when
  /// everything is right; else the call is answered. A response: refused at once (too many logins are running).
  using GoOn = std::function<void(Call&& call, const Route& route)>;
  [[nodiscard]] Reply check_password(const port::HttpRequest& request, const Route& route, Call&& call, GoOn go_on);

  /// Records how many refusals were left out, if any were and a row may be written; call it every second or so.
  /// `is_last`: nothing comes afterwards, so it may always be written. Throws bad_alloc; then nothing is forgotten.
  void record_left_out(bool is_last);

 private:
  struct Waiting {
    Call call;
    const Route* route;
    GoOn go_on;
  };
  struct Login {
    port::Digest256 key{};
    std::string user;
    std::string peer;
    std::vector<Waiting> waiting;
  };
  struct Refusal {
    std::uint16_t status = 401;
    RefusalCode code;
    std::string_view why;
    model::AuditAction action = model::AuditAction::access_refused;
    bool is_recorded = true;
    std::uint16_t retry_after_s = 0;
  };
  [[nodiscard]] Decision refuse_it(const port::HttpRequest& request, const Route& route, const Id128& request_id,
                                   std::string_view actor, const Refusal& refusal);
  [[nodiscard]] Decision decide_basic(const port::HttpRequest& request, const Route& route, const Id128& request_id);
  [[nodiscard]] Decision decide_role(const port::HttpRequest& request, const Route& route, const Id128& request_id,
                                     Identity who);
  [[nodiscard]] bool start(const port::HttpRequest& request, const BasicCredentials& credentials,
                           const port::Digest256& key);
  void finish_login(const port::Digest256& key, const port::Digest256& expected, bool is_known,
                    const port::Digest256* hash) noexcept;
  void settle(Waiting& waiting, std::string_view user, bool is_right, bool could_run);
  void record(model::AuditAction action, std::string_view actor, std::string_view object, std::string_view detail);
  [[nodiscard]] bool take_note_room() noexcept;

  const Services& services_;
  LoginCache cache_;
  FailedLogins failed_;
  std::vector<Login> running_;
  std::int64_t notes_left_ = kNotesAtOnceMax;  ///< rows that may be written now
  Monotonic notes_counted_at_;
  std::uint64_t notes_left_out_ = 0;
  std::uint64_t acks_left_out_ = 0;  ///< of these, of acknowledgements
};

}  // namespace tocsin::api
