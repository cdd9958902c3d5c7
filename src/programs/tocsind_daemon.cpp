// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_daemon.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "platform/linux/files.hpp"
#include "src/config/explain.hpp"
#include "src/json/writer.hpp"
#include "src/page/page.hpp"
#include "src/programs/tocsind_host.hpp"
#include "src/programs/version.hpp"

namespace tocsin::programs {
namespace {

constexpr std::int64_t kTickMs = 1'000;
constexpr std::int64_t kStallMs = 1'000;
constexpr std::int64_t kFirstUserMs = 30'000;
constexpr std::int64_t kCanaryMs = 2'000;
constexpr std::int64_t kCanaryLateMs = 10'000;
/// A planned end takes 2 s at most; this much of it is for answering who waits.
constexpr std::int64_t kFarewellMs = 1'200;
/// The writer ignores it: it only shows that a turn comes back.
constexpr std::uint8_t kCanaryUpstream = 255;

std::size_t bytes(std::int64_t n) { return static_cast<std::size_t>(n); }

void say(const char* what, const Error& failure) {
  std::fprintf(stderr, "tocsind: %s: %s", what,
               failure.os_errno > 0 ? std::strerror(failure.os_errno) : to_text(failure.code));
  for (const char* context : failure.context) {
    if (context != nullptr) std::fprintf(stderr, " (%s)", context);
  }
  std::fputc('\n', stderr);
}

/// Connections of several addresses of one listener share its limit.
unsigned share_of(std::int64_t most, std::size_t addresses, std::int64_t least = 4) {
  return static_cast<unsigned>(
      std::max<std::int64_t>(most / static_cast<std::int64_t>(std::max<std::size_t>(addresses, 1)), least));
}

/// What a person can do about it, when that is known.
void advise(const Error& failure, const char* key) {
  const int number = failure.os_errno;
  if (number == EACCES || number == EPERM || number == ENOENT || number == EROFS) {
    std::fprintf(
        stderr,
        "tocsind: this user may not use that place, or its folder does not exist: start tocsind as the user that "
        "it was installed for, or name another place under %s\n",
        key);
  } else if (number == EADDRINUSE || failure.code == Errc::conflict) {
    std::fprintf(stderr, "tocsind: something else is there, perhaps another tocsind: end it, or change %s\n", key);
  } else if (number == EADDRNOTAVAIL) {
    std::fprintf(stderr, "tocsind: this machine does not have that address: change %s\n", key);
  }
}

}  // namespace

/// Breaks the circle between server and api: the server is made first and talks through this.
class TocsinDaemon::Handler final : public port::HttpHandler {
 public:
  port::HttpHandler* api = nullptr;
  std::optional<port::HttpResponse> on_head(const port::HttpRequest& request,
                                            std::size_t& body_bytes_max) noexcept override {
    return api->on_head(request, body_bytes_max);
  }
  std::optional<port::HttpResponse> on_request(const port::HttpRequest& request, port::Ticket ticket,
                                               std::span<std::byte> body) noexcept override {
    return api->on_request(request, ticket, body);
  }
  port::HttpResponse refusal(const port::HttpRequest& request, std::uint16_t status,
                             std::string_view why) noexcept override {
    return api->refusal(request, status, why);
  }
};

TocsinDaemon::TocsinDaemon(config::Loaded loaded)
    : loaded_(std::move(loaded)),
      config_(loaded_.config),
      ledger_(config::ledger_for(config::kBoard, config_)),
      machine_clock_({.has_battery_clock = config::kBoard.has_battery_clock, .not_before_unix_ms = kBuildTimeMs}),
      small_bodies_("small_bodies", bytes(ledger_.small_bodies)),
      body_pool_("body_pool", bytes(ledger_.body_pool)),
      intake_("intake", bytes(ledger_.intake)),
      profiles_("profiles", bytes(ledger_.profiles) - api::kPatternBytesMax),
      rejects_("rejects", bytes(ledger_.rejects)) {}

TocsinDaemon::~TocsinDaemon() = default;

int TocsinDaemon::open_store() {
  auto store = lmdb::LmdbStore::open({.dir = config_.data_dir,
                                      .quota_bytes = static_cast<std::uint64_t>(config_.store_quota_bytes),
                                      .map_bytes_max = static_cast<std::uint64_t>(config::kBoard.map_bytes_max),
                                      .is_key = model::is_key});
  if (!store.ok()) {
    say(("cannot open the store in " + config_.data_dir).c_str(), store.error());
    advise(store.error(), "appliance.data_dir");
    return 1;
  }
  store_ = std::move(*store);
  const auto& report = store_->report();
  if (report.salvaged) {
    std::fprintf(stderr, "tocsind: the store was damaged (%s); %llu entries were kept, the damaged file is %s\n",
                 report.fault.c_str(), static_cast<unsigned long long>(report.entries_kept),
                 report.damaged_path.c_str());
  }
  core::Settings settings;
  for (const auto& upstream : config_.upstreams)
    settings.upstreams.push_back({upstream.name, UpstreamRunner::lanes_of(upstream)});
  settings.retention_ms = config_.store_retention_hours * 3'600'000;
  settings.alert_cache_bytes = bytes(ledger_.alert_cache);
  settings.hardware = hardware_fingerprint();
  settings.store_was_salvaged = report.salvaged;
  core_ = std::make_unique<core::Core>(core::Ports{*store_, crypto_, random_}, std::move(settings));
  if (auto done = core_->start(clock_.now()); !done.ok()) {
    say("cannot start on that store", done.error());
    return 1;
  }
  return 0;
}

bool TocsinDaemon::listen(const microhttpd::ListenerOptions& options, const char* key) {
  const std::string& where = options.unix_path.empty() ? options.address : options.unix_path;
  auto port = http_->open(options);
  if (!port.ok()) {
    say(("cannot listen on " + where).c_str(), port.error());
    advise(port.error(), key);
    return false;
  }
  const std::string shown = options.unix_path.empty()
                                ? options.address.substr(0, options.address.rfind(':') + 1) + std::to_string(*port)
                                : where;
  std::fprintf(stderr, "tocsind: listening on %s%s\n", shown.c_str(), options.tls != nullptr ? " (TLS)" : "");
  return true;
}

int TocsinDaemon::open_listeners() {
  handler_ = std::make_unique<Handler>();
  http_ = std::make_unique<microhttpd::HttpServer>(
      microhttpd::ServerParts{loop_, machine_clock_, *handler_, small_bodies_, body_pool_, &intake_});
  const auto& identity = core_->identity();
  api_ = std::make_unique<api::Api>(
      api::Parts{.daemon = *this,
                 .answers = *http_,
                 .crypto = crypto_,
                 .random = random_,
                 .secret = identity.secret,
                 .appliance = identity.appliance,
                 .store = identity.store,
                 .intake = &intake_,
                 .profiles = &profiles_,
                 .push_body_bytes_max = bytes(config_.push_body_bytes_max),
                 .push_requests_per_second_max = config_.push_requests_per_second_max,
                 .inflater = &inflater_,
                 .body_pool = &body_pool_,
                 .find_asset = page::find_asset,
                 .bk_biz_id = static_cast<std::int32_t>(config_.bk_biz_id),
                 .bk_cloud_id = static_cast<std::int32_t>(config_.bk_cloud_id),
                 .timezone_offset_minutes = timezone_offset_minutes_,
                 .reject_memory = &rejects_,
                 .reject_alert_percent = static_cast<std::uint32_t>(config_.rejects_alert_percent)});
  handler_->api = api_.get();
  syslog_ = std::make_unique<SyslogListeners>(
      loop_, api::SyslogParts{*this, crypto_, random_, &intake_, api_->rate(), api_->total_rate()});
  return tls_.open(config_, clock_) && open_push() && open_operators() ? 0 : 1;
}

bool TocsinDaemon::open_push() {
  const config::ConnectionShares shares = config::connection_shares(config::kBoard, config_);
  for (const auto& address : config_.push_listen) {
    if (!listen({.kind = port::Listener::push,
                 .address = address,
                 .connections_max = share_of(shares.push_plain, config_.push_listen.size()),
                 .reconnecting_max = 8},
                "http.push.listen"))
      return false;
  }
  for (const auto& address : config_.push_tls_listen) {
    if (!listen({.kind = port::Listener::push,
                 .address = address,
                 .connections_max = share_of(shares.push_tls, config_.push_tls_listen.size(), 1),
                 .tls = tls_.push()},
                "http.push.tls_listen"))
      return false;
  }
  return true;
}

bool TocsinDaemon::open_operators() {
  const auto admins = static_cast<std::size_t>(config_.admin_listen.size() + 1);
  for (const auto& address : config_.admin_listen) {
    if (!listen({.kind = port::Listener::admin,
                 .address = address,
                 .connections_max = share_of(config::kBoard.admin_connections_max, admins)},
                "http.admin.listen"))
      return false;
  }
  for (const auto& address : config_.admin_tls_listen) {
    if (!listen(
            {.kind = port::Listener::admin,
             .address = address,
             .connections_max = share_of(config::kBoard.admin_tls_connections_max, config_.admin_tls_listen.size(), 1),
             .tls = tls_.admin()},
            "http.admin.tls_listen"))
      return false;
  }
  const std::string& socket = config_.control_socket;
  if (const auto slash = socket.rfind('/'); slash != std::string::npos && slash > 0) {
    static_cast<void>(linux::make_folders(socket.substr(0, slash), 0755));
  }
  return listen({.kind = port::Listener::control,
                 .unix_path = socket,
                 .unix_group = "tocsin-admin",
                 .connections_max = share_of(config::kBoard.admin_connections_max, admins)},
                "control.socket");
}

int TocsinDaemon::open() {
  const auto arrived = [](void* self, int signal) noexcept { static_cast<TocsinDaemon*>(self)->on_signal(signal); };
  if (auto done = signals_.open(loop_, {this, arrived}); !done.ok()) {
    say("signals", done.error());
    return 1;
  }
  timezone_offset_minutes_ = timezone_offset_minutes(config_.timezone);
  const Now now = clock_.now();
  started_ = canary_sent_ = canary_back_ = now.mono;
  started_wall_ms_ = now.wall.unix_ms;
  if (const int code = open_store(); code != 0) return code;
  view_ = core_->view();
  gauges_ = core_->gauges();
  reports_.reserve(kTurnsAheadMax);
  finished_.reserve(kJobsMax);
  writer_ = std::make_unique<WriterThread>(*core_, clock_, config_.store_commit_delay_ms);
  reader_ = std::make_unique<ReaderThread>(*store_);
  if (!writer_->open(loop_, linux::callback<&TocsinDaemon::on_report>(*this)).ok() ||
      !reader_->open(loop_, linux::callback<&TocsinDaemon::on_finished>(*this)).ok()) {
    std::fputs("tocsind: cannot make wake-ups\n", stderr);
    return 1;
  }
  if (const int code = open_listeners(); code != 0) return code;
  if (!syslog_->open(config_.syslogs, host_name())) return 1;
  worker_parts_ = std::make_unique<WorkerParts>(
      WorkerParts{.loop = loop_,
                  .daemon = *this,
                  .clock = clock_,
                  .random = random_,
                  .crypto = crypto_,
                  .identity = core_->identity(),
                  .worker_dir = program_dir(),
                  .appliance_name = config_.appliance_name.empty() ? host_name() : config_.appliance_name,
                  .hostname = host_name(),
                  .ip = host_address(),
                  .timezone = config_.timezone});
  writer_->start();
  reader_->start();
  const Sources::DataBytes data_bytes_max{.mqtt = bytes(2 * config::kBoard.mqtt_bytes_max),
                                          .kafka = bytes(2 * config::kBoard.kafka_bytes_max)};
  for (std::size_t i = 0; i < config_.upstreams.size(); ++i) {
    upstreams_.push_back(std::make_unique<UpstreamRunner>(*worker_parts_, config_.upstreams[i],
                                                          static_cast<std::uint8_t>(i), data_bytes_max.mqtt));
    upstreams_.back()->start(view_);
  }
  if (!sources_.open(config_.sources, *worker_parts_, api_->record_parts(), data_bytes_max)) return 1;
  on_tick(0);
  return 0;
}

void TocsinDaemon::make_first_user() {
  if (!view_.registry->users().empty() || clock_.now().mono < first_user_due_) return;
  first_user_due_ = clock_.now().mono.after_ms(kFirstUserMs);  // again, when a full disk or a busy writer said no
  const std::string password = api::generate_password(random_);
  const std::string path = config_.data_dir + "/first-password";
  if (auto done = linux::write_file(path, as_bytes("admin " + password + "\n"), 0600); !done.ok()) {
    say("cannot write the first password", done.error());
    return;
  }
  model::User user;
  user.name = "admin";
  user.role = model::Role::admin;
  user.iterations = api::kPasswordIterations;
  random_.fill(user.salt);
  const Bytes salt{user.salt};
  auto job = std::make_unique<api::StretchJob>(crypto_, password, salt, user.iterations,
                                               [this, user](const port::Digest256* hash) {
                                                 if (hash == nullptr) return;
                                                 model::User ready = user;
                                                 ready.password_hash = *hash;
                                                 core::Input input{{},
                                                                   core::ChangeUser{.remove = false,
                                                                                    .must_be_new = true,
                                                                                    .user = std::move(ready),
                                                                                    .shown_password = {},
                                                                                    .actor = "system"}};
                                                 static_cast<void>(post(std::move(input)));
                                               });
  if (reader_->post(std::move(job)))
    std::fprintf(stderr, "tocsind: the first password (user admin) is in %s\n", path.c_str());
}

bool TocsinDaemon::is_stalled(Monotonic now) const noexcept {
  const std::int64_t began = writer_->turn_began_ns();
  return began != 0 && now.ns - began > kStallMs * 1'000'000;
}

bool TocsinDaemon::post(core::Input&& input) noexcept {
  if (is_stalled(clock_.now().mono)) return false;
  return writer_->post(std::move(input));
}

void TocsinDaemon::apply(TurnReport& report) {
  if (report.effects.set_clock_ms) clock_.set(*report.effects.set_clock_ms);
  if (report.effects.trust_clock) clock_.vouch();
  view_ = std::move(report.view);
  gauges_ = report.gauges;
  for (core::Answer& answer : report.effects.answers) {
    api_->count_stored(answer);
    if (!syslog_->take_answer(answer) && !sources_.take_answer(answer)) api_->on_answer(std::move(answer));
  }
  for (auto& upstream : upstreams_) upstream->on_view(view_);
}

void TocsinDaemon::on_report(std::uint32_t) noexcept {
  reports_.clear();
  static_cast<void>(writer_->drain(reports_));
  for (TurnReport& report : reports_) apply(report);
  canary_back_ = loop_.now();
}

void TocsinDaemon::on_finished(std::uint32_t) noexcept {
  finished_.clear();
  static_cast<void>(reader_->drain(finished_));
  for (FinishedJob& one : finished_) one.job->finish(one.outcome);
  finished_.clear();
}

void TocsinDaemon::on_signal(int signal) noexcept {
  if (signal == SIGHUP) {
    std::fputs("tocsind: SIGHUP: the configuration is read at start only\n", stderr);
    return;
  }
  ++signals_seen_;
  stopping_ = true;
}

void TocsinDaemon::on_tick(std::uint32_t) noexcept {
  const Now now = clock_.now();
  memory_.sample();
  watchdog_.alive();
  // A dying card can hold a commit for half a minute. Whoever waits is told after a second; the store decides alone
  // whether their events get there, and a client that tries again is no worse off than after a lost answer.
  if (is_stalled(now.mono)) http_->expire_waiting(port::Listener::push);
  try {
    make_first_user();
  } catch (const std::bad_alloc&) {
    first_user_due_ = now.mono.after_ms(kFirstUserMs);
  }
  api_->on_tick(false);
  if (now.mono >= canary_sent_.after_ms(kCanaryMs)) {
    canary_sent_ = now.mono;
    static_cast<void>(writer_->post(core::Input{{}, core::Confirm{kCanaryUpstream, model::Lane::normal, 0, false}}));
  }
  const int period_ms = watchdog_.period_ms();
  const std::int64_t next_ms = period_ms > 0 ? std::min<std::int64_t>(kTickMs, period_ms / 2) : kTickMs;
  static_cast<void>(loop_.add_timer(now.mono.after_ms(next_ms), linux::callback<&TocsinDaemon::on_tick>(*this)));
}

int TocsinDaemon::run() {
  watchdog_.ready();
  std::fprintf(stderr, "tocsind %s: ready, boot %u\n", kVersion, gauges_.boot);
  while (!stopping_) {
    if (auto done = loop_.run_once(); !done.ok()) {
      say("event loop", done.error());
      stop_all();
      return 1;
    }
  }
  watchdog_.stopping();
  http_->begin_stop();
  syslog_->stop();
  for (auto& upstream : upstreams_) upstream->begin_stop();
  sources_.begin_stop();
  const Monotonic until = clock_.now().mono.after_ms(kFarewellMs);
  const auto is_over = [this] {
    const bool workers_gone =
        std::none_of(upstreams_.begin(), upstreams_.end(), [](const auto& u) { return u->is_running(); });
    return http_->quiet() && workers_gone && !sources_.is_running();
  };
  while (!is_over() && clock_.now().mono < until && signals_seen_ < 2) {
    if (!loop_.run_once(50).ok()) break;
  }
  stop_all();
  std::fputs("tocsind: stopped\n", stderr);
  return 0;
}

void TocsinDaemon::stop_all() noexcept {
  for (auto& upstream : upstreams_) upstream->kill();
  sources_.kill();
  api_->on_tick(true);
  writer_->stop();
  on_report(0);  // answers of the last turns; whoever is still connected gets them
  static_cast<void>(loop_.run_once(0));
  reader_->stop();
  http_->stop();
  upstreams_.clear();
  sources_.clear();
  finished_.clear();
}

core::Gauges TocsinDaemon::gauges() const noexcept {
  core::Gauges out = gauges_;
  for (const auto& upstream : upstreams_) out.damaged_records += upstream->damaged();
  out.clock_trusted = clock_.now().wall.trusted;
  return out;
}

std::vector<core::LedgerLine> TocsinDaemon::ledger() const {
  std::vector<core::LedgerLine> out;
  const auto measured = [](std::string_view name, const Budget& budget, core::LedgerLine& line) {
    if (name != budget.name()) return;
    line.used_bytes = budget.used_bytes();
    line.peak_bytes = budget.used_bytes_peak();
    line.is_measured = true;
  };
  for (const auto& line : config::lines(ledger_)) {
    core::LedgerLine one{.name = line.name.data(), .limit_bytes = bytes(line.bytes)};
    for (const Budget* budget : {&small_bodies_, &body_pool_, &intake_, &rejects_}) measured(line.name, *budget, one);
    if (line.name == "push_connections") {
      const auto counters = http_->counters();
      const auto tls = static_cast<std::int64_t>(counters.tls_connections) * (config::kBoard.tls_connection_cost - 1);
      one.used_bytes = bytes((static_cast<std::int64_t>(counters.connections) + tls) * config::kBoard.connection_bytes);
      one.peak_bytes = one.used_bytes;
      one.is_measured = true;
    }
    out.push_back(one);
  }
  return out;
}

core::ProcessStatus TocsinDaemon::process_status() const {
  core::ProcessStatus out;
  const Now now = clock_.now();
  out.version = kVersion;
  out.name = worker_parts_->appliance_name;
  out.clock_source = clock_.source();
  out.started_wall_ms = started_wall_ms_;
  out.uptime_ms = now.mono.ms() - started_.ms();
  const auto memory = linux::memory_of();
  out.rss_anon_bytes = memory.ok() ? memory->anonymous_bytes : 0;
  out.rss_anon_peak_bytes = std::max(memory_.anonymous_bytes_peak(), out.rss_anon_bytes);
  out.budget_bytes = bytes(config_.memory_budget_bytes);
  out.ledger = ledger();
  const auto counters = http_->counters();
  out.http_connections = static_cast<std::uint32_t>(counters.connections);
  out.http_requests = counters.requests;
  out.http_refused =
      counters.refused_framing + counters.refused_by_handler + counters.refused_too_large + counters.refused_no_room;
  const char* why = nullptr;
  out.local_flow_ok = is_ready(why);
  out.writer_stalled = is_stalled(now.mono);
  for (const auto& upstream : upstreams_) out.upstreams.push_back(upstream->status());
  out.syslog = syslog_->status();
  out.sources = sources_.status();
  return out;
}

bool TocsinDaemon::is_ready(const char*& why) const noexcept {
  const Monotonic now = clock_.now().mono;
  why = nullptr;
  if (stopping_) {
    why = "stopping";
  } else if (!gauges_.store_ok) {
    why = "the store is not usable";
  } else if (is_stalled(now)) {
    why = "a commit takes longer than a second";
  } else if (now.ms() - canary_back_.ms() > kCanaryLateMs) {
    why = "the writer does not answer";
  }
  return why == nullptr;
}

std::string TocsinDaemon::config_json() const {
  std::string out;
  json::Writer w(out);
  w.array();
  for (const auto& one : config::explain(loaded_)) {
    w.object()
        .member("key", one.key)
        .name("value")
        .raw(one.value)
        .member("layer", config::to_text(one.layer))
        .end_object();
  }
  w.end_array();
  return out;
}

}  // namespace tocsin::programs
