// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/api/resources.hpp"
#include "src/core/rejects.hpp"
#include "src/json/writer.hpp"
#include "src/model/seal.hpp"

namespace tocsin::api {
namespace {

using model::Key;
using model::Reject;
using model::Table;

void write_reject(json::Writer& w, const Reject& reject, const registry::Registry& registry) {
  const model::Instance* instance = registry.instance(reject.data_id);
  w.object().member("id", model::reject_id(reject.data_id, reject.code)).name("data_id").number(reject.data_id);
  w.name("plugin_id");
  if (instance != nullptr) {
    w.text(instance->plugin_id);
  } else {
    w.null();
  }
  w.member("code", reject.code).member("message", reject.message);
  w.name("http_status").number(std::uint32_t{reject.http_status}).member("way", to_text(reject.way));
  w.name("count").number(reject.count).name("first").time(reject.first_ms).name("first_ms").number(reject.first_ms);
  w.name("last").time(reject.last_ms).name("last_ms").number(reject.last_ms);
  w.name("clock_trusted").boolean(reject.is_time_trusted).name("body_bytes").number(reject.body_bytes);
  w.name("can_replay").boolean(reject.is_whole && reject.way != model::RejectWay::source);
}

/// What changed last first. The box is small: one slice sees all of it.
class RejectsJob final : public core::Job {
 public:
  RejectsJob(const Services& services, const Call& call, std::uint64_t limit, std::uint64_t before,
             std::int32_t data_id)
      : services_(services), call_(call), limit_(limit), before_(before), data_id_(data_id) {}

  Result<bool> step(port::ReadTxn& txn) override {
    std::string next{as_text(Key(Table::reject))};
    for (std::size_t n = 0; n < core::kRejectBoxEntriesMax + 2 * model::kInstancesMax; ++n) {
      auto entry = txn.at_or_after(as_bytes(next));
      if (!entry.ok()) return entry.error();
      if (!*entry || !model::is_in((*entry)->key, Table::reject)) break;
      next = as_text((*entry)->key);
      next.push_back('\0');
      if ((*entry)->key.size() > Bytes(model::reject_alarm_key(0)).size()) look_at(**entry);
    }
    std::ranges::sort(found_, std::ranges::greater{}, &Reject::order);
    return true;
  }
  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      const auto& registry = *services_.parts.daemon.view().registry;
      std::string data;
      json::Writer w(data);
      w.object().name("items").array();
      const std::size_t shown = std::min(found_.size(), static_cast<std::size_t>(limit_));
      for (std::size_t i = 0; i < shown; ++i) {
        write_reject(w, found_[i], registry);
        w.end_object();
      }
      w.end_array().name("damaged").number(damaged_).name("cursor");
      if (shown < found_.size()) {
        w.text(std::to_string(found_[shown - 1].order));
      } else {
        w.null();
      }
      w.end_object();
      return data;
    });
  }

 private:
  void look_at(const port::Entry& entry) {
    auto reject = model::open_sealed(entry.key, entry.value, model::decode_reject);
    if (!reject.ok()) {
      ++damaged_;
      return;
    }
    if (reject->order >= before_ || (data_id_ != 0 && reject->data_id != data_id_)) return;
    std::string().swap(reject->body);
    found_.push_back(std::move(*reject));
  }

  const Services& services_;
  Call call_;
  std::uint64_t limit_;
  std::uint64_t before_;
  std::int32_t data_id_;
  std::vector<Reject> found_;
  std::uint64_t damaged_ = 0;
};

enum class Then : std::uint8_t { show, replay };

class RejectJob final : public core::Job {
 public:
  RejectJob(const Services& services, const Call& call, const Key& key, Then then)
      : services_(services), call_(call), key_(key), then_(then) {}

  Result<bool> step(port::ReadTxn& txn) override {
    auto value = txn.get(key_);
    if (!value.ok()) return value.error();
    if (!*value) return error(Errc::not_found, "nothing of this id is in the reject box");
    auto reject = model::open_sealed(key_, **value, model::decode_reject);
    if (!reject.ok()) return reject.error().in("this entry cannot be read");
    reject_ = std::move(*reject);
    return true;
  }
  void finish(const Status& outcome) noexcept override {
    if (outcome.ok() && then_ == Then::replay) {
      replay();
      return;
    }
    answer_guarded(services_, call_, outcome, [&] {
      std::string data;
      json::Writer w(data);
      write_reject(w, reject_, *services_.parts.daemon.view().registry);
      w.member("body", reject_.body).end_object();
      return data;
    });
  }

 private:
  void replay() noexcept {
    try {
      if (auto refusal = services_.replayer.replay(call_, reject_)) services_.answer(call_.ticket, std::move(*refusal));
    } catch (const std::bad_alloc&) {
      services_.answer_out_of_memory(call_.ticket, Shape::admin, call_.request_id);
    }
  }

  const Services& services_;
  Call call_;
  Key key_;
  Then then_;
  Reject reject_;
};

Reply look_up(const Services& services, Call& call, Then then) {
  const auto key = model::key_of_reject(call.parameter);
  if (!key.ok()) return call.fail(404, "nothing of this id is in the reject box");
  return post_job(services, call, std::make_unique<RejectJob>(services, call, *key, then));
}

}  // namespace

Reply get_rejects(const Services& services, Call& call) {
  const auto limit = query_number(call, "limit", kPageEntriesDefault, 1, kPageEntriesMax);
  if (!limit) return call.fail(400, "limit: must be a whole number from 1 to 500");
  const auto cursor = query_number(call, "cursor", ~0ULL, 1, ~0ULL);
  if (!cursor) return call.fail(400, "cursor: must be one that an earlier answer gave");
  const auto data_id = query_number(call, "plugin", 0, 1, model::kDataIdMax);
  if (!data_id) return call.fail(400, "plugin: must be a data id");
  return post_job(services, call,
                  std::make_unique<RejectsJob>(services, call, *limit, *cursor, static_cast<std::int32_t>(*data_id)));
}

Reply get_reject(const Services& services, Call& call) { return look_up(services, call, Then::show); }

Reply post_reject_replay(const Services& services, Call& call) { return look_up(services, call, Then::replay); }

}  // namespace tocsin::api
