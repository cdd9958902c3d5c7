// SPDX-License-Identifier: Apache-2.0
#include <yaml.h>

#include <algorithm>
#include <new>

#include "src/formats/formats.hpp"
#include "src/formats/tree.hpp"
#include "src/formats/yaml_scalar.hpp"

namespace tocsin::formats {
namespace {

constexpr std::size_t kAnchorsMax = 256;
constexpr std::size_t kDirectivesMax = 16;  // libyaml compares each with all before

using What = FormatError::What;

std::string_view view_of(const yaml_char_t* text, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(text), size};
}
std::string_view view_of(const yaml_char_t* text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(text)};
}
/// Empty: none, or "!", which says "as if there were none".
std::string_view tag_of(const yaml_char_t* text) noexcept {
  const std::string_view tag = view_of(text);
  return tag == "!" ? std::string_view{} : tag;
}

/// libyaml's parser and the event that it gave last.
class Events {
 public:
  explicit Events(std::string_view body) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc{};
    if (body.data() == nullptr) body = "";  // libyaml asserts that there is a pointer
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  }
  ~Events() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  [[nodiscard]] bool next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) != 0) return true;
    if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc{};
    return false;
  }
  [[nodiscard]] const yaml_event_t& event() const noexcept { return event_; }
  [[nodiscard]] const yaml_parser_t& parser() const noexcept { return parser_; }

 private:
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

