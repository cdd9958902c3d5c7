// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/alert/engine.hpp"
#include "src/core/state.hpp"
#include "src/ingest/facts_again.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

/// One lane's records in order, one at a time.
class LaneReader {
 public:
  LaneReader(port::ReadTxn& txn, model::Lane lane, std::uint64_t from) : txn_(txn), lane_(lane), at_(from) {}

  /// After it record() is the next one, if there is one.
  [[nodiscard]] Status advance() {
    record_.reset();
    for (;;) {
      if (segment_) {
        record_ = segment_->next(at_);
        at_ = record_ ? record_->seq + 1 : std::max(at_, segment_->last_seq() + 1);
        if (record_) return {};
        segment_.reset();
      }
      auto entry = log::segment_at(txn_, lane_, at_);
      if (!entry.ok()) return entry.error();
      if (!*entry) return {};
      auto opened = model::SegmentReader::open((*entry)->key, (*entry)->value);
      if (opened.ok()) {
        segment_ = *opened;
      } else if (opened.error().code == Errc::unsupported) {
        return opened.error();
      } else {
        at_ = std::max(at_, load_be64((*entry)->key.data() + 2)) + 1;
      }
    }
  }
  [[nodiscard]] const std::optional<model::Record>& record() const noexcept { return record_; }
  [[nodiscard]] Wall received() const noexcept {
    return {record_->wall_ms, (segment_->header().flags & model::kSegmentTrusted) != 0};
  }

 private:
  port::ReadTxn& txn_;
  model::Lane lane_;
  std::uint64_t at_;
  std::optional<model::SegmentReader> segment_;
  std::optional<model::Record> record_;
};

/// The payload under a key; nullopt: absent or damaged. Only the store's own errors are errors.
Result<std::optional<Bytes>> read_sealed(port::ReadTxn& txn, const Key& key) {
  auto value = txn.get(key);
  if (!value.ok()) return value.error();
  if (!*value) return std::optional<Bytes>{};
  const auto payload = model::unseal(key, **value);
  return payload.ok() ? std::optional<Bytes>{*payload} : std::optional<Bytes>{};
}

Result<std::optional<model::Alert>> open_alert(port::ReadTxn& txn, alert::AlertCache& cache, const Id128& dedupe) {
  if (const auto* cached = cache.find(dedupe)) return std::optional<model::Alert>{*cached};
  const auto number = read_sealed(txn, Key(Table::open_alert).raw(dedupe));
  if (!number.ok()) return number.error();
  if (!*number || (*number)->size() != sizeof(std::uint64_t)) return std::optional<model::Alert>{};
  const auto payload = read_sealed(txn, Key(Table::alert).u64(load<std::uint64_t>((*number)->data())));
  if (!payload.ok()) return payload.error();
  if (!*payload) return std::optional<model::Alert>{};
  auto alert = model::decode_alert(**payload);
  if (!alert.ok() || !model::is_open(alert->state)) return std::optional<model::Alert>{};
  return std::optional<model::Alert>{std::move(*alert)};
}

}  // namespace

/// Counts one record's fold again, if it was one.
Status Core::refold(port::ReadTxn& txn, const model::Record& record, Wall received, Now now) {
  const auto* instance = state_->registry->instance(record.data_id);
  if (instance == nullptr) return {};
  if (record.kind == model::RecordKind::custom_event && instance->alert == 0) return {};
  std::string scratch;
  const auto facts = ingest::facts_of(ports_.crypto, record.kind, *instance, record.json, scratch);
  if (!facts.ok()) return {};
  auto alert = open_alert(txn, state_->cache, facts->dedupe);
  if (!alert.ok()) return alert.error().in("recount of folds");
  if (!*alert) return {};
  if (!alert::refold(**alert, *facts,
                     {record.seq, received, record.data_id, instance->plugin_id,
                      record.kind == model::RecordKind::standard_event}))
    return {};
  if (!state_->folds_since) state_->folds_since = now.mono;
  ++state_->folds_waiting;
  // Between two flushes the dirty ones stay below a third of the cache, so none has to make room.
  if (!state_->cache.put(std::move(**alert), record.seq).empty()) return error(Errc::out_of_budget, "recount of folds");
  return {};
}

Status Core::recount_slice(std::uint64_t& from, Now now) {
  auto txn = ports_.store.begin_read();
  if (!txn.ok()) return txn.error();
  // In the order of the turns: across lanes too an event counts only once something newer has not been counted.
  LaneReader critical(**txn, model::Lane::critical, from);
  LaneReader normal(**txn, model::Lane::normal, from);
  if (auto done = critical.advance(); !done.ok()) return done;
  if (auto done = normal.advance(); !done.ok()) return done;
  while (critical.record() || normal.record()) {
    const bool is_critical = critical.record() && (!normal.record() || critical.record()->seq < normal.record()->seq);
    LaneReader& next = is_critical ? critical : normal;
    from = next.record()->seq + 1;
    if (auto done = refold(**txn, *next.record(), next.received(), now); !done.ok()) return done;
    if (state_->cache.dirty_bytes() > state_->cache.limit_bytes() / 3) return {};
    if (auto done = next.advance(); !done.ok()) return done;
  }
  from = 0;
  return {};
}

Status Core::write_folds() {
  auto txn = ports_.store.begin_write();
  if (!txn.ok()) return txn.error();
  while (state_->cache.dirty() > 0) {
    for (const model::Alert& alert : state_->cache.take_dirty(64)) {
      auto done = model::put_sealed(**txn, Key(Table::alert).u64(alert.number), alert);
      if (!done.ok()) return done;
    }
  }
  return (*txn)->commit();
}

Status Core::recount_folds(Now now) {
  for (std::uint64_t from = state_->record.folds_from_seq; from != 0;) {
    if (auto done = recount_slice(from, now); !done.ok()) return done;
    if (from == 0) break;
    if (auto done = write_folds(); !done.ok()) return done.error().in("recount of folds");
  }
  state_->show_folds();
  return {};
}

}  // namespace tocsin::core
