// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory_resource>
#include <optional>
#include <string>

#include "src/api/password.hpp"
#include "src/api/ports.hpp"
#include "src/api/profiles.hpp"
#include "src/api/reject_box.hpp"
#include "src/api/reply.hpp"
#include "src/json/parser.hpp"
#include "src/port/crypto.hpp"
#include "src/port/http.hpp"
#include "src/port/inflate.hpp"
#include "src/port/random.hpp"

namespace tocsin::api {

/// Finds a static asset by its path; nullopt: there is none of that name. The body lives as long as the program.
using FindAsset = std::optional<port::HttpResponse> (*)(std::string_view path) noexcept;

/// What the api is made of. Everything referred to outlives it.
struct Parts {
  Daemon& daemon;
  port::HttpAnswers& answers;
  const port::Crypto& crypto;
  port::Random& random;
  port::Digest256 secret{};  ///< of the store's identity: keys the hashes of tokens and event ids
  Id128 appliance{};
  Id128 store{};
  Budget* intake;    ///< takes the batches on their way to the writer, and what is made of bodies before that
  Budget* profiles;  ///< takes compiled profiles
  std::size_t push_body_bytes_max = 512'000;
  std::int64_t push_requests_per_second_max = 0;  ///< of all instances together; 0: no limit
  port::Inflater* inflater = nullptr;             ///< null, or no pool: compressed bodies are refused
  Budget* body_pool = nullptr;                    ///< what bodies are read into; inflated ones are charged to it too
  FindAsset find_asset = nullptr;                 ///< null: no page
  std::uint32_t password_iterations = kPasswordIterations;
  std::int32_t bk_biz_id = 2;               ///< of new instances
  std::int32_t bk_cloud_id = 0;             ///< where the addresses of this site are
  int timezone_offset_minutes = 0;          ///< of time texts without a zone in standard events
  Budget* reject_memory = nullptr;          ///< also for what instances did lately; null: neither, and no reject box
  std::uint32_t reject_alert_percent = 10;  ///< of an instance's requests; 0: no alert
};

/// Numbers of the api itself, for /metrics.
struct Counters {
  std::uint64_t internal_errors = 0;  ///< exceptions that a handler let out: 0 unless there is a bug
  std::uint64_t out_of_memory = 0;    ///< requests refused for want of memory
  std::uint64_t rate_limited = 0;
  std::uint64_t refused_credentials = 0;
};

struct Call;
/// Carries out again what a sender was refused.
class Replayer {
 public:
  virtual ~Replayer() = default;
  /// As the same instance, with what is registered of it now; its token and its rate do not matter. The answer is that
  /// of the operator's call: at once, or through its ticket when the turn is over.
  [[nodiscard]] virtual std::optional<port::HttpResponse> replay(const Call& call, const model::Reject& reject) = 0;
};

/// What the handlers share. io thread.
struct Services {
  const Parts& parts;
  json::Parser& parser;
  Profiles& profiles;
  Counters& counters;
  std::string& emergency_room;  ///< for an answer when there is no memory; given away with it, taken anew by the api
  const RejectBox& rejects;
  Activity& activity;
  Replayer& replayer;

  /// Answers a call that waits, marked with the state of the clock.
  void answer(port::Ticket ticket, port::HttpResponse response) const noexcept {
    response.clock_untrusted = !parts.daemon.now().wall.trusted;
    parts.answers.answer(ticket, std::move(response));
  }
  /// Says so without needing memory.
  void answer_out_of_memory(port::Ticket ticket, Shape shape, const Id128& request_id) const noexcept {
    ++counters.out_of_memory;
    answer(ticket, emergency_reply(shape, 503, request_id, emergency_room));
  }
};

}  // namespace tocsin::api
