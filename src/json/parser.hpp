// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::json {

inline constexpr std::size_t kPaddingBytes = 64;  ///< readable bytes that must follow every text given to the parser
inline constexpr std::uint32_t kDepthMax = 32;    ///< arrays and objects inside each other

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
/// "null", "boolean", "number", "string", "array", "object".
[[nodiscard]] const char* to_text(Kind kind) noexcept;
/// The kind of a value by its first byte; `text` is one accepted value.
[[nodiscard]] Kind kind_of(std::string_view text) noexcept;

/// Why a text is not accepted.
struct ParseError {
  enum class What : std::uint8_t { empty, too_long, too_many, malformed };
  What what = What::malformed;
  const char* reason = "";  ///< short English, static
  std::size_t offset = 0;   ///< byte of the text near which it was seen
  bool has_place = false;   ///< `offset` says something; faults of the whole text have no place
};

/// A member of the root object that the caller wants; filled by check(). At most once in a document.
struct Pick {
  std::string_view name;
  std::string_view text{};     ///< the value as written, a view into the text; empty: absent
  std::uint32_t elements = 0;  ///< of an array
};

class Value;  // value.hpp

/// What check() has seen.
struct Checked {
  std::string_view text;  ///< the root value without the white space around it
  Kind kind = Kind::null;
  std::uint32_t values = 0;    ///< all values in it, the root included
  std::uint32_t elements = 0;  ///< of a root array
};

struct ParserLimits {
  std::size_t bytes_max = 512'000;
  /// Brackets, braces, commas, colons, and scalars with names: the index takes 4 bytes for each.
  std::size_t elements_max = 196'608;
};

/// Number of elements of `text` as ParserLimits counts them, on any text; stops after `stop_above`.
[[nodiscard]] std::size_t count_elements(std::string_view text, std::size_t stop_above) noexcept;

/// Strict RFC 8259: simdjson's first stage makes the index of a text, and one walk over the index checks every value.
///
/// Memory: about 260 KiB of address space (touched as far as used) for texts up to 64 KiB, kept. A longer text takes
///         4 bytes an element for the time of the call, counted before anything is taken.
/// Threads: one owner thread.
class Parser {
 public:
  /// Throws std::bad_alloc.
  explicit Parser(ParserLimits limits = {});
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Accepts one JSON text: UTF-8, no byte order mark, depth at most kDepthMax, strings without control characters,
  /// lone surrogates and U+0000, finite numbers, nothing after the value. Names may repeat in objects, except those
  /// of `picks` in the root object.
  /// Precondition: kPaddingBytes readable bytes follow `text` in the same allocation; their content does not matter.
  /// On error the picks are unspecified. Throws std::bad_alloc; the parser stays usable.
  [[nodiscard]] tl::expected<Checked, ParseError> check(std::string_view text, std::span<Pick> picks = {});

  /// As check(), and the tree of the text, as build() of value.hpp makes it.
  [[nodiscard]] tl::expected<Value, ParseError> read(std::string_view text, std::pmr::memory_resource& arena,
                                                     std::pmr::memory_resource& scratch);

  [[nodiscard]] const ParserLimits& limits() const noexcept { return limits_; }

 private:
  struct Engine;
  template <class Listener>
  [[nodiscard]] tl::expected<Checked, ParseError> walk(std::string_view text, std::span<Pick> picks,
                                                       Listener& listener);
  ParserLimits limits_;
  std::unique_ptr<Engine> small_;
};

}  // namespace tocsin::json
