// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "platform/gnutls/crypto.hpp"
#include "src/audit/chain.hpp"
#include "src/audit/verify.hpp"
#include "src/model/seal.hpp"
#include "src/model/tables.hpp"

namespace tocsin::audit {

using Table = std::map<std::string, std::string, std::less<>>;

/// A view of a std::map through the store port.
class MapView final : public port::ReadTxn {
 public:
  explicit MapView(const Table& table) : table_(table) {}
  Result<std::optional<Bytes>> get(Bytes key) override {
    const auto at = table_.find(as_text(key));
    if (at == table_.end()) return std::optional<Bytes>{};
    return std::optional<Bytes>(as_bytes(at->second));
  }
  Result<std::optional<port::Entry>> at_or_after(Bytes key) override {
    const auto at = table_.lower_bound(as_text(key));
    if (at == table_.end()) return std::optional<port::Entry>{};
    return std::optional<port::Entry>({as_bytes(at->first), as_bytes(at->second)});
  }
  Result<std::optional<port::Entry>> before(Bytes key) override {
    const auto at = table_.lower_bound(as_text(key));
    if (at == table_.begin()) return std::optional<port::Entry>{};
    const auto& [found, value] = *std::prev(at);
    return std::optional<port::Entry>({as_bytes(found), as_bytes(value)});
  }

 private:
  const Table& table_;
};

inline std::string row_key(std::uint64_t index) {
  return std::string(as_text(model::Key(model::Table::audit_row).u64(index)));
}
inline std::string block_key(std::uint64_t index) {
  return std::string(as_text(model::Key(model::Table::audit_block).u64(index)));
}

/// An audit log as the core keeps it, in a map.
class LogInMemory {
 public:
  Table table;
  Head head = begin();
  Moment moment{.now = {.mono = {1'000'000}, .wall = {1'700'000'000'000, true}}, .boot = 1};
  gnutls::Crypto crypto;

  void add(model::AuditAction action = model::AuditAction::alert_acked) {
    const std::string object = "alert:1700000000" + std::to_string(head.next_row);
    auto appended =
        append(head, {.action = action, .actor = "user:alice", .object = object, .detail = "on it"}, moment, crypto);
    put(appended.row);
    if (appended.sealed) put(*appended.sealed);
  }
  void add_rows(int count) {
    for (int i = 0; i < count; ++i) add();
  }
  void seal_now() {
    moment.now.mono = moment.now.mono.after_ms(kBlockAgeMaxMs);
    moment.now.wall.unix_ms += kBlockAgeMaxMs;
    if (const auto block = seal_if_due(head, moment, crypto)) put(*block);
  }
  void put(const model::AuditRow& row) { put_sealed(row_key(row.index), row); }
  void put(const model::AuditBlock& block) { put_sealed(block_key(block.index), block); }
  [[nodiscard]] model::AuditRow row(std::uint64_t index) const {
    const std::string& value = table.at(row_key(index));
    return *model::decode_audit_row(*model::unseal(as_bytes(row_key(index)), as_bytes(value)));
  }
  [[nodiscard]] model::AuditBlock block(std::uint64_t index) const {
    const std::string& value = table.at(block_key(index));
    return *model::decode_audit_block(*model::unseal(as_bytes(block_key(index)), as_bytes(value)));
  }
  [[nodiscard]] Report verify(std::optional<Checkpoint> expected = std::nullopt, Tail tail = Tail::may_have_grown,
                              std::uint32_t rows_max = 1'000'000, const Head& from = begin()) const {
    Verifier verifier(crypto, from, expected);
    MapView view(table);
    for (int slice = 0; slice < 100'000; ++slice) {
      const auto done = verify_slice(verifier, view, rows_max);
      if (!done.ok() || *done) break;
    }
    return verifier.finish(tail);
  }

 private:
  template <class T>
  void put_sealed(const std::string& key, const T& record) {
    std::string value;
    encode(record, value);
    model::seal(as_bytes(key), value);
    table[key] = value;
  }
};

}  // namespace tocsin::audit
