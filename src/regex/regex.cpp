// SPDX-License-Identifier: Apache-2.0
#include "src/regex/regex.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "src/base/utf8.hpp"
#include "src/regex/shape.hpp"

namespace tocsin::regex {

using Machine = std::unique_ptr<re2::RE2>;

struct Entry {
  std::string text;
  Plain plain;
  std::uint32_t groups = 0;
  std::uint32_t program_size = 0;
  std::size_t charge_bytes = 0;                        ///< of the compiled form
  std::int64_t max_mem_bytes = 0;                      ///< with which it was compiled
  Machine machine;                                     ///< null: not compiled now
  std::list<std::shared_ptr<Entry>>::iterator recent;  ///< valid while there is a machine
};

namespace {

constexpr std::int64_t kMaxMemSmall = 32 * 1024;
constexpr std::int64_t kMaxMemLarge = 64 * 1024;
constexpr std::size_t kTreeBytesPerByte = 96;  // RE2 keeps the parsed tree, outside of max_mem
constexpr std::size_t kQuotedBytesMax = 40;

std::string quoted(std::string_view part) {
  std::size_t end = 0;
  while (end < part.size() && end < kQuotedBytesMax) end += std::max<std::size_t>(1, utf8_size_at(part, end));
  return '"' + std::string(part.substr(0, end)) + (end < part.size() ? "...\"" : "\"");
}

PatternError refusal(std::string_view reason, std::string_view part, std::size_t offset) {
  std::string message{reason};
  if (!part.empty()) message += ": " + quoted(part);
  return {message + " at byte " + std::to_string(offset), offset};
}

/// What RE2 would take, and we do not.
std::optional<PatternError> house_rule_broken(std::string_view text) {
  if (text.size() > kPatternBytesMax) {
    return refusal("longer than " + std::to_string(kPatternBytesMax) + " bytes", {}, kPatternBytesMax);
  }
  if (const std::size_t valid = utf8_valid_bytes(text); valid != text.size()) return refusal("not UTF-8", {}, valid);
  std::uint32_t classes = 0;
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    if (text[at] != '\\') continue;
    const char letter = text[at + 1];
    if (letter == 'C') return refusal("single bytes of characters cannot be matched", R"(\C)", at);
    if ((letter == 'p' || letter == 'P') && ++classes > kUnicodeClassesMax) {
      return refusal("more than " + std::to_string(kUnicodeClassesMax) + " Unicode classes", text.substr(at, 2), at);
    }
    if (letter == 'Q') {  // literal text up to \E
      const std::size_t end = text.find(R"(\E)", at + 2);
      if (end == std::string_view::npos) break;
      at = end;
    }
    ++at;
  }
  return std::nullopt;
}

std::string_view reason_of(const re2::RE2& machine) {
  const std::string_view part = machine.error_arg();
  switch (machine.error_code()) {
    case re2::RE2::ErrorPatternTooLarge: return "takes more than 64 KiB when compiled";
    case re2::RE2::ErrorBadPerlOp:
      if (part == "(?<") return "look-behind is not supported, and named groups are written (?P<name>...)";
      return "look-around and other operators that need backtracking are not supported";
    case re2::RE2::ErrorBadEscape:
      if (part.size() > 1 && part[1] >= '1' && part[1] <= '9') return "back-references are not supported";
      return "unknown escape";
    case re2::RE2::ErrorBadCharRange: return "wrong range or unknown character class";
    case re2::RE2::ErrorMissingBracket: return "a character class is not closed with ]";
    case re2::RE2::ErrorMissingParen: return "a group is not closed with )";
    case re2::RE2::ErrorUnexpectedParen: return "a ) without its (";
    case re2::RE2::ErrorTrailingBackslash: return "a backslash at the end";
    case re2::RE2::ErrorRepeatArgument: return "nothing to repeat";
    case re2::RE2::ErrorRepeatSize: return "wrong or too large repetition";
    case re2::RE2::ErrorRepeatOp: return "repetition of a repetition";
    case re2::RE2::ErrorBadNamedCapture: return "wrong or repeated name of a group";
    default: return "not a regular expression";
  }
}

PatternError refusal_of(const re2::RE2& machine, std::string_view text) {
  const std::string_view part = machine.error_arg();
  if (machine.error_code() == re2::RE2::ErrorPatternTooLarge) return refusal(reason_of(machine), {}, 0);
  if (machine.error_code() == re2::RE2::ErrorTrailingBackslash) return refusal(reason_of(machine), {}, text.size() - 1);
  // RE2 names the part and not its place. For a class that is not closed it names all that follows, for a ( or ) the
  // whole pattern.
  const bool to_the_end = machine.error_code() == re2::RE2::ErrorMissingBracket;
  const std::size_t found = part.empty() ? std::string_view::npos : (to_the_end ? text.rfind(part) : text.find(part));
  return refusal(reason_of(machine), part, found == std::string_view::npos ? 0 : found);
}

Machine machine_of(std::string_view text, std::int64_t max_mem_bytes) {
  re2::RE2::Options options;
  options.set_log_errors(false);  // it would write to stderr
  options.set_max_mem(max_mem_bytes);
  return std::make_unique<re2::RE2>(re2::StringPiece{text.data(), text.size()}, options);
}

std::string_view view_of(const re2::StringPiece& piece) noexcept {
  return piece.data() == nullptr ? std::string_view{} : std::string_view{piece.data(), piece.size()};
}

}  // namespace

