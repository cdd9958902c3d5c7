// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "src/core/core.hpp"

namespace tocsin::core {

/// One upstream's cursors: highest confirmed sequence of each lane. Table `cursor`, FORMAT.md.
using LaneCursors = std::array<std::uint64_t, model::kLanes>;
[[nodiscard]] Status put_cursor(port::WriteTxn& txn, std::string_view upstream, const LaneCursors& seqs);
/// All zero when there is none or it is damaged (then everything is offered again, marked).
[[nodiscard]] Result<LaneCursors> read_cursor(port::ReadTxn& txn, std::string_view upstream);
/// Erases cursors of upstreams that are not configured any more; `told` hears each name first.
[[nodiscard]] Status drop_unknown_cursors(port::WriteTxn& txn, std::span<const Upstream> known,
                                          const std::function<Status(std::string_view)>& told);

/// The note beside the tables: cursors flushed without a turn, for the price of one block. The higher of note and
/// table counts; a note of another store id or another set of upstreams counts for nothing.
[[nodiscard]] std::string encode_note(const Id128& store_id, std::span<const Upstream> upstreams,
                                      const Cursors& cursors);
void merge_note(Bytes note, const Id128& store_id, std::span<const Upstream> upstreams, Cursors& cursors) noexcept;

}  // namespace tocsin::core
