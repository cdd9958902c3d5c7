// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.hpp"

#include <algorithm>

#include "src/audit/verify.hpp"
#include "src/model/alert.hpp"
#include "src/model/seal.hpp"

namespace tocsin::test {
namespace {

constexpr std::int64_t kWallStart = 1'793'500'000'000;
constexpr std::size_t kIntakeMax = 64;

core::FoldNews* find(std::vector<core::FoldNews>& news, std::uint64_t number) {
  const auto at = std::find_if(news.begin(), news.end(), [number](const auto& one) { return one.number == number; });
  return at == news.end() ? nullptr : &*at;
}

}  // namespace

World::World(std::uint64_t seed, const WorldPlan& plan)
    : plan_(plan),
      dice_(seed),
      random_(seed ^ 0x5EED),
      clock_(kWallStart),
      store_(plan.quota_bytes),
      clients_(crypto_, random_, ledger_, dice_),
      partition_(clients_, crypto_, ledger_, dice_),
      uplink_(store_, ledger_, dice_, plan.window_bytes) {
  settings_.upstreams = {{"centre", {true, true, true}}};
  settings_.retention_ms = plan.retention_ms;
  settings_.delivery_window_bytes = plan.window_bytes;
}

void World::note(std::string_view what, std::uint64_t number) {
  for (const char c : what) trace_ = (trace_ ^ static_cast<unsigned char>(c)) * 0x100'0000'01B3ULL;
  trace_ = (trace_ ^ number) * 0x100'0000'01B3ULL;
}

void World::step() {
  pass_time();
  choose_faults();
  if (core_ == nullptr && !start()) return;
  if (!healed_) clients_send();
  if (auto one = partition_.next(view_, clock_.now(), healed_)) intake_.push_back(std::move(*one));
  auto uplink_faults = healed_ ? UplinkFaults{} : plan_.uplink;
  uplink_faults.offline = offline_steps_ > 0;
  uplink_.step(uplink_faults, view_, confirms_);
  CutAt cut = CutAt::nowhere;
  if (!healed_ && dice_.once_in(plan_.power_cut)) cut = static_cast<CutAt>(1 + dice_.below(3));
  if (cut == CutAt::before_turn) {
    power_cut();
  } else {
    take_turn(cut);
  }
  note("step", ledger_.arrivals());
}

void World::pass_time() {
  clock_.advance(dice_.between(0, 400));
  if (healed_) return;
  if (dice_.once_in(plan_.long_pause)) clock_.advance(dice_.between(5'000, 40'000));
  if (dice_.once_in(plan_.long_pause * 8)) clock_.advance(plan_.retention_ms / 2);
  if (dice_.once_in(plan_.wall_step)) clock_.step_wall(dice_.between(-3'600'000, 3'600'000));
  if (dice_.once_in(plan_.trust_change)) clock_.trust(dice_.once_in(2));
}

void World::choose_faults() {
  const auto counts_down = [](std::uint64_t& steps) {
    if (steps > 0) --steps;
  };
  counts_down(dead_steps_);
  counts_down(full_steps_);
  counts_down(offline_steps_);
  if (!healed_) {
    if (dice_.once_in(plan_.dead_card)) dead_steps_ = 1 + dice_.below(6);
    if (dice_.once_in(plan_.store_full)) full_steps_ = 1 + dice_.below(10);
    if (dice_.once_in(plan_.offline)) offline_steps_ = 1 + dice_.below(80);
  }
  store_.set_quota(full_steps_ > 0 ? store_.use().used_bytes : plan_.quota_bytes);
  store_.fail_operation(dead_steps_ > 0 ? 1 : 0, sim::Repeat::for_good);
  if (!healed_ && dead_steps_ == 0 && dice_.once_in(plan_.operation_fault)) {
    static constexpr std::array kCodes{Errc::io_failed, Errc::out_of_budget, Errc::storage_full};
    store_.fail_operation(1 + dice_.below(60), sim::Repeat::once, kCodes[dice_.below(kCodes.size())]);
  }
}

bool World::start() {
  core_ = std::make_unique<core::Core>(core::Ports{store_, crypto_, random_}, settings_);
  const auto done = core_->start(clock_.now());
  note("start", done.ok() ? 1 : 0);
  if (!done.ok()) {
    // The daemon ends and is started again; what its last commit did may be anything.
    power_cut();
    return false;
  }
  ++restarts_;
  view_ = core_->view();
  uplink_.start(view_);
  begin_partition();
  check_all();
  return true;
}

void World::check_all() {
  check_log();
  check_alerts();
  check_audit();
}

void World::check_log() {
  store_.fail_operation(0, sim::Repeat::once);
  read_news();
  store_.fail_operation(0, sim::Repeat::once);
  if (auto txn = store_.begin_read(); txn.ok()) ledger_.check_all(**txn);
  if (dead_steps_ > 0) store_.fail_operation(1, sim::Repeat::for_good);
}

void World::power_cut() {
  note("cut");
  core_.reset();
  store_.crash();
  uplink_.crash();
  partition_.crash();
  intake_.clear();
  confirms_.clear();
  clock_.restart(dice_.once_in(4) ? sim::Clock::Battery::none : sim::Clock::Battery::present);
  if (clock_.wall().unix_ms < kWallStart / 2 && dice_.once_in(2)) clock_.step_wall(kWallStart), clock_.trust(true);
}

void World::clients_send() {
  if (!registered_) {
    for (auto& one : clients_.first_inputs()) intake_.push_back(std::move(one));
    registered_ = true;
  }
  for (std::uint64_t n = dice_.below(plan_.pushes_max + 1); n > 0 && intake_.size() < kIntakeMax; --n) {
    if (auto one = clients_.next(view_, core_->identity().secret, clock_.now(), plan_.items_max))
      intake_.push_back(std::move(*one));
  }
}

void World::begin_partition() {
  store_.fail_operation(0, sim::Repeat::once);
  if (auto txn = store_.begin_read(); txn.ok()) partition_.begin(**txn);
  if (dead_steps_ > 0) store_.fail_operation(1, sim::Repeat::for_good);
}

void World::take_turn(CutAt cut) {
  std::vector<Clients::Waiting> taken;
  std::vector<core::Input> inputs;
  for (std::uint64_t n = healed_ ? kIntakeMax : dice_.below(10); n > 0 && !intake_.empty(); --n) {
    taken.push_back(std::move(intake_.front()));
    intake_.pop_front();
    inputs.push_back(std::move(taken.back().input));
    taken.back().input = {inputs.back().reply, core::Note{}};
  }
  for (const auto& confirm : confirms_) inputs.push_back({{}, confirm});
  confirms_.clear();
  const auto due = core_->next_deadline();
  if (inputs.empty() && (!due || *due > clock_.now().mono)) {
    static_cast<void>(core_->background(clock_.now()));
    return;
  }
  const bool has_fault = !healed_ && (cut == CutAt::in_commit || dice_.once_in(plan_.commit_fault));
  const auto fault = static_cast<sim::CommitFault>(has_fault ? 1 + dice_.below(3) : 0);
  store_.fail_next_commit(fault);
  if (fault == sim::CommitFault::failed_but_durable) {
    for (const auto& one : taken) {
      for (const auto tag : one.tags) ledger_.may_be_stored(tag);
    }
  }
  core::Effects out;
  core_->turn(inputs, clock_.now(), out);
  store_.fail_next_commit(sim::CommitFault::none);
  note("turn", inputs.size());
  // What the turn decided to say holds, whether or not the cut leaves time to say it.
  for (const auto& answer : out.answers) judge(answer, taken);
  if (cut == CutAt::after_turn || cut == CutAt::in_commit) {
    power_cut();
    return;
  }
  if (core_->background(clock_.now())) note("background");
  if (core_->view().generation != view_.generation) {
    check_log();
  } else {
    read_news();
  }
  if (out.changed || core_->view().generation != view_.generation) {
    view_ = core_->view();
    uplink_.on_view(view_);
    if (dice_.once_in(8)) check_alerts();
  }
}

void World::judge(const core::Answer& answer, std::vector<Clients::Waiting>& taken) {
  note("answer", answer.refused ? 1 + static_cast<std::uint64_t>(*answer.refused) : 0);
  const auto found = std::find_if(taken.begin(), taken.end(),
                                  [&](const auto& one) { return one.input.reply.ticket == answer.reply.ticket; });
  if (found == taken.end()) return ledger_.wrong().emplace_back("an answer nobody waits for"), void();
  found->input.reply.ticket = ~0ULL;  // a second answer finds nobody
  if (partition_.is_mine(answer) && partition_.on_answer(answer)) begin_partition();
  const bool is_repeat = answer.data.find(R"("outcome":"repeat")") != std::string::npos;
  for (const auto tag : found->tags) {
    if (answer.refused) continue;
    if (is_repeat) {
      ledger_.answered_as_repeat(tag);
    } else {
      ledger_.answered(tag);
    }
  }
}

void World::read_news() {
  const std::uint64_t dead = dead_steps_;
  store_.fail_operation(0, sim::Repeat::once);
  if (auto txn = store_.begin_read(); txn.ok()) ledger_.read_news(**txn);
  if (dead > 0) store_.fail_operation(1, sim::Repeat::for_good);
}

void World::check_alerts() {
  store_.fail_operation(0, sim::Repeat::once);
  auto txn = store_.begin_read();
  if (!txn.ok()) return;
  auto news = *core_->view().folds;
  std::map<std::string, AlertModel::Open> open;
  model::Key at(model::Table::open_alert);
  std::string from(as_text(at));
  for (;;) {
    auto entry = (*txn)->at_or_after(as_bytes(from));
    if (!entry.ok() || !*entry || !model::is_in((*entry)->key, model::Table::open_alert)) break;
    from = std::string(as_text((*entry)->key)) + '\0';
    const auto number = model::unseal((*entry)->key, (*entry)->value);
    if (!number.ok()) return ledger_.wrong().emplace_back("an open alert with a bad seal"), void();
    const auto key = model::Key(model::Table::alert).u64(load<std::uint64_t>(number->data()));
    auto value = (*txn)->get(key);
    const auto payload =
        value.ok() && *value ? model::unseal(key, **value) : Result<Bytes>(error(Errc::not_found, "alert"));
    const auto alert = payload.ok() ? model::decode_alert(*payload) : Result<model::Alert>(payload.error());
    if (!alert.ok()) return ledger_.wrong().emplace_back("an open alert that is not stored"), void();
    const auto* folds = find(news, alert->number);
    open[alert->alert_name] = {alert->severity, folds != nullptr ? folds->event_count : alert->event_count, 0,
                               alert->state == model::AlertState::acked};
  }
  auto expected = ledger_.alerts().open();
  for (auto& [name, alert] : expected) alert.begin_ms = 0;
  if (open == expected) return;
  for (const auto& [name, alert] : expected) {
    const auto found = open.find(name);
    const auto is =
        found == open.end() ? "not open" : std::to_string(found->second.count) + (found->second.acked ? " acked" : "");
    if (found == open.end() || found->second != alert)
      ledger_.wrong().push_back("alert " + name + " is " + is + " and should be " + std::to_string(alert.count) +
                                (alert.acked ? " acked" : ""));
  }
  if (open.size() != expected.size()) ledger_.wrong().emplace_back("other alerts are open than should be");
}

void World::check_audit() {
  auto txn = store_.begin_read();
  if (!txn.ok()) return;
  audit::Verifier verifier(crypto_, audit::begin(), std::nullopt);
  for (;;) {
    const auto done = audit::verify_slice(verifier, **txn, 1'000);
    if (!done.ok() || *done) break;
  }
  const auto report = verifier.finish(audit::Tail::may_have_grown);
  if (!report.ok())
    ledger_.wrong().push_back(std::string("the audit log does not verify: ") + audit::to_text(report.fault));
}

bool World::heal(int steps_max) {
  healed_ = true;
  dead_steps_ = full_steps_ = offline_steps_ = 0;
  clock_.trust(true);
  for (int n = 0; n < steps_max; ++n) {
    step();
    if (!wrong().empty()) return false;
    if (core_ == nullptr || !intake_.empty() || !confirms_.empty() || !uplink_.has_all() || !partition_.has_all())
      continue;
    check_all();
    if (auto txn = store_.begin_read(); txn.ok()) ledger_.check_delivered(**txn);
    return true;
  }
  return false;
}

std::string World::describe() const {
  const auto g = core_ ? core_->gauges() : core::Gauges{};
  std::string out;
  const auto tell = [&out](const char* name, std::uint64_t number) { out.append(name).append(std::to_string(number)); };
  tell("events ", ledger_.events());
  tell(" next_seq ", g.next_seq);
  tell(" used ", g.store_used_bytes);
  tell(" of ", g.store_quota_bytes);
  tell(" reloads ", g.reloads);
  tell(" failed turns ", g.turns_failed);
  tell(" records ", partition_.size());
  tell(" conflicts ", partition_.conflicts());
  return out.append("; ").append(core_ ? uplink_.describe() : "no core");
}

}  // namespace tocsin::test