Pattern::Pattern(Library& library, std::shared_ptr<Entry> entry) noexcept
    : library_(&library), entry_(std::move(entry)) {}

std::string_view Pattern::text() const noexcept { return entry_->text; }
std::uint32_t Pattern::groups() const noexcept { return entry_->groups; }
bool Pattern::is_expression() const noexcept { return entry_->plain.shape == Shape::expression; }

std::uint64_t Pattern::steps(std::size_t subject_bytes) const noexcept {
  const bool anywhere = entry_->plain.shape == Shape::contains;
  const std::uint64_t each = is_expression() ? entry_->program_size : anywhere ? entry_->plain.literal.size() / 16 : 0;
  return (each + 1) * (std::uint64_t{subject_bytes} + 1);
}

bool Pattern::search(std::string_view subject) const {
  std::size_t at = 0;
  if (!is_expression()) return find_plain(entry_->plain.shape, entry_->plain.literal, subject, at);
  library_->use(entry_);
  return entry_->machine->Match({subject.data(), subject.size()}, 0, subject.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

bool Pattern::search(std::string_view subject, Match& match) const {
  if (!is_expression()) {
    std::size_t at = 0;
    if (!find_plain(entry_->plain.shape, entry_->plain.literal, subject, at)) return false;
    match.parts[0] = subject.substr(at, entry_->plain.literal.size());
    match.count = 1;
    return true;
  }
  library_->use(entry_);
  std::array<re2::StringPiece, kGroupsMax + 1> pieces;
  const std::uint32_t count = entry_->groups + 1;
  if (!entry_->machine->Match({subject.data(), subject.size()}, 0, subject.size(), re2::RE2::UNANCHORED, pieces.data(),
                              static_cast<int>(count))) {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) match.parts[i] = view_of(pieces[i]);
  match.count = count;
  return true;
}

Library::Library(Limits limits) : limits_(limits) {
  limits_.compiled_max = std::max<std::size_t>(1, limits.compiled_max);
}

Library::~Library() {
  recent_.clear();
  assert(known_.empty());  // a Pattern has outlived its library
}

std::shared_ptr<Entry> Library::make(std::string_view text) {
  auto made = std::make_unique<Entry>();
  made->text = text;
  std::shared_ptr<Entry> entry{made.release(), [this](Entry* gone) {
                                 if (const auto known = known_.find(gone->text);
                                     known != known_.end() && known->second.expired()) {
                                   known_.erase(known);
                                 }
                                 delete gone;
                               }};
  entry->plain = plain_of(text);
  return entry;
}

tl::expected<Pattern, PatternError> Library::compile(std::string_view text) {
  if (const auto known = known_.find(text); known != known_.end()) return Pattern{*this, known->second.lock()};
  if (auto broken = house_rule_broken(text)) return tl::unexpected(std::move(*broken));

  std::shared_ptr<Entry> entry = make(text);
  Machine machine;
  if (entry->plain.shape == Shape::expression) {
    for (const std::int64_t max_mem_bytes : {kMaxMemSmall, kMaxMemLarge}) {
      machine.reset();  // never both
      machine = machine_of(text, max_mem_bytes);
      entry->max_mem_bytes = max_mem_bytes;
      if (machine->error_code() != re2::RE2::ErrorPatternTooLarge) break;
    }
    if (!machine->ok()) return tl::unexpected(refusal_of(*machine, text));
    entry->groups = static_cast<std::uint32_t>(machine->NumberOfCapturingGroups());
    if (entry->groups > kGroupsMax) {
      const std::string reason = "more than " + std::to_string(kGroupsMax) + " groups, write (?:...) for the others";
      return tl::unexpected(refusal(reason, {}, 0));
    }
    entry->program_size = static_cast<std::uint32_t>(machine->ProgramSize());
    entry->charge_bytes = static_cast<std::size_t>(entry->max_mem_bytes) + kTreeBytesPerByte * text.size();
  }
  known_.emplace(entry->text, entry);  // if what follows throws, the entry goes and takes this with it
  if (machine) keep(entry, std::move(machine));
  return Pattern{*this, std::move(entry)};
}

void Library::keep(const std::shared_ptr<Entry>& entry, Machine machine) {
  while (!recent_.empty() &&
         (recent_.size() >= limits_.compiled_max || charged_bytes_ + entry->charge_bytes > limits_.bytes_max)) {
    evict_last();
  }
  recent_.push_front(entry);
  entry->recent = recent_.begin();
  entry->machine = std::move(machine);
  charged_bytes_ += entry->charge_bytes;
}

void Library::use(const std::shared_ptr<Entry>& entry) {
  if (entry->machine) {
    recent_.splice(recent_.begin(), recent_, entry->recent);
  } else {
    keep(entry, machine_of(entry->text, entry->max_mem_bytes));
  }
}

void Library::evict_last() noexcept {
  const std::shared_ptr<Entry> last = std::move(recent_.back());
  recent_.pop_back();
  charged_bytes_ -= last->charge_bytes;
  last->machine.reset();
}

}  // namespace tocsin::regex
