// SPDX-License-Identifier: Apache-2.0
#include "src/alert/document.hpp"
#include "src/api/body.hpp"
#include "src/api/resources.hpp"
#include "src/json/writer.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"

namespace tocsin::api {
namespace {

constexpr int kAlertsPerSlice = 256;
constexpr std::size_t kAlertIdBytesMax = 40;

model::Key alert_key(std::uint64_t number) noexcept { return model::Key(model::Table::alert).u64(number); }

/// The alert under that entry; an error for one that is damaged.
Result<model::Alert> read_alert(const port::Entry& entry) {
  return model::open_sealed(entry.key, entry.value, model::decode_alert);
}

using Folds = std::shared_ptr<const std::vector<core::FoldNews>>;

using Clocks = std::shared_ptr<const core::BootClocks>;

alert::Redate dates_of(const Clocks& clocks, const model::Alert& alert) noexcept {
  return clocks ? clocks->dates_of(alert) : alert::Redate{};
}

/// Adds what the writer has counted and not written yet.
void add_folds(const Folds& folds, model::Alert& alert) {
  for (const core::FoldNews& news : *folds) {
    if (news.number != alert.number || news.event_count <= alert.event_count) continue;
    alert.event_count = news.event_count;
    alert.latest_ms = news.latest_ms;
    alert.update_ms = news.update_ms;
  }
}

/// Walks the alerts from the newest to the oldest.
class ListJob final : public core::Job {
 public:
  struct Query {
    std::optional<model::AlertState> state;
    std::uint64_t limit = kPageEntriesDefault;
    std::uint64_t before_number = ~0ULL;
  };
  ListJob(const Services& services, const Call& call, const Query& query)
      : services_(services),
        call_(call),
        query_(query),
        folds_(services.parts.daemon.view().folds),
        clocks_(services.parts.daemon.view().clocks) {}

  Result<bool> step(port::ReadTxn& txn) override {
    for (int n = 0; n < kAlertsPerSlice; ++n) {
      if (count_ >= query_.limit || items_.size() >= kPageBytesMax) return true;
      auto entry = txn.before(alert_key(query_.before_number));
      if (!entry.ok()) return entry.error();
      if (!*entry || !model::is_in((*entry)->key, model::Table::alert)) {
        is_end_ = true;
        return true;
      }
      query_.before_number = load_be64((*entry)->key.data() + 1);
      auto alert = read_alert(**entry);
      if (!alert.ok()) {
        ++damaged_;
        continue;
      }
      if (query_.state && alert->state != *query_.state) continue;
      add_folds(folds_, *alert);
      if (count_++ > 0) items_.push_back(',');
      alert::append_document(*alert, alert::Transition::none, items_, dates_of(clocks_, *alert));
    }
    return false;
  }

  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      std::string data = R"({"items":[)";
      data += items_;
      data += R"(],"damaged":)" + std::to_string(damaged_) + R"(,"cursor":)";
      data += is_end_ ? std::string("null") : '"' + std::to_string(query_.before_number) + '"';
      data += '}';
      return data;
    });
  }

 private:
  const Services& services_;
  Call call_;
  Query query_;
  Folds folds_;
  Clocks clocks_;
  std::string items_;
  std::uint64_t count_ = 0;
  std::uint64_t damaged_ = 0;
  bool is_end_ = false;
};

class OneJob final : public core::Job {
 public:
  OneJob(const Services& services, const Call& call, std::uint64_t number)
      : services_(services),
        call_(call),
        number_(number),
        folds_(services.parts.daemon.view().folds),
        clocks_(services.parts.daemon.view().clocks) {}

  Result<bool> step(port::ReadTxn& txn) override {
    const model::Key key = alert_key(number_);
    auto value = txn.get(key);
    if (!value.ok()) return value.error();
    if (!*value) return error(Errc::not_found, "there is no alert of this id");
    auto alert = read_alert({key, **value});
    if (!alert.ok()) return alert.error().in("the alert cannot be read");
    // The first ten digits are part of the id: another creation time is another alert.
    if (model::alert_id(*alert) != call_.parameter) return error(Errc::not_found, "there is no alert of this id");
    add_folds(folds_, *alert);
    alert::append_document(*alert, alert::Transition::none, data_, dates_of(clocks_, *alert));
    return true;
  }
  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] { return std::move(data_); });
  }

 private:
  const Services& services_;
  Call call_;
  std::uint64_t number_;
  Folds folds_;
  Clocks clocks_;
  std::string data_;
};

}  // namespace

Reply get_alerts(const Services& services, Call& call) {
  ListJob::Query query;
  if (const std::string* state = call.query("state"); state != nullptr) {
    using model::AlertState;
    for (const AlertState known :
         {AlertState::abnormal, AlertState::acked, AlertState::recovered, AlertState::closed}) {
      if (*state == model::to_text(known)) query.state = known;
    }
    if (!query.state) return call.fail(400, "state: must be one of ABNORMAL, ACK, RECOVERED, CLOSED");
  }
  const auto limit = query_number(call, "limit", kPageEntriesDefault, 1, kPageEntriesMax);
  if (!limit) return call.fail(400, "limit: must be a whole number from 1 to 500");
  const auto cursor = query_number(call, "cursor", ~0ULL, 1, ~0ULL);
  if (!cursor) return call.fail(400, "cursor: must be one that an earlier answer gave");
  query.limit = *limit;
  query.before_number = *cursor;
  return post_job(services, call, std::make_unique<ListJob>(services, call, query));
}

Reply get_alert(const Services& services, Call& call) {
  const std::uint64_t number = model::alert_number(call.parameter);
  if (number == 0) return call.fail(404, "there is no alert of this id");
  return post_job(services, call, std::make_unique<OneJob>(services, call, number));
}

Reply post_alerts_ack(const Services& services, Call& call) {
  Body body(services, call.body, {"ids", "alert_ids", "message"});
  core::AckAlerts ack;
  auto ids = body.texts("ids", core::kAckIdsMax, kAlertIdBytesMax);
  auto alert_ids = body.texts("alert_ids", core::kAckIdsMax, kAlertIdBytesMax);
  if (ids && alert_ids) body.reject("alert_ids", "give either this or ids");
  if (!ids && !alert_ids) body.reject("ids", "missing");
  if (auto message = body.text("message", 0, model::kMessageBytesMax)) ack.message = std::move(*message);
  if (!body.ok()) return call.fail(400, body.problem());
  ack.ids = ids ? std::move(*ids) : std::move(*alert_ids);
  ack.actor = call.who.actor;
  return post_input(services, call, {call.reply_to(), std::move(ack)});
}

Reply not_in_this_release(const Services& /*services*/, Call& call) { return call.fail(501, "not in this release"); }

}  // namespace tocsin::api
