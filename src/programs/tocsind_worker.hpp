// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "platform/linux/loop.hpp"
#include "platform/linux/process.hpp"
#include "platform/linux/worker_link.hpp"
#include "src/api/ports.hpp"
#include "src/channel/feed.hpp"
#include "src/model/identity.hpp"
#include "src/port/crypto.hpp"
#include "src/port/random.hpp"
#include "src/programs/tocsind_clock.hpp"

namespace tocsin::programs {

/// What every worker needs of the daemon. Outlives them.
struct WorkerParts {
  linux::Loop& loop;
  api::Daemon& daemon;
  const BoxClock& clock;
  port::Random& random;
  const port::Crypto& crypto;
  model::Identity identity;
  std::string worker_dir;  ///< where the worker programs are
  std::string appliance_name;
  std::string hostname;
  std::string ip;
  std::string timezone;
};

/// What a worker gets by value, because it may not be able to read the files.
struct WorkerFiles {
  std::string password;  ///< the first line
  std::string ca;
  std::string cert;
  std::string key;
};
struct WorkerFileNames {
  const std::string& password_file;
  const std::string& ca_file;
  const std::string& cert_file;
  const std::string& key_file;
};
/// Empty, or why one of them cannot be read, by its name.
[[nodiscard]] std::string read_worker_files(const WorkerFileNames& names, WorkerFiles& out);

/// One worker process: started, told what to do, asked whether it lives, started again with backoff when it does not.
/// io thread only. Memory: the frame that is being read, one data frame and kControlOutstandingMax control frames on
/// their way.
class WorkerRunner : public channel::FrameHandler {
 public:
  ~WorkerRunner() override;
  WorkerRunner(const WorkerRunner&) = delete;
  WorkerRunner& operator=(const WorkerRunner&) = delete;

  /// Says goodbye to the worker; it ends within a second.
  void begin_stop() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return process_.running(); }
  void kill() noexcept { process_.kill(); }

  [[nodiscard]] bool on_frame(channel::FrameReader& frame) final;

 protected:
  struct Program {
    std::string what;  ///< "upstream centre", for people
    std::string name;  ///< of the file in worker_dir
    std::size_t data_bytes_max = 0;
  };
  WorkerRunner(const WorkerParts& parts, Program program);

  /// The first frame to the worker. An empty one: `unreadable` says why not, and the worker waits. An error: it cannot
  /// be said, the worker is killed. Throws std::bad_alloc.
  [[nodiscard]] virtual Result<std::string> first_frame(std::string& unreadable) = 0;
  /// A frame that is not of every worker. False: protocol error.
  [[nodiscard]] virtual bool on_own_frame(channel::FrameReader& frame) = 0;
  /// The worker's connection to its broker, or the worker, is gone.
  virtual void on_disconnected() noexcept = 0;
  /// About every ten seconds while the worker runs.
  virtual void on_pause() noexcept = 0;
  /// After anything that may let something be sent to the worker; ends with update_interest().
  virtual void pump() noexcept = 0;

  void launch() noexcept;
  /// Words of a state frame that is not "connected".
  void note_link_state(const channel::State& state);
  void set_state(std::string state, std::string detail);
  void update_interest() noexcept;
  /// Something went through: the next end is not one more in a row.
  void note_success() noexcept { failures_ = 0; }
  [[nodiscard]] linux::WorkerLink* link() noexcept { return link_.get(); }
  [[nodiscard]] const WorkerParts& parts() const noexcept { return parts_; }

  /// For status, as core::UpstreamStatus has them.
  template <class Status>
  void tell(Status& out) const {
    out.state = state_;
    out.detail = detail_;
    out.since_ms = since_ms_;
    out.restarts = restarts_;
    out.worker_pid = process_.running() ? process_.pid() : 0;
  }

 private:
  void configure();
  void on_link(std::uint32_t events) noexcept;
  void on_exit(linux::ChildExit how) noexcept;
  void on_timer(std::uint32_t) noexcept;
  void on_restart(std::uint32_t) noexcept;
  void drop_link() noexcept;
  /// set_state() where nothing may be thrown; a number of 0 or more is put behind `detail`.
  void note_state(const char* state, const char* detail, int number = -1) noexcept;

  const WorkerParts& parts_;
  Program program_;
  linux::Process process_;
  std::unique_ptr<channel::FrameFeed> feed_;
  std::unique_ptr<linux::WorkerLink> link_;
  linux::Loop::Watch watch_;
  std::uint32_t interest_ = 0;
  linux::Loop::Timer timer_;
  linux::Loop::Timer restart_timer_;
  bool waits_for_files_ = false;  ///< the worker has no settings yet, because a file of them cannot be read
  std::string state_ = "starting";
  std::string detail_;
  std::int64_t since_ms_ = 0;
  std::uint32_t restarts_ = 0;
  std::uint32_t failures_ = 0;  ///< starts in a row that did not last
  Monotonic launched_;
  Monotonic heard_;  ///< the last sign of life
  bool stopping_ = false;
};

}  // namespace tocsin::programs
