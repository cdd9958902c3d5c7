// SPDX-License-Identifier: Apache-2.0
// What a source would make of a sample: every step, and nothing stored.
#include "src/alert/engine.hpp"
#include "src/api/plugin_body.hpp"
#include "src/api/resources.hpp"
#include "src/api/source_body.hpp"
#include "src/ingest/facts_again.hpp"
#include "src/ingest/push.hpp"
#include "src/ingest/standard.hpp"
#include "src/json/cursor.hpp"
#include "src/json/writer.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"

namespace tocsin::api {
namespace {

constexpr std::size_t kEventsShownMax = 20;
constexpr std::size_t kEventBytesMax = 64 * KiB;  // of all of them
constexpr std::size_t kStepsBytesMax = 96 * KiB;
constexpr std::size_t kTextShownMax = 1024;  ///< of a value in a step

/// The steps of a normalisation as a JSON array, as far as there is room.
class Steps final : public normalise::Explain {
 public:
  Steps() : writer_(text_) { writer_.array(); }
  void step(const Step& step) override {
    is_cut_ = is_cut_ || text_.size() > kStepsBytesMax;
    if (is_cut_) return;
    writer_.object().member("what", to_text(step.what)).name("event").number(step.event);
    if (!step.place.empty()) writer_.member("place", step.place);
    writer_.member("value", model::cut_utf8(step.value, kTextShownMax));
    if (step.what == What::rule) writer_.name("matched").boolean(step.matched);
    if (*step.reason != '\0') writer_.member("reason", step.reason);
    writer_.end_object();
  }
  [[nodiscard]] std::string take() {
    writer_.end_array();
    return std::move(text_);
  }
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }

 private:
  std::string text_;
  json::Writer writer_;
  bool is_cut_ = false;
};

/// One event as it would be stored.
struct Explained {
  std::string json;
  std::string facts;  ///< encoded; empty: it touches no alert
  alert::Outcome outcome = alert::Outcome::stored;
  std::string alert_id;  ///< of the open alert that it would meet
};

struct Explanation {
  std::string steps = "[]";
  bool steps_cut = false;
  std::size_t count = 0;
  std::vector<Explained> events;  ///< the first kEventsShownMax
  std::optional<ingest::Refusal> refused;
};

/// A push body as it is; an item or a list of items as its `data`.
std::string as_push_body(std::string_view sample) {
  json::Cursor cursor(sample);
  bool has_data = false;
  if (sample.starts_with('{')) {
    cursor.enter('{');
    for (std::string_view name; cursor.next_member(name);) {
      has_data = has_data || name == "data";
      static_cast<void>(cursor.skip());
    }
  }
  if (has_data) return std::string(sample);
  const bool is_list = sample.starts_with('[');
  return std::string(R"({"data":)") + (is_list ? "" : "[") + std::string(sample) + (is_list ? "}" : "]}");
}

std::span<std::byte> padded(std::string& text) {
  const std::size_t size = text.size();
  text.resize(size + json::kPaddingBytes);
  return std::as_writable_bytes(std::span(text)).first(size);
}

/// Makes what an instance would make of a sample. io.
class Explainer {
 public:
  Explainer(const Services& services, const Call& call, const model::Instance& instance)
      : services_(services), call_(call), instance_(instance) {}

  Explanation run(const ReadyProfile& profile, std::string& sample) {
    const bool is_source = instance_.type == model::InstanceType::alert_source;
    if (auto made = is_source ? of_source(profile, sample) : of_push(sample); !made)
      out_.refused = std::move(made.error());
    return std::move(out_);
  }

 private:
  ingest::Checked<void> of_source(const ReadyProfile& profile, std::string& sample) {
    Steps steps;
    std::string events;
    const SourceBody body{profile, instance_, {}, {}, padded(sample)};
    const auto count = read_source_body(services_, body, &steps, events);
    out_.steps_cut = steps.is_cut();
    out_.steps = steps.take();
    if (!count) return tl::unexpected(count.error());
    out_.count = *count;
    if (*count == 0) return {};
    ingest::StandardReader reader(services_.parser, services_.parts.crypto, services_.parts.secret,
                                  {services_.parts.timezone_offset_minutes});
    reader.use_made(events, *count);
    model::EventBatch batch(services_.parts.intake);
    if (auto taken = reader.read_items(instance_, call_.now, call_.request_id, batch); !taken) return taken;
    keep(batch);
    return {};
  }
  ingest::Checked<void> of_push(std::string& sample) {
    if (const auto checked = services_.parser.check(as_text(padded(sample))); !checked)
      return tl::unexpected(ingest::refuse(checked.error()).value());
    else
      sample = as_push_body(checked->text);
    ingest::PushReader reader(services_.parser, services_.parts.crypto);
    if (const auto envelope = reader.read_envelope(padded(sample)); !envelope) return tl::unexpected(envelope.error());
    model::EventBatch batch(services_.parts.intake);
    if (auto taken = reader.read_items(instance_, call_.now, batch); !taken) return taken;
    out_.count = batch.items.size();
    keep(batch);
    return {};
  }
  void keep(const model::EventBatch& batch) {
    std::size_t at = 0;
    std::string scratch;
    for (std::size_t i = 0; i < batch.items.size() && i < kEventsShownMax && at < kEventBytesMax; ++i) {
      const model::Item& item = batch.items[i];
      Explained& one = out_.events.emplace_back();
      one.json.assign(reinterpret_cast<const char*>(batch.bytes.data()) + at, item.json_bytes);
      at += item.json_bytes + item.facts_bytes;
      if (!batch.is_alerting) continue;
      const auto facts = ingest::facts_of(services_.parts.crypto, batch.kind, instance_, one.json, scratch);
      if (facts.ok()) model::encode(*facts, one.facts);
    }
  }

