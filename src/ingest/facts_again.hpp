// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/ingest/count_md5.hpp"
#include "src/ingest/standard_fields.hpp"
#include "src/ingest/standard_tags.hpp"
#include "src/model/batch.hpp"
#include "src/model/facts.hpp"
#include "src/model/instance.hpp"
#include "src/port/crypto.hpp"

namespace tocsin::ingest {

/// The facts of an item as it is stored. Ingest makes them here too, so a recount after a crash sees the same ones.
///
/// Views of the result lie in `stored_json` and `scratch` (cleared first; at most 8 KiB of it are used).
/// Custom events: the dimension event_type with the value "recovery" makes the event a recovery; it is then left out
/// of the dedupe identity, so that it meets the alert it ends. The identity is our own: one md5 over data id, business,
/// event name, target, and the dimensions in ascending order, each of them behind its length as u32. It covers the data
/// id: two instances never share an alert. Standard events: upstream's identity, which may meet across instances.
/// invalid_input: not an item of that kind. Throws std::bad_alloc.
[[nodiscard]] Result<model::EventFacts> facts_of(const port::Crypto& crypto, model::RecordKind kind,
                                                 const model::Instance& instance, std::string_view stored_json,
                                                 std::string& scratch);

/// The same of a standard event that has just been written: `fields` and `tags` are views into `stored_json`.
[[nodiscard]] Result<model::EventFacts> facts_of_standard(const CountMd5& md5, const StandardFields& fields,
                                                          std::span<const Tag> tags, std::string_view stored_json,
                                                          std::string& scratch);

}  // namespace tocsin::ingest
