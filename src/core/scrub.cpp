// SPDX-License-Identifier: Apache-2.0
#include "src/core/scrub.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "src/model/alert.hpp"
#include "src/model/codec.hpp"
#include "src/model/seal.hpp"
#include "src/model/segment.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

constexpr std::size_t kNumberedKeyBytes = 9;  ///< table and u64
constexpr std::size_t kRecordHeadBytes = 1;   ///< the record's format, before its first field

bool belongs(Bytes key, Bytes value) noexcept {
  if (!model::is_in(key, Table::lane)) return model::unseal(key, value).ok();
  const auto segment = model::SegmentReader::open(key, value);
  return segment.ok() || segment.error().code == Errc::unsupported;
}

/// The key under which `value` is intact, found by the number or name that it begins with.
std::optional<Key> home_of(Bytes value) {
  const auto fits = [&](const Key& key) { return belongs(key, value); };
  if (value.size() >= sizeof(model::SegmentHeader)) {
    const std::uint64_t first_seq = load<model::SegmentHeader>(value.data()).first_seq;
    for (std::size_t lane = 0; lane < model::kLanes; ++lane) {
      const Key key = model::segment_key(static_cast<model::Lane>(lane), first_seq);
      if (fits(key)) return key;
    }
  }
  model::Decoder number(value.subspan(std::min(value.size(), kRecordHeadBytes)));
  if (const auto n = number.get<std::uint64_t>(); number.ok()) {
    for (const Table table : {Table::alert, Table::audit_block, Table::audit_row}) {
      if (const Key key = Key(table).u64(n); fits(key)) return key;
    }
    if (const Key key = Key(Table::instance).u32(static_cast<std::uint32_t>(n)); fits(key)) return key;
  }
  model::Decoder name(value.subspan(std::min(value.size(), kRecordHeadBytes)));
  if (const Key key = Key(Table::user).raw(as_bytes(name.text())); name.ok() && fits(key)) return key;
  return std::nullopt;
}

class Scrubber {
 public:
  explicit Scrubber(port::Store& store) : store_(store) {}

  Result<ScrubReport> run() {
    for (bool more = true; more;) {
      auto went = batch();
      if (!went.ok()) return went.error().in("putting the store in order");
      more = *went;
    }
    return report_;
  }

 private:
  /// One transaction; false at the end of the table.
  Result<bool> batch() {
    auto txn = store_.begin_write();
    if (!txn.ok()) return txn.error();
    for (int changes = 0; changes < kScrubChangesPerCommit;) {
      auto entry = (*txn)->at_or_after(as_bytes(next_));
      if (!entry.ok()) return entry.error();
      if (!*entry) {
        if (changes > 0) {
          if (auto done = (*txn)->commit(); !done.ok()) return done.error();
        }
        return false;
      }
      const std::string key{as_text((*entry)->key)};
      next_ = key;
      next_.push_back('\0');
      auto changed = look_at(**txn, as_bytes(key), (*entry)->value);
      if (!changed.ok()) return changed.error();
      changes += *changed ? 1 : 0;
    }
    if (auto done = (*txn)->commit(); !done.ok()) return done.error();
    return true;
  }

  Result<bool> look_at(port::WriteTxn& txn, Bytes key, Bytes value) {
    for (const Table table : {Table::format, Table::state, Table::cursor}) {
      if (model::is_in(key, table)) return false;
    }
    if (belongs(key, value)) {
      last_numbered_ = std::string{as_text(key)};
      return model::is_in(key, Table::alert) ? find_again(txn, value) : Result<bool>{false};
    }
    const auto home = home_of(value);
    if (!home && follows_its_neighbour(key)) {
      last_numbered_ = std::string{as_text(key)};
      return false;
    }
    const std::string kept{home ? as_text(value) : std::string_view{}};
    if (auto done = txn.erase(key); !done.ok()) return done.error();
    if (!home) {
      ++report_.removed;
      if (model::is_in(key, Table::lane)) ++report_.segments_removed;
      return true;
    }
    auto there = txn.get(*home);
    if (!there.ok()) return there.error();
    if (*there && belongs(*home, **there)) {
      ++report_.removed;
      return true;
    }
    if (auto done = txn.put(*home, as_bytes(kept)); !done.ok()) return done.error();
    ++report_.moved;
    if (!model::is_in(*home, Table::alert)) return true;
    auto found = find_again(txn, as_bytes(kept));
    return found.ok() ? Result<bool>{true} : found;
  }

  /// An audit row or block that cannot be read is a fact to be shown, as long as its number can be believed.
  [[nodiscard]] bool follows_its_neighbour(Bytes key) const {
    if (key.size() != kNumberedKeyBytes ||
        !(model::is_in(key, Table::audit_row) || model::is_in(key, Table::audit_block)))
      return false;
    const std::uint64_t number = load_be64(key.data() + 1);
    const Bytes last = as_bytes(last_numbered_);
    const bool has_last = last.size() == kNumberedKeyBytes && last[0] == key[0];
    return has_last ? number == load_be64(last.data() + 1) + 1 : number == 1;
  }

  Result<bool> find_again(port::WriteTxn& txn, Bytes value) {
    const auto alert = model::decode_alert(value.first(value.size() - sizeof(std::uint32_t)));
    if (!alert.ok() || !model::is_open(alert->state)) return false;
    const Key key = Key(Table::open_alert).raw(alert->dedupe);
    auto there = txn.get(key);
    if (!there.ok()) return there.error();
    if (*there && belongs(key, **there)) return false;
    std::string number;
    model::Encoder(number).put(alert->number);
    model::seal(key, number);
    if (auto done = txn.put(key, as_bytes(number)); !done.ok()) return done.error();
    ++report_.reopened;
    return true;
  }

  port::Store& store_;
  std::string next_;           ///< where to go on
  std::string last_numbered_;  ///< the key before that stays
  ScrubReport report_;
};

}  // namespace

Result<ScrubReport> scrub(port::Store& store) { return Scrubber(store).run(); }

}  // namespace tocsin::core
