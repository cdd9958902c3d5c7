// SPDX-License-Identifier: Apache-2.0
#include <expat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <type_traits>

#include "src/base/utf8.hpp"
#include "src/formats/expat_memory.hpp"
#include "src/formats/formats.hpp"
#include "src/formats/tree.hpp"

namespace tocsin::formats {
namespace {

// Small pieces keep expat's buffer small; a token that spans many of them is looked at once a piece.
constexpr std::size_t kPieceBytes = 16 * KiB;

constexpr std::size_t kAttributesMax = 256;

using What = FormatError::What;

/// Whether a tag could have more attributes than that: expat collects all of a tag, whatever their number, before it
/// says the first. Counts "=" outside of quotes, in what begins like a tag.
bool has_too_many_attributes(std::string_view body) noexcept {
  std::size_t count = 0;
  bool in_tag = false;
  char quote = '\0';
  for (std::size_t at = 0; at < body.size(); ++at) {
    const char c = body[at];
    if (c == '<') {  // never part of a value, so whatever was open is not any more
      const char next = at + 1 < body.size() ? body[at + 1] : '\0';
      in_tag = next != '!' && next != '?' && next != '/';
      quote = '\0';
      count = 0;
    } else if (!in_tag) {
      continue;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      in_tag = false;
    } else if (c == '=' && ++count > kAttributesMax) {
      return true;
    }
  }
  return false;
}

struct FreeParser {
  void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser>;

bool is_one_of(std::string_view character, const std::array<std::string_view, 20>& set) noexcept {
  return std::find(set.begin(), set.end(), character) != set.end();
}

/// Without what Python's str.strip() takes for white space, of what XML can have; mxj takes only the ASCII ones.
std::string_view stripped(std::string_view text, XmlStyle style) noexcept {
  constexpr std::string_view kAscii = " \t\n\r";
  if (style == XmlStyle::mxj) {
    const std::size_t from = text.find_first_not_of(kAscii);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(kAscii) - from + 1);
  }
  static constexpr std::array<std::string_view, 20> kWide{
      "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\u3000"};
  std::size_t from = text.size();
  std::size_t to = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = std::max<std::size_t>(1, utf8_size_at(text, at));
    const std::string_view character = text.substr(at, size);
    at += size;
    if (kAscii.find(character.front()) != std::string_view::npos || is_one_of(character, kWide)) continue;
    from = std::min(from, at - size);
    to = at;
  }
  return from < to ? text.substr(from, to - from) : std::string_view{};
}

class XmlReader {
 public:
  XmlReader(std::string_view body, XmlStyle style, const Limits& limits, std::pmr::memory_resource& memory)
      : body_(body),
        style_(style),
        limits_(limits),
        tree_(limits, body.size(), memory),
        open_(&memory),
        text_(&memory),
        name_(&memory) {}

  Outcome read(std::pmr::string& json) {
    const Parser parser{XML_ParserCreate_MM(nullptr, &ExpatMemory::suite(), nullptr)};
    if (!parser) throw std::bad_alloc{};
    parser_ = parser.get();
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, on_start, on_end);
    XML_SetCharacterDataHandler(parser_, on_text);
    XML_SetStartDoctypeDeclHandler(parser_, on_doctype);
    XML_Status status = XML_STATUS_OK;
    std::size_t at = 0;
    do {
      const std::string_view piece = body_.substr(at, kPieceBytes);
      at += piece.size();
      status = XML_Parse(parser_, piece.data(), static_cast<int>(piece.size()), at == body_.size() ? 1 : 0);
    } while (status == XML_STATUS_OK && at < body_.size());
    if (no_memory_) throw std::bad_alloc{};
    if (status != XML_STATUS_OK) return tl::unexpected(refusal());
    const Tree::Id root = tree_.open(Tree::Kind::object);
    if (root != Tree::kNone) tree_.attach(root, root_name_, root_, 1);
    if (tree_.failure() != nullptr) return tl::unexpected(here(tree_.failure_what(), tree_.failure()));
    tree_.write(root, json);
    return {};
  }

 private:
  struct Open {
    Tree::Text name;        ///< of its member in the parent
    Tree::Id node;          ///< kNone: neither attributes nor elements so far
    std::size_t text_from;  ///< in text_
  };

  [[nodiscard]] FormatError here(What what, const char* reason) const noexcept {
    return {what, reason, static_cast<std::uint32_t>(XML_GetCurrentLineNumber(parser_)),
            static_cast<std::uint32_t>(XML_GetCurrentColumnNumber(parser_) + 1)};
  }

  [[nodiscard]] FormatError refusal() const {
    if (failed_) return failure_;
    const XML_Error code = XML_GetErrorCode(parser_);
    if (code == XML_ERROR_NO_MEMORY) throw std::bad_alloc{};
    const bool encoding = code == XML_ERROR_UNKNOWN_ENCODING;
    return here(encoding ? What::unsupported : What::malformed, XML_ErrorString(code));
  }

