// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/api/access.hpp"
#include "src/api/encoding.hpp"
#include "src/api/profiles.hpp"
#include "src/api/rate_limit.hpp"
#include "src/api/record_intake.hpp"
#include "src/api/routes.hpp"
#include "src/api/services.hpp"
#include "src/ingest/push.hpp"
#include "src/ingest/standard.hpp"

namespace tocsin::api {

/// Everything that HTTP callers see: the push paths, the operator API, health and the page.
///
/// Answers at once or through HttpAnswers; every answer but text carries a request id: a fresh one, or from the turn
/// that of the request's Idempotency-Key. Nothing leaves the methods of HttpHandler, on_answer() and on_tick():
/// bad_alloc becomes 503, anything else 500 and counts as an internal error.
/// Memory: batches come from Parts::intake; a call of the operator API owns at most its body (16 KiB, an instance 32,
/// an import 128 and its 512 instances) and what it answers (an events page: 256 KiB).
/// Threads: io. Jobs it posts refer to it: the daemon drops them before it drops the api.
class Api final : public port::HttpHandler, private Replayer {
 public:
  /// Throws std::bad_alloc.
  explicit Api(const Parts& parts);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  [[nodiscard]] std::optional<port::HttpResponse> on_head(const port::HttpRequest& request,
                                                          std::size_t& body_bytes_max) noexcept override;
  [[nodiscard]] std::optional<port::HttpResponse> on_request(const port::HttpRequest& request, port::Ticket ticket,
                                                             std::span<std::byte> body) noexcept override;
  [[nodiscard]] port::HttpResponse refusal(const port::HttpRequest& request, std::uint16_t status,
                                           std::string_view why) noexcept override;

  /// The program calls it for every answer of a turn. Those that nobody waits for are ignored.
  void on_answer(core::Answer&& answer) noexcept;

  /// The program calls it for every answer of a turn, also for those that are not the api's: what an instance had
  /// stored counts, whatever way it came.
  void count_stored(const core::Answer& answer) noexcept {
    if (!answer.refused) activity_.on_stored(answer.data_id, answer.events, answer.received);
  }

  /// The program calls it about every second, and once more with `is_last` before the writer ends.
  void on_tick(bool is_last) noexcept;

  /// The rates that every way in counts by; they live as long as the api.
  [[nodiscard]] RateLimit& rate() noexcept { return rate_; }
  [[nodiscard]] TotalRate& total_rate() noexcept { return total_rate_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  /// What a RecordIntake needs of the api; it lives as long as the api.
  [[nodiscard]] RecordParts record_parts() noexcept { return {services_, standard_reader_, rejects_}; }

 private:
  using Response = port::HttpResponse;
  template <class Work>
  [[nodiscard]] std::optional<Response> guard(const port::HttpRequest& request, Work&& work) noexcept;
  [[nodiscard]] Reply head(const port::HttpRequest& request, std::size_t& body_bytes_max);
  [[nodiscard]] Reply carry_out(const port::HttpRequest& request, port::Ticket ticket, std::span<std::byte> body);
  [[nodiscard]] Response refuse_unmatched(const Match& found, std::string_view path);
  [[nodiscard]] const Id128& request_id() const noexcept { return request_id_; }

  // The operator API.
  [[nodiscard]] Reply operate(const port::HttpRequest& request, const Match& found, port::Ticket ticket,
                              std::span<std::byte> body);
  [[nodiscard]] Reply run(const Route& route, Call& call);
  void go_on(const Route& route, Call& call) noexcept;

  // The ways in: intake.cpp.
  [[nodiscard]] bool is_foreign(Encoding encoding) const noexcept;
  [[nodiscard]] Reply take_in(const port::HttpRequest& request, const Match& found, port::Ticket ticket,
                              std::span<std::byte> body);
  [[nodiscard]] Reply push(const port::HttpRequest& request, port::Ticket ticket, std::span<std::byte> body);
  [[nodiscard]] Reply items(const port::HttpRequest& request, port::Ticket ticket, std::span<std::byte> body);
  /// Who has shown who they are, and with what.
  struct Sender {
    const model::Instance& instance;
    Shape shape;
    std::string_view body;
    std::string_view token;  ///< shown in the head or in the body
    bool is_json = true;     ///< the body
    std::string_view peer = {};
    const port::Digest256* certificate = nullptr;  ///< shown by the connection
  };
  /// Nothing: the instance may send now, and so may this sender; else the refusal.
  [[nodiscard]] Reply refuse_sender(const Sender& sender, const Id128& request_id);
  /// A refusal that goes into the reject box too.
  [[nodiscard]] Response reject(const Sender& sender, const ingest::Refusal& refusal, const Id128& request_id);
  [[nodiscard]] Reply replay(const Call& call, const model::Reject& reject) override;
  [[nodiscard]] const model::Instance* find_sender(const port::HttpRequest& request,
                                                   const ingest::StandardEnvelope& envelope) const;
  /// A request of an alert source: source_intake.cpp.
  struct SourceRequest {
    port::Ticket ticket;
    Shape shape = Shape::fta;
    Id128 request_id{};  ///< of the answer: the sender's own when it gave one
    Id128 own_id{};      ///< of what is stored
    std::int32_t data_id = 0;
    std::uint32_t profile_revision = 0;
    bool debug = false;
    std::string token;
    std::string peer;
    std::vector<port::HttpMember> headers;
    std::vector<port::HttpMember> query;
  };
  class ProfileJob;
  [[nodiscard]] static Sender sender_of(const SourceRequest& source, const model::Instance& instance,
                                        std::span<const std::byte> body, bool is_json = false) noexcept;
  template <class Work>
  void go_on(const SourceRequest& request, Work&& work) noexcept;
  [[nodiscard]] Reply source(const port::HttpRequest& request, const Match& found, port::Ticket ticket,
                             std::span<std::byte> body);
  [[nodiscard]] Reply take_events(const SourceRequest& source, const model::Instance& instance,
                                  const ReadyProfile& profile, std::span<std::byte> body);
  [[nodiscard]] Reply normalise_events(const SourceRequest& source, const model::Instance& instance,
                                       const ReadyProfile& profile, std::span<std::byte> body);
  [[nodiscard]] Reply hand_over(core::Input&& input, Shape shape);

  Parts parts_;
  Counters counters_;
  Id128 request_id_{};  ///< of the request that a guard is around
  std::string emergency_room_;
  json::Parser parser_;
  Profiles profiles_;
  Activity activity_;
  RejectBox rejects_;
  Services services_;
  Access access_;
  RateLimit rate_;
  TotalRate total_rate_;
  ingest::PushReader push_reader_;
  ingest::StandardReader standard_reader_;
};

}  // namespace tocsin::api