  const Services& services_;
  const Call& call_;
  const model::Instance& instance_;
  Explanation out_;
};

/// Looks up the open alerts that the events would meet, and answers.
class OutcomeJob final : public core::Job {
 public:
  OutcomeJob(const Services& services, const Call& call, model::Instance instance, Explanation explanation)
      : services_(services), call_(call), instance_(std::move(instance)), made_(std::move(explanation)) {}

  Result<bool> step(port::ReadTxn& txn) override {
    for (Explained& event : made_.events) {
      const auto facts = model::decode_facts(as_bytes(event.facts));
      if (!facts.ok()) continue;
      auto open = open_alert(txn, facts->dedupe);
      if (!open.ok()) return open.error();
      const alert::Arrival arrival{.seq = ~0ULL,
                                   .received = call_.now.wall,
                                   .data_id = instance_.data_id,
                                   .plugin_id = instance_.plugin_id,
                                   .can_expire = instance_.type == model::InstanceType::alert_source};
      event.outcome = alert::decide(*open ? &**open : nullptr, *facts, arrival).outcome;
      if (*open) event.alert_id = model::alert_id(**open);
    }
    return true;
  }
  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] { return data(); });
  }

 private:
  /// A damaged one counts as none, as for the writer.
  static Result<std::optional<model::Alert>> open_alert(port::ReadTxn& txn, const Id128& dedupe) {
    const model::Key key = model::Key(model::Table::open_alert).raw(dedupe);
    const auto value = txn.get(key);
    if (!value.ok()) return value.error().in("looking up an alert");
    if (!*value) return std::optional<model::Alert>{};
    const auto payload = model::unseal(key, **value);
    if (!payload.ok() || payload->size() != sizeof(std::uint64_t)) return std::optional<model::Alert>{};
    const model::Key at = model::Key(model::Table::alert).u64(load<std::uint64_t>(payload->data()));
    const auto entry = txn.get(at);
    if (!entry.ok()) return entry.error().in("reading an alert");
    if (!*entry) return std::optional<model::Alert>{};
    auto alert = model::open_sealed(at, **entry, model::decode_alert);
    return alert.ok() ? std::optional<model::Alert>(std::move(*alert)) : std::nullopt;
  }
  [[nodiscard]] std::string data() const {
    std::string out;
    json::Writer w(out);
    w.object().member("plugin_id", instance_.plugin_id).name("data_id").number(instance_.data_id);
    w.member("type", model::to_text(instance_.type)).name("steps").raw(made_.steps);
    w.name("steps_cut")
        .boolean(made_.steps_cut)
        .name("count")
        .number(std::uint64_t{made_.count})
        .name("events")
        .array();
    for (const Explained& event : made_.events) write(w, event);
    w.end_array().name("refused");
    if (made_.refused) {
      w.object().name("status").number(std::uint32_t{made_.refused->http_status});
      w.member("code", made_.refused->code.text()).member("message", made_.refused->message).end_object();
    } else {
      w.null();
    }
    w.end_object();
    return out;
  }
  static void write(json::Writer& w, const Explained& event) {
    w.object().name("event").raw(event.json).name("dedupe_md5");
    const auto facts = model::decode_facts(as_bytes(event.facts));
    if (facts.ok()) {
      w.text(to_hex(facts->dedupe)).name("severity").number(std::uint32_t{facts->severity});
    } else {
      w.null();
    }
    w.member("outcome", alert::to_text(event.outcome)).name("alert_id");
    if (event.alert_id.empty()) {
      w.null();
    } else {
      w.text(event.alert_id);
    }
    w.end_object();
  }

  const Services& services_;
  Call call_;
  model::Instance instance_;
  Explanation made_;
};

/// Brings the profile from the store, as it is there now.
class ExplainJob final : public core::Job {
 public:
  ExplainJob(const Services& services, const Call& call, model::Instance instance)
      : services_(services), call_(call), instance_(std::move(instance)) {}

  Result<bool> step(port::ReadTxn& txn) override {
    return registry::read_profile_into(profile_, txn, instance_.data_id);
  }
  void finish(const Status& outcome) noexcept override {
    try {
      if (auto response = go_on(outcome)) services_.answer(call_.ticket, std::move(*response));
    } catch (const std::bad_alloc&) {
      services_.answer_out_of_memory(call_.ticket, Shape::admin, call_.request_id);
    } catch (...) {
      ++services_.counters.internal_errors;
      services_.answer(call_.ticket, emergency_reply(Shape::admin, 500, call_.request_id, services_.emergency_room));
    }
  }

 private:
  Reply go_on(const Status& outcome) {
    if (!outcome.ok()) return fail_with(call_, outcome.error());
    const auto ready = services_.profiles.add(instance_.data_id, instance_.profile_revision, profile_);
    if (!ready) return call_.fail(409, "profile: " + ready.error().message, "profile_unusable");
    Explanation made = Explainer(services_, call_, instance_).run(**ready, call_.body);
    call_.body = {};
    return post_job(services_, call_,
                    std::make_unique<OutcomeJob>(services_, call_, std::move(instance_), std::move(made)));
  }

  const Services& services_;
  Call call_;
  model::Instance instance_;
  model::Profile profile_;
};

}  // namespace

Reply post_explain(const Services& services, Call& call) {
  Reply refusal;
  const model::Instance* found = find_instance(services, call, refusal);
  if (found == nullptr) return refusal;
  if (call.body.empty()) return call.fail(400, "body: empty", "body_empty");
  return post_job(services, call, std::make_unique<ExplainJob>(services, call, *found));
}

}  // namespace tocsin::api
