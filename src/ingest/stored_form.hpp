// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::ingest {

inline constexpr std::size_t kStoredFormDimensionsMax = 16;

/// The size of the custom event that `text` begins with, when it is written exactly as it would be stored and passes
/// every check: it can be kept as it is. 0 says nothing: the event has to be checked and written member by member.
///
/// So it answers only for the plain case: the five members in their order, no white space between tokens, no escapes,
/// no arrays or objects inside of event and dimension, at most kStoredFormDimensionsMax dimensions, all strings, and a
/// timestamp that is an integer from 1 to `timestamp_max`.
/// Precondition: the event is part of a text that the parser accepted. On any other text it stays inside of it.
[[nodiscard]] std::size_t stored_form_size(std::string_view text, std::int64_t timestamp_max) noexcept;

}  // namespace tocsin::ingest