FormatError at_mark(What what, const char* reason, const yaml_mark_t& mark) noexcept {
  return {what, reason, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

/// libyaml gives a byte offset for what it cannot decode, and marks for the rest.
FormatError refusal_of(const yaml_parser_t& parser, std::string_view body) noexcept {
  const char* const reason = parser.problem != nullptr ? parser.problem : "not YAML";
  if (parser.error != YAML_READER_ERROR) return at_mark(What::malformed, reason, parser.problem_mark);
  FormatError out{What::malformed, reason, 1, 1};
  for (std::size_t i = 0; i < std::min<std::size_t>(parser.problem_offset, body.size()); ++i) {
    const auto byte = static_cast<unsigned char>(body[i]);
    if (byte == '\n') {
      ++out.line;
      out.column = 1;
    } else if ((byte & 0xC0U) != 0x80) {
      ++out.column;
    }
  }
  return out;
}

class YamlReader {
 public:
  YamlReader(std::string_view body, const Limits& limits, std::pmr::memory_resource& memory)
      : body_(body),
        limits_(limits),
        tree_(limits, body.size(), memory),
        open_(&memory),
        anchors_(&memory),
        events_(body) {}

  Outcome read(std::pmr::string& json) {
    while (!done_) {
      if (!events_.next()) return tl::unexpected(refusal_of(events_.parser(), body_));
      if (const char* reason = take(events_.event())) {
        return tl::unexpected(at_mark(what_, reason, events_.event().start_mark));
      }
      if (tree_.failure() != nullptr) {
        return tl::unexpected(at_mark(tree_.failure_what(), tree_.failure(), events_.event().start_mark));
      }
    }
    if (root_ == Tree::kNone) {
      json.reserve(4 + limits_.spare_bytes);
      json = "null";
    } else {
      tree_.write(root_, json);
    }
    return {};
  }

 private:
  struct Open {
    Tree::Id node;
    std::uint32_t anchor;  ///< index, or kNone
    Tree::Text name;       ///< of the value that comes next
    bool named = false;
    bool merge = false;  ///< the value that comes next is merged
  };
  struct Anchor {
    Tree::Text name;  ///< quoted
    Tree::Id node;    ///< kNone: not finished
  };

  const char* unsupported(const char* reason) noexcept {
    what_ = What::unsupported;
    return reason;
  }
  const char* too_large(const char* reason) noexcept {
    what_ = What::too_large;
    return reason;
  }

  /// Null, or why this event cannot be.
  const char* take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (documents_++ > 0) return unsupported("more than one document");
        return nullptr;
      case YAML_ALIAS_EVENT: return alias(view_of(event.data.alias.anchor));
      case YAML_SCALAR_EVENT: return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return open(Tree::Kind::array, view_of(event.data.sequence_start.anchor),
                    tag_of(event.data.sequence_start.tag));
      case YAML_MAPPING_START_EVENT:
        return open(Tree::Kind::object, view_of(event.data.mapping_start.anchor), tag_of(event.data.mapping_start.tag));
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: return close();
      case YAML_STREAM_END_EVENT: done_ = true; return nullptr;
      default: return nullptr;
    }
  }

  [[nodiscard]] bool wants_name() const noexcept {
    return !open_.empty() && tree_.kind(open_.back().node) == Tree::Kind::object && !open_.back().named;
  }

  const char* add_anchor(std::string_view name, Tree::Id node, std::uint32_t& index) {
    index = Tree::kNone;
    if (name.empty()) return nullptr;
    for (const Anchor& known : anchors_) {
      if (plain(known.name) == name) return "an anchor that exists already";
    }
    if (anchors_.size() >= kAnchorsMax) return too_large("more than 256 anchors");
    index = static_cast<std::uint32_t>(anchors_.size());
    anchors_.push_back({tree_.keep_quoted(name), node});
    return nullptr;
  }

  /// An anchor's name is letters, digits, - and _, which stay as they are between the quotes.
  [[nodiscard]] std::string_view plain(Tree::Text quoted) const noexcept {
    const std::string_view text = tree_.view(quoted);
    return text.size() < 2 ? text : text.substr(1, text.size() - 2);
  }

  const char* alias(std::string_view name) {
    for (const Anchor& known : anchors_) {
      if (plain(known.name) != name) continue;
      if (known.node == Tree::kNone) return unsupported("an alias inside of what it stands for");
      if (!wants_name()) {
        arrive(known.node);
        return nullptr;
      }
      if (tree_.kind(known.node) != Tree::Kind::scalar) return unsupported("a list or mapping cannot be a name");
      const Tree::Text text = tree_.text_of(known.node);
      set_name(tree_.view(text).starts_with('"') ? text : tree_.keep_quoted(std::string{tree_.view(text)}), false);
      return nullptr;
    }
    return "an alias without its anchor";
  }

  const char* scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const std::string_view value = view_of(data.value, data.length);
    if (value.find('\0') != std::string_view::npos) return unsupported("U+0000 in a text");
    YamlScalar known;
    if (const std::string_view tag = tag_of(data.tag); !tag.empty()) {
      known = resolve_tagged(tag, value);
    } else if (data.plain_implicit != 0) {
      known = resolve_plain(value);
    }
    if (known.kind == YamlScalar::Kind::wrong) return unsupported(known.reason);

    const bool is_name = wants_name();
    const bool merge = known.kind == YamlScalar::Kind::merge && is_name;
    const bool literal = known.kind == YamlScalar::Kind::literal;
    const Tree::Text text = literal && !is_name ? tree_.keep(known.json)
                                                : tree_.keep_quoted(literal ? std::string_view{known.json} : value);
    const std::string_view anchor = view_of(data.anchor);
    Tree::Id node = Tree::kNone;
    if (!is_name) node = tree_.scalar(text);
    if (is_name && !anchor.empty()) node = tree_.scalar(literal ? tree_.keep(known.json) : text);
    std::uint32_t index = 0;
    if (const char* reason = add_anchor(anchor, node, index)) return reason;
    if (is_name) {
      set_name(text, merge);
    } else {
      arrive(node);
    }
    return nullptr;
  }

  const char* open(Tree::Kind kind, std::string_view anchor, std::string_view tag) {
    const std::string_view wanted = kind == Tree::Kind::array ? "tag:yaml.org,2002:seq" : "tag:yaml.org,2002:map";
    if (!tag.empty() && tag != wanted) return unsupported("a tag that JSON has no value for");
    if (wants_name()) return unsupported("a list or mapping cannot be a name");
    if (open_.size() >= limits_.depth_max) return too_large("nested too deeply");
    Open added{tree_.open(kind), Tree::kNone, {}};
    if (const char* reason = add_anchor(anchor, Tree::kNone, added.anchor)) return reason;
    open_.push_back(added);
    return nullptr;
  }

  const char* close() {
    const Open closed = open_.back();
    const auto depth = static_cast<std::uint32_t>(open_.size());
    if (tree_.kind(closed.node) == Tree::Kind::object) {
      tree_.close_object(closed.node, Tree::Repeats::last_wins, depth);
    }
    open_.pop_back();
    if (closed.anchor != Tree::kNone) anchors_[closed.anchor].node = closed.node;
    arrive(closed.node);
    return nullptr;
  }

  void set_name(Tree::Text name, bool merge) noexcept {
    open_.back().name = name;
    open_.back().named = true;
    open_.back().merge = merge;
  }

  /// A finished value is where it belongs.
  void arrive(Tree::Id node) {
    if (tree_.failure() != nullptr) return;
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    const auto depth = static_cast<std::uint32_t>(open_.size());
    if (parent.merge) {
      tree_.attach_merge(parent.node, node, depth);
    } else {
      tree_.attach(parent.node, parent.name, node, depth);
    }
    parent.name = {};
    parent.named = parent.merge = false;
  }

  std::string_view body_;
  const Limits& limits_;
  Tree tree_;
  std::pmr::vector<Open> open_;
  std::pmr::vector<Anchor> anchors_;
  Events events_;
  Tree::Id root_ = Tree::kNone;
  std::uint32_t documents_ = 0;
  What what_ = What::malformed;
  bool done_ = false;
};

/// Lines that begin with "%"; inside of a document they are hardly ever anything else.
std::size_t count_directives(std::string_view body) noexcept {
  std::size_t count = body.starts_with('%') ? 1 : 0;
  for (std::size_t at = body.find("\n%"); at != std::string_view::npos; at = body.find("\n%", at + 1)) ++count;
  return count;
}

}  // namespace

Outcome yaml_to_json(std::string_view body, std::pmr::memory_resource& memory, std::pmr::string& json,
                     const Limits& limits) {
  json.clear();
  if (body.size() > limits.body_bytes_max) return tl::unexpected(FormatError{What::too_large, "the body is too long"});
  if (count_directives(body) > kDirectivesMax) {
    return tl::unexpected(FormatError{What::too_large, "more than 16 directives"});
  }
  return YamlReader{body, limits, memory}.read(json);
}

}  // namespace tocsin::formats
