// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/gnutls/crypto.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/loop.hpp"
#include "platform/linux/memory.hpp"
#include "platform/linux/random.hpp"
#include "platform/linux/signals.hpp"
#include "platform/linux/watchdog.hpp"
#include "platform/lmdb/store.hpp"
#include "platform/microhttpd/server.hpp"
#include "platform/zlib/inflater.hpp"
#include "src/api/api.hpp"
#include "src/config/load.hpp"
#include "src/config/profile.hpp"
#include "src/core/core.hpp"
#include "src/programs/tocsind_clock.hpp"
#include "src/programs/tocsind_source.hpp"
#include "src/programs/tocsind_syslog.hpp"
#include "src/programs/tocsind_threads.hpp"
#include "src/programs/tocsind_tls.hpp"
#include "src/programs/tocsind_upstream.hpp"

namespace tocsin::programs {

/// The daemon, wired: the io thread is the caller of run(); writer and reader are started by it.
class TocsinDaemon final : public api::Daemon {
 public:
  explicit TocsinDaemon(config::Loaded loaded);
  ~TocsinDaemon() override;

  /// Opens the store, the core, the listeners and the workers. A failure says why on stderr and answers the exit code.
  [[nodiscard]] int open();
  /// Until SIGTERM or SIGINT. Answers the exit code.
  [[nodiscard]] int run();

  // api::Daemon
  [[nodiscard]] Now now() const noexcept override { return clock_.now(); }
  [[nodiscard]] bool post(core::Input&& input) noexcept override;
  [[nodiscard]] bool post(std::unique_ptr<core::Job> job) noexcept override { return reader_->post(std::move(job)); }
  [[nodiscard]] const core::View& view() const noexcept override { return view_; }
  [[nodiscard]] core::Gauges gauges() const noexcept override;
  [[nodiscard]] core::ProcessStatus process_status() const override;
  [[nodiscard]] bool is_ready(const char*& why) const noexcept override;
  [[nodiscard]] std::string config_json() const override;

 private:
  [[nodiscard]] int open_store();
  [[nodiscard]] int open_listeners();
  [[nodiscard]] bool open_push();
  [[nodiscard]] bool open_operators();
  /// False: said why on stderr; `key` names the place in the configuration.
  [[nodiscard]] bool listen(const microhttpd::ListenerOptions& options, const char* key);
  void make_first_user();
  [[nodiscard]] bool is_stalled(Monotonic now) const noexcept;
  void on_report(std::uint32_t) noexcept;
  void on_finished(std::uint32_t) noexcept;
  void on_signal(int signal) noexcept;
  void on_tick(std::uint32_t) noexcept;
  void apply(TurnReport& report);
  void stop_all() noexcept;
  [[nodiscard]] std::vector<core::LedgerLine> ledger() const;

  config::Loaded loaded_;
  const config::Config& config_;
  config::Ledger ledger_;
  linux::Clock machine_clock_;
  BoxClock clock_{machine_clock_};
  linux::Random random_;
  gnutls::Crypto crypto_;
  zlib::Inflater inflater_;
  linux::Loop loop_{machine_clock_};
  linux::Watchdog watchdog_;
  linux::Signals signals_;
  linux::MemoryPeak memory_;
  Budget small_bodies_;
  Budget body_pool_;
  Budget intake_;
  Budget profiles_;
  Budget rejects_;
  std::unique_ptr<lmdb::LmdbStore> store_;
  std::unique_ptr<core::Core> core_;
  std::unique_ptr<WriterThread> writer_;
  std::unique_ptr<ReaderThread> reader_;
  std::unique_ptr<api::Api> api_;
  class Handler;
  std::unique_ptr<Handler> handler_;
  ListenersTls tls_;  // before what listens with it
  std::unique_ptr<microhttpd::HttpServer> http_;
  std::unique_ptr<WorkerParts> worker_parts_;
  std::vector<std::unique_ptr<UpstreamRunner>> upstreams_;
  std::unique_ptr<SyslogListeners> syslog_;
  Sources sources_{loop_};
  core::View view_;
  core::Gauges gauges_;
  std::vector<TurnReport> reports_;
  std::vector<FinishedJob> finished_;
  Monotonic started_;
  std::int64_t started_wall_ms_ = 0;
  Monotonic first_user_due_;
  Monotonic canary_sent_;
  Monotonic canary_back_;
  bool stopping_ = false;
  int signals_seen_ = 0;
  int timezone_offset_minutes_ = 0;
  std::string push_address_;
};

}  // namespace tocsin::programs
