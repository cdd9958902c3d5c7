// SPDX-License-Identifier: Apache-2.0
#include "src/json/document.hpp"

#include <cjson/cJSON.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

namespace tocsin::json {
namespace {

/// Depth is at most kDepthMax: the text was checked.
bool repeats_a_name(const Node& node, std::vector<std::string_view>& scratch) {
  if (node.is_object()) {
    scratch.clear();
    for (Node child = node.first(); child.exists(); child = child.next()) scratch.push_back(child.name());
    std::sort(scratch.begin(), scratch.end());
    if (std::adjacent_find(scratch.begin(), scratch.end()) != scratch.end()) return true;
  }
  for (Node child = node.first(); child.exists(); child = child.next()) {
    if (repeats_a_name(child, scratch)) return true;
  }
  return false;
}

}  // namespace

void Document::Free::operator()(cJSON* raw) const noexcept { cJSON_Delete(raw); }

tl::expected<Document, ParseError> Document::parse(Parser& parser, std::string_view text) {
  using What = ParseError::What;
  if (text.size() > kDocumentBytesMax) {
    return tl::unexpected(ParseError{What::too_long, "longer than 65536 bytes", kDocumentBytesMax});
  }
  std::string padded;
  padded.reserve(text.size() + kPaddingBytes);
  padded.append(text).append(kPaddingBytes, '\0');
  const auto checked = parser.check({padded.data(), text.size()});
  if (!checked) return tl::unexpected(checked.error());
  if (checked->values > kDocumentValuesMax) {
    return tl::unexpected(ParseError{What::too_many, "more than 8192 values", 0});
  }
  // The byte behind the text is a NUL and counts: cJSON then insists that the value ends there.
  Document out{cJSON_ParseWithLengthOpts(padded.data(), text.size() + 1, nullptr, 1)};
  if (!out.root_) throw std::bad_alloc{};
  std::vector<std::string_view> scratch;
  if (repeats_a_name(out.root(), scratch)) {
    return tl::unexpected(ParseError{What::malformed, "a name appears twice in an object", 0});
  }
  return out;
}

Kind Node::kind() const noexcept {
  if (raw_ == nullptr || cJSON_IsNull(raw_)) return Kind::null;
  if (cJSON_IsBool(raw_)) return Kind::boolean;
  if (cJSON_IsNumber(raw_)) return Kind::number;
  if (cJSON_IsString(raw_)) return Kind::string;
  return cJSON_IsArray(raw_) ? Kind::array : Kind::object;
}

Node Node::member(std::string_view name) const noexcept {
  if (!is_object()) return {};
  for (Node child = first(); child.exists(); child = child.next()) {
    if (child.name() == name) return child;
  }
  return {};
}

Node Node::first() const noexcept { return is_object() || is_array() ? Node{raw_->child} : Node{}; }
Node Node::next() const noexcept { return raw_ != nullptr ? Node{raw_->next} : Node{}; }

std::string_view Node::name() const noexcept {
  return raw_ != nullptr && raw_->string != nullptr ? std::string_view{raw_->string} : std::string_view{};
}

std::optional<std::string_view> Node::text() const noexcept {
  if (kind() != Kind::string) return std::nullopt;
  return std::string_view{raw_->valuestring};
}

std::optional<bool> Node::boolean() const noexcept {
  if (kind() != Kind::boolean) return std::nullopt;
  return cJSON_IsTrue(raw_) != 0;
}

std::optional<double> Node::number() const noexcept {
  if (kind() != Kind::number) return std::nullopt;
  return raw_->valuedouble;
}

std::optional<std::int64_t> Node::integer() const noexcept {
  constexpr double kExactMax = 9'007'199'254'740'991.0;  // one more and a neighbour rounds to it
  const auto value = number();
  if (!value || std::abs(*value) > kExactMax || std::trunc(*value) != *value) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::optional<std::string_view> Node::unknown_member(std::span<const std::string_view> known) const noexcept {
  if (!is_object()) return std::nullopt;
  for (Node child = first(); child.exists(); child = child.next()) {
    if (std::find(known.begin(), known.end(), child.name()) == known.end()) return child.name();
  }
  return std::nullopt;
}

}  // namespace tocsin::json
