// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace re2 {
class RE2;
}

/// Regular expressions in linear time, by RE2.
///
/// Meaning: a *search*. A pattern matches when any part of the subject does, as Python's re.search and Go's
/// MatchString; `^` and `$` (and `\A`, `\z`) tie it to the ends. That is what upstream's rule method `reg` and its
/// `regex_extract` do, and a pattern that works there works here. Re.match, which begins at the start, is `^(?:...)`.
/// Of several matches it is the leftmost, of alternatives the first (as Perl). `^` and `$` mean the ends of the text,
/// not of its lines, unless the pattern has `(?m)`; `$` does not match before a last newline. `.` does not match a
/// newline unless the pattern has `(?s)`. Case counts unless it has `(?i)`.
/// RE2 has no back-references and no look-around: they cannot be had in linear time.
namespace tocsin::regex {

inline constexpr std::size_t kPatternBytesMax = 1024;
inline constexpr std::uint32_t kGroupsMax = 16;          ///< ( ... ), without (?: ... )
inline constexpr std::uint32_t kUnicodeClassesMax = 16;  ///< \pL, \P{Greek}: RE2 takes 31 KiB for each while compiling

struct PatternError {
  std::string message;     ///< one sentence with the part of the pattern that is meant; for people
  std::size_t offset = 0;  ///< byte of the pattern at which that part begins
};

struct Limits {
  std::size_t compiled_max = 64;    ///< RE2 objects at a time; at least 1
  std::size_t bytes_max = 1 * MiB;  ///< of what they may come to hold, each charged at its worst
};

/// What matched: the whole match, then each group; a group that took no part is empty. Views into the subject.
struct Match {
  std::array<std::string_view, kGroupsMax + 1> parts;
  std::uint32_t count = 0;
  [[nodiscard]] std::span<const std::string_view> all() const noexcept { return {parts.data(), count}; }
};

class Library;
struct Entry;

/// A pattern that is known to be right. Copies and equal patterns share one; its library outlives it.
class Pattern {
 public:
  /// Precondition: UTF-8. Throws std::bad_alloc.
  [[nodiscard]] bool search(std::string_view subject) const;
  /// Also fills `match` when the answer is true.
  [[nodiscard]] bool search(std::string_view subject, Match& match) const;

  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] std::uint32_t groups() const noexcept;
  /// False: a literal, perhaps tied to an end, that RE2 never sees.
  [[nodiscard]] bool is_expression() const noexcept;
  /// Upper bound of the work of one search, for the caller's own budget: a step takes a few nanoseconds.
  [[nodiscard]] std::uint64_t steps(std::size_t subject_bytes) const noexcept;

 private:
  friend class Library;
  Pattern(Library& library, std::shared_ptr<Entry> entry) noexcept;
  Library* library_;
  std::shared_ptr<Entry> entry_;
};

/// All patterns of one thread: equal ones are one, and of those that need RE2 the last used are kept compiled, also
/// after the last Pattern has gone. Using one that is not compiled compiles it again (10 to 100 us for a pattern of 50
/// bytes).
///
/// Memory: about 150 bytes and the text for each pattern in use. Compiled ones: Limits, charged with what RE2 may take
///         for program and caches (max_mem: 32 KiB where that is enough, else 64) and 96 bytes for each byte of the
///         pattern; a small one takes 2 to 5 KiB in fact. One more is always possible, whatever bytes_max says.
///         For a moment compiling takes up to 0.7 MiB and a search 0.3 (measured on RE2 20220601, worst of many).
/// Time: linear in the subject; see Pattern::steps().
/// Threads: one owner thread, its patterns included.
class Library {
 public:
  explicit Library(Limits limits = {});
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Refuses what is too long, is not UTF-8, has too many groups or Unicode classes, has `\C` (it would cut
  /// characters), what RE2 does not know and what takes more than 64 KiB. Throws std::bad_alloc; nothing has then
  /// changed.
  [[nodiscard]] tl::expected<Pattern, PatternError> compile(std::string_view text);

  [[nodiscard]] std::size_t patterns() const noexcept { return known_.size(); }
  [[nodiscard]] std::size_t compiled() const noexcept { return recent_.size(); }
  [[nodiscard]] std::size_t charged_bytes() const noexcept { return charged_bytes_; }

 private:
  friend class Pattern;
  using Machine = std::unique_ptr<re2::RE2>;
  using Recent = std::list<std::shared_ptr<Entry>>;

  std::shared_ptr<Entry> make(std::string_view text);
  /// Makes room and puts the compiled `entry` in front.
  void keep(const std::shared_ptr<Entry>& entry, Machine machine);
  /// The compiled form is there after this, and is the most recent one.
  void use(const std::shared_ptr<Entry>& entry);
  void evict_last() noexcept;

  Limits limits_;
  std::size_t charged_bytes_ = 0;
  std::unordered_map<std::string_view, std::weak_ptr<Entry>> known_;
  Recent recent_;  ///< the compiled ones, most recent first
};

}  // namespace tocsin::regex
