// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/core/core.hpp"

namespace tocsin::core {

/// One upstream's cursors: highest confirmed sequence of each lane. Table `cursor`, FORMAT.md.
using LaneCursors = std::array<std::uint64_t, model::kLanes>;
[[nodiscard]] Status put_cursor(port::WriteTxn& txn, std::string_view upstream, const LaneCursors& seqs);
/// nullopt: there is none that can be read.
[[nodiscard]] Result<std::optional<LaneCursors>> read_cursor(port::ReadTxn& txn, std::string_view upstream);
/// False: the table holds something that is no cursor; it may have been that of an upstream without one.
[[nodiscard]] Result<bool> has_intact_cursors(port::ReadTxn& txn);
/// Erases cursors of upstreams that are not configured any more; `told` hears each name first. What is no cursor stays
/// as long as a configured upstream has none.
[[nodiscard]] Status drop_unknown_cursors(port::WriteTxn& txn, std::span<const Upstream> known,
                                          const std::function<Status(std::string_view)>& told);

/// The note beside the tables: cursors flushed without a turn, for the price of one block. The higher of note and
/// table counts; a note of another store id or another set of upstreams counts for nothing.
[[nodiscard]] std::string encode_note(const Id128& store_id, std::span<const Upstream> upstreams,
                                      const Cursors& cursors);
void merge_note(Bytes note, const Id128& store_id, std::span<const Upstream> upstreams, Cursors& cursors) noexcept;

}  // namespace tocsin::core
