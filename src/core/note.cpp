// SPDX-License-Identifier: Apache-2.0
#include "src/core/note.hpp"

#include <algorithm>

#include "src/base/crc32c.hpp"
#include "src/model/codec.hpp"
#include "src/model/seal.hpp"

namespace tocsin::core {
namespace {

using model::Key;
using model::Table;

constexpr std::uint8_t kNoteFormat = 1;

Key key_of(std::string_view upstream) { return Key(Table::cursor).raw(as_bytes(upstream)); }

std::optional<LaneCursors> decode(Bytes key, Bytes value) {
  const auto payload = model::unseal(key, value);
  if (!payload.ok()) return std::nullopt;
  LaneCursors out{};
  model::Decoder in(*payload);
  for (auto& seq : out) seq = in.get<std::uint64_t>();
  return in.at_end() ? std::optional{out} : std::nullopt;
}

}  // namespace

Status put_cursor(port::WriteTxn& txn, std::string_view upstream, const LaneCursors& seqs) {
  std::string value;
  model::Encoder encoder(value);
  for (const std::uint64_t seq : seqs) encoder.put(seq);
  const Key key = key_of(upstream);
  model::seal(key, value);
  if (auto done = txn.put(key, as_bytes(value)); !done.ok()) return done.error().in("cursor");
  return {};
}

Result<std::optional<LaneCursors>> read_cursor(port::ReadTxn& txn, std::string_view upstream) {
  const Key key = key_of(upstream);
  auto value = txn.get(key);
  if (!value.ok()) return value.error().in("reading a cursor");
  return *value ? decode(key, **value) : std::optional<LaneCursors>{};
}

Result<bool> has_intact_cursors(port::ReadTxn& txn) {
  for (std::string at(1, static_cast<char>(Table::cursor));;) {
    auto entry = txn.at_or_after(as_bytes(at));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::cursor)) return true;
    if (!decode((*entry)->key, (*entry)->value)) return false;
    at = std::string(as_text((*entry)->key)) + '\0';
  }
}

Status drop_unknown_cursors(port::WriteTxn& txn, std::span<const Upstream> known,
                            const std::function<Status(std::string_view)>& told) {
  bool all_known = true;
  for (const Upstream& upstream : known) {
    auto cursor = read_cursor(txn, upstream.name);
    if (!cursor.ok()) return cursor.error();
    all_known = all_known && cursor->has_value();
  }
  std::string at(1, static_cast<char>(Table::cursor));
  for (;;) {
    auto entry = txn.at_or_after(as_bytes(at));
    if (!entry.ok()) return entry.error();
    if (!*entry || !model::is_in((*entry)->key, Table::cursor)) return {};
    const std::string key(as_text((*entry)->key));
    const std::string_view name = std::string_view(key).substr(1);
    const bool is_wanted =
        std::any_of(known.begin(), known.end(), [name](const Upstream& u) { return u.name == name; });
    if (!is_wanted && (all_known || decode((*entry)->key, (*entry)->value))) {
      if (auto done = told(name); !done.ok()) return done;
      if (auto done = txn.erase(as_bytes(key)); !done.ok()) return done;
    }
    at = key + '\0';
  }
}

std::string encode_note(const Id128& store_id, std::span<const Upstream> upstreams, const Cursors& cursors) {
  std::string out;
  model::Encoder encoder(out);
  encoder.put(kNoteFormat).raw(store_id).put(static_cast<std::uint8_t>(upstreams.size()));
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    encoder.put(crc32c(as_bytes(upstreams[i].name)));
    for (const std::uint64_t seq : cursors[i]) encoder.put(seq);
  }
  return out;
}

void merge_note(Bytes note, const Id128& store_id, std::span<const Upstream> upstreams, Cursors& cursors) noexcept {
  model::Decoder in(note);
  Id128 store{};
  if (in.get<std::uint8_t>() != kNoteFormat) return;
  in.array(store);
  const std::size_t count = in.get<std::uint8_t>();
  if (!in.ok() || store != store_id || count > kUpstreamsMax) return;
  for (std::size_t n = 0; n < count; ++n) {
    const auto name = in.get<std::uint32_t>();
    LaneCursors seqs{};
    for (auto& seq : seqs) seq = in.get<std::uint64_t>();
    if (!in.ok()) return;
    for (std::size_t i = 0; i < upstreams.size(); ++i) {
      if (crc32c(as_bytes(upstreams[i].name)) != name) continue;
      for (std::size_t lane = 0; lane < model::kLanes; ++lane)
        cursors[i][lane] = std::max(cursors[i][lane], seqs[lane]);
    }
  }
}

}  // namespace tocsin::core
