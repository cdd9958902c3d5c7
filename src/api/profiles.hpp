// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "src/base/budget.hpp"
#include "src/json/parser.hpp"
#include "src/model/profile.hpp"
#include "src/normalise/compiled.hpp"

namespace tocsin::api {

/// How the body of an alert source is read before anything else.
enum class SourceFormat : std::uint8_t { json, yaml, xml, text, gse };

/// A profile that is ready for use.
struct ReadyProfile {
  std::unique_ptr<const normalise::Compiled> compiled;
  SourceFormat format = SourceFormat::json;
};

/// What all regular expressions of the io thread may come to hold.
inline constexpr std::size_t kPatternBytesMax = 32 * KiB;

/// The compiled profiles of the io thread. Those used last are kept; the budget is the only limit of their number.
///
/// Memory: the budget, charged with what compiling takes from it and an upper bound of what it takes from the heap;
///         patterns beside it, kPatternBytesMax. While it compiles: the parser's line (ARCHITECTURE.md).
/// Threads: io, the parser's.
class Profiles {
 public:
  Profiles(json::Parser& parser, Budget& memory);
  ~Profiles();
  Profiles(const Profiles&) = delete;
  Profiles& operator=(const Profiles&) = delete;

  /// Null: not here in that revision. Revision 0 is always here: the empty profile. Valid until the next add().
  [[nodiscard]] const ReadyProfile* find(std::int32_t data_id, std::uint32_t revision);
  /// Keeps it in the place of an older revision; the least recently used make room. Else what is wrong with it, in one
  /// sentence, and nothing is kept. Throws std::bad_alloc.
  [[nodiscard]] tl::expected<const ReadyProfile*, normalise::ProfileError> add(std::int32_t data_id,
                                                                               std::uint32_t revision,
                                                                               const model::Profile& profile);
  /// What add() would find wrong; empty: nothing.
  [[nodiscard]] std::string check(const model::Profile& profile);

  [[nodiscard]] regex::Library& library() noexcept { return library_; }

 private:
  struct Entry {
    std::int32_t data_id = 0;
    std::uint32_t revision = 0;
    std::size_t heap_bytes = 0;  ///< charged beside what the arena took
    ReadyProfile ready;
  };
  using Made = tl::expected<Entry, normalise::ProfileError>;
  [[nodiscard]] Made make(const model::Profile& profile);
  [[nodiscard]] Made try_make(const model::Profile& profile);
  void drop(std::list<Entry>::iterator at) noexcept;

  json::Parser& parser_;
  Budget& memory_;
  regex::Library library_;
  ReadyProfile empty_;
  std::list<Entry> entries_;  ///< most recently used first
};

}  // namespace tocsin::api
