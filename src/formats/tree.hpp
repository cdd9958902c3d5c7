// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "src/formats/formats.hpp"

namespace tocsin::formats {

/// Appends `plain` as it stands between quotes. Precondition: UTF-8 without U+0000.
void append_escaped(std::string_view plain, std::pmr::string& out);

/// What is read of a body, until all of it is known to be right: names that repeat and aliases need more than a stream.
/// Nodes may have several parents (aliases) and never contain themselves: attach() takes only what is finished.
/// A limit that is passed, or a merge of what has no members, makes it fail(); what comes then is ignored, so readers
/// ask once an event.
///
/// Memory: 20 bytes a node and 16 a place of one, texts as they are written; vectors double as they grow.
class Tree {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = UINT32_MAX;
  enum class Kind : std::uint8_t { scalar, array, object };
  enum class Repeats : std::uint8_t { last_wins, become_array };
  struct Text {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };

  /// `limits` outlives the tree. `body_bytes`: how long the texts will be in all, about; they are rarely longer.
  Tree(const Limits& limits, std::size_t body_bytes, std::pmr::memory_resource& memory)
      : limits_(limits), text_(&memory), nodes_(&memory), edges_(&memory), order_(&memory) {
    text_.reserve(body_bytes + 64);
  }

  /// Between quotes. Precondition: UTF-8 without U+0000.
  [[nodiscard]] Text keep_quoted(std::string_view plain);
  [[nodiscard]] Text keep(std::string_view json);
  [[nodiscard]] std::string_view view(Text text) const noexcept {
    return std::string_view{text_}.substr(text.at, text.size);
  }

  [[nodiscard]] Id scalar(Text json);
  [[nodiscard]] Id open(Kind kind);
  [[nodiscard]] Kind kind(Id node) const noexcept { return nodes_[node].kind; }
  [[nodiscard]] Text text_of(Id scalar) const noexcept { return {nodes_[scalar].first, nodes_[scalar].last}; }

  /// Adds `child` to the end. `depth`: how many arrays and objects it is then in. `name`: quoted, for objects.
  void attach(Id parent, Text name, Id child, std::uint32_t depth);
  /// Like attach(), for the members of `child` (an object, or an array of them) that the parent does not have itself.
  void attach_merge(Id parent, Id child, std::uint32_t depth);
  /// Settles merges and names that repeat; `depth` as for its children. To be called once for each object.
  void close_object(Id object, Repeats repeats, std::uint32_t depth);

  /// Null, or why this tree cannot be made.
  [[nodiscard]] const char* failure() const noexcept { return failure_; }
  [[nodiscard]] FormatError::What failure_what() const noexcept { return failure_what_; }
  void fail(const char* reason, FormatError::What what = FormatError::What::too_large) noexcept {
    if (failure_ != nullptr) return;
    failure_ = reason;
    failure_what_ = what;
  }

  /// Takes all memory of `json` once. Precondition: no failure.
  void write(Id root, std::pmr::string& json) const;

 private:
  struct Node {
    std::uint32_t first = kNone;  ///< edge; of a scalar: where its text is
    std::uint32_t last = kNone;   ///< edge; of a scalar: bytes of its text
    std::uint32_t weight = 2;     ///< upper bound of its bytes when written
    std::uint32_t values = 1;     ///< written for it, itself included
    Kind kind = Kind::scalar;
    std::uint8_t height = 0;  ///< arrays and objects inside each other
    bool merges = false;
  };
  struct Edge {
    Id node;  ///< kNone: gone, another of its name has won
    std::uint32_t next;
    Text name;
  };
  static constexpr Text kMergeName{UINT32_MAX, 0};

  void link(Node& parent, Text name, Id child);
  void grow(Id parent, std::uint32_t bytes, std::uint32_t values, std::uint32_t height, std::uint32_t depth);
  void settle_merges(Id object);
  void copy_members(Node& to, Id from);
  /// Edges order_[from, to) have one name.
  void settle_repeats(Id object, std::size_t from, std::size_t to, Repeats repeats, std::uint32_t depth);
  void write_node(Id node, std::pmr::string& json) const;

  const Limits& limits_;
  std::pmr::string text_;
  std::pmr::vector<Node> nodes_;
  std::pmr::vector<Edge> edges_;
  std::pmr::vector<std::uint32_t> order_;  ///< of the object being closed
  const char* failure_ = nullptr;
  FormatError::What failure_what_ = FormatError::What::too_large;
};

}  // namespace tocsin::formats