  void stop(What what, const char* reason) noexcept {
    if (!failed_) failure_ = here(what, reason);
    failed_ = true;
    XML_StopParser(parser_, XML_FALSE);
  }

  /// The one way from expat to here: nothing is thrown through C, and nothing is done after a failure.
  template <class Step>
  static void guarded(void* self, Step step) noexcept {
    auto& reader = *static_cast<XmlReader*>(self);
    if (reader.failed_ || reader.no_memory_) return;
    try {
      step(reader);
      if (reader.tree_.failure() != nullptr) reader.stop(reader.tree_.failure_what(), reader.tree_.failure());
    } catch (const std::bad_alloc&) {
      reader.no_memory_ = true;
      XML_StopParser(reader.parser_, XML_FALSE);
    }
  }

  static void XMLCALL on_start(void* self, const XML_Char* name, const XML_Char** attributes) noexcept {
    guarded(self, [&](XmlReader& reader) { reader.start(name, attributes); });
  }
  static void XMLCALL on_end(void* self, const XML_Char*) noexcept {
    guarded(self, [](XmlReader& reader) { reader.end(); });
  }
  static void XMLCALL on_text(void* self, const XML_Char* text, int size) noexcept {
    guarded(self, [&](XmlReader& reader) { reader.text({text, static_cast<std::size_t>(size)}); });
  }
  static void XMLCALL on_doctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) noexcept {
    guarded(self, [](XmlReader& reader) {
      reader.stop(What::unsupported, "a document type declaration: there are no entities here");
    });
  }

  [[nodiscard]] std::string_view local(std::string_view name) const noexcept {
    if (style_ == XmlStyle::xmltodict) return name;
    const std::size_t colon = name.find(':');
    return colon == std::string_view::npos || colon + 1 == name.size() ? name : name.substr(colon + 1);
  }

  [[nodiscard]] std::uint32_t depth() const noexcept { return static_cast<std::uint32_t>(open_.size()); }

  void add(Open& parent, std::uint32_t depth, Tree::Text name, Tree::Id child) {
    if (parent.node == Tree::kNone) parent.node = tree_.open(Tree::Kind::object);
    tree_.attach(parent.node, name, child, depth);
  }

  void start(std::string_view name, const XML_Char** attributes) {
    if (open_.size() >= limits_.depth_max) return stop(What::too_large, "nested too deeply");
    open_.push_back({tree_.keep_quoted(local(name)), Tree::kNone, text_.size()});
    for (; *attributes != nullptr && tree_.failure() == nullptr; attributes += 2) {
      name_ = style_ == XmlStyle::xmltodict ? '@' : '-';
      name_ += local(attributes[0]);
      const Tree::Text key = tree_.keep_quoted(name_);
      add(open_.back(), depth() + 1, key, tree_.scalar(tree_.keep_quoted(attributes[1])));
    }
  }

  void end() {
    const Open closed = open_.back();
    const std::string_view text = stripped(std::string_view{text_}.substr(closed.text_from), style_);
    Tree::Id node = closed.node;
    if (node == Tree::kNone) {
      const bool null = text.empty() && style_ == XmlStyle::xmltodict;
      node = tree_.scalar(null ? tree_.keep("null") : tree_.keep_quoted(text));
    } else {
      if (!text.empty()) {
        const Tree::Text key = tree_.keep_quoted("#text");
        tree_.attach(node, key, tree_.scalar(tree_.keep_quoted(text)), depth() + 1);
      }
      tree_.close_object(node, Tree::Repeats::become_array, depth() + 1);
    }
    text_.resize(closed.text_from);
    open_.pop_back();
    if (open_.empty()) {
      root_name_ = closed.name;
      root_ = node;
    } else {
      add(open_.back(), depth() + 1, closed.name, node);
    }
  }

  void text(std::string_view piece) {
    if (open_.empty()) return;
    if (piece.size() > limits_.json_bytes_max - std::min(text_.size(), limits_.json_bytes_max)) {
      return stop(What::too_large, "too long when written as JSON");
    }
    text_.append(piece);
  }

  std::string_view body_;
  XmlStyle style_;
  const Limits& limits_;
  Tree tree_;
  std::pmr::vector<Open> open_;
  std::pmr::string text_;  ///< of all open elements, one behind the other
  std::pmr::string name_;
  XML_Parser parser_ = nullptr;
  Tree::Text root_name_;
  Tree::Id root_ = Tree::kNone;
  FormatError failure_;
  bool failed_ = false;
  bool no_memory_ = false;
};

}  // namespace

Outcome xml_to_json(std::string_view body, XmlStyle style, std::pmr::memory_resource& memory, std::pmr::string& json,
                    const Limits& limits) {
  json.clear();
  if (body.size() > limits.body_bytes_max) return tl::unexpected(FormatError{What::too_large, "the body is too long"});
  if (has_too_many_attributes(body)) {
    return tl::unexpected(FormatError{What::too_large, "more than 256 attributes of an element"});
  }
  const ExpatMemory expat{memory};
  return XmlReader{body, style, limits, memory}.read(json);
}

}  // namespace tocsin::formats
