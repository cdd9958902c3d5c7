// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/port/store.hpp"

namespace tocsin::sim {

/// What the next commit does. FAULTS.md says what each stands for.
enum class CommitFault : std::uint8_t {
  none,
  full,                ///< storage_full; nothing happened
  failed_not_durable,  ///< io_failed; the change is lost
  failed_but_durable,  ///< io_failed; the change is there
};

enum class Repeat : std::uint8_t { once, for_good };

/// The store port in memory. Only what was committed survives crash(). Every call of the port on the store or on one
/// of its transactions counts as one operation, so that the k-th can be made to fail. The note is never lost.
/// Threads: as the port says; crash() and the fault setters belong to the thread that owns the world.
class SimStore final : public port::Store {
 public:
  explicit SimStore(std::uint64_t quota_bytes = std::uint64_t{64} * MiB) : quota_bytes_(quota_bytes) {}
  ~SimStore() override;

  [[nodiscard]] Result<std::unique_ptr<port::WriteTxn>> begin_write() override;
  [[nodiscard]] Result<std::unique_ptr<port::ReadTxn>> begin_read() override;
  /// Entries of up to about 2 KB share pages; a longer one has pages of its own.
  [[nodiscard]] port::StoreUse use() const override;
  [[nodiscard]] Status reopen() override;
  [[nodiscard]] Status put_note(Bytes note) override;
  [[nodiscard]] Result<std::size_t> get_note(std::span<std::byte, port::kNoteBytesMax> out) override;

  /// Power loss: the open write transaction is gone, transactions still held answer unavailable for ever, and the
  /// store is as a new process finds it: open, with all faults disarmed.
  void crash();
  /// The k-th operation from now (1 is the next) fails with `code`, and with for_good all after it too. 0 disarms.
  void fail_operation(std::uint64_t k, Repeat repeat, Errc code = Errc::io_failed);
  void fail_next_commit(CommitFault fault);
  void set_quota(std::uint64_t quota_bytes);

  [[nodiscard]] std::uint64_t operations() const;  ///< since construction
  [[nodiscard]] std::uint64_t commits() const;     ///< durable ones that changed something
  [[nodiscard]] std::size_t entries() const;       ///< committed

 private:
  friend class SimRead;
  friend class SimWrite;

  /// One state of one key. `value` is absent when the key was erased. Its address is stable for readers.
  struct Version {
    std::uint64_t commit = 0;
    std::shared_ptr<std::vector<std::byte>> value;
  };
  using Table = std::map<std::string, std::vector<Version>, std::less<>>;

  [[nodiscard]] std::optional<Error> next_operation();
  [[nodiscard]] const Version* visible(const std::vector<Version>& versions, std::uint64_t at) const;
  [[nodiscard]] std::optional<port::Entry> at_or_after(Bytes key, std::uint64_t at) const;
  [[nodiscard]] std::optional<port::Entry> before(Bytes key, std::uint64_t at) const;
  [[nodiscard]] std::optional<Bytes> get(Bytes key, std::uint64_t at) const;
  [[nodiscard]] std::shared_ptr<std::vector<std::byte>> write(Bytes key, std::size_t value_bytes);
  [[nodiscard]] bool erase(Bytes key);
  void roll_back();
  void apply();
  void prune();
  void account(std::string_view key, const Version* version, std::int64_t sign);
  [[nodiscard]] std::uint64_t used_bytes() const;

  mutable std::mutex mutex_;
  Table table_;
  std::uint64_t committed_ = 1;       ///< the newest durable commit; an open write transaction is committed_ + 1
  std::set<std::string> touched_;     ///< by the open write transaction
  std::set<std::string> to_prune_;    ///< keys with versions that a reader may still see
  std::uint64_t shared_bytes_ = 0;    ///< of entries that share pages, the open transaction's included
  std::uint64_t own_page_bytes_ = 0;  ///< of entries with pages of their own
  std::size_t readers_ = 0;
  bool writing_ = false;
  bool usable_ = true;
  std::uint64_t epoch_ = 0;  ///< counts crashes
  std::uint64_t quota_bytes_;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t fail_at_ = 0;
  Repeat fail_repeat_ = Repeat::once;
  Errc fail_code_ = Errc::io_failed;
  CommitFault commit_fault_ = CommitFault::none;
  std::vector<std::byte> note_;
};

}  // namespace tocsin::sim
