// SPDX-License-Identifier: Apache-2.0
#include "src/formats/tree.hpp"

#include <algorithm>

namespace tocsin::formats {
namespace {

constexpr const char* kTooManyValues = "too many values";
constexpr const char* kTooLong = "too long when written as JSON";
constexpr const char* kWrongMerge = "<< wants a mapping or a list of mappings";
constexpr const char* kTooDeep = "nested too deeply";

}  // namespace

void append_escaped(std::string_view plain, std::pmr::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  std::size_t from = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const auto c = static_cast<unsigned char>(plain[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(plain, from, i - from);
    from = i + 1;
    out.push_back('\\');
    switch (c) {
      case '\n': out.push_back('n'); break;
      case '\r': out.push_back('r'); break;
      case '\t': out.push_back('t'); break;
      case '"':
      case '\\': out.push_back(plain[i]); break;
      default:
        out.append("u00");
        out.push_back(kHex[c >> 4U]);
        out.push_back(kHex[c & 15U]);
    }
  }
  out.append(plain, from);
}

Tree::Text Tree::keep_quoted(std::string_view plain) {
  const std::size_t at = text_.size();
  // A string may become six times as long; more than the limit must not be taken even for a moment.
  if (failure_ != nullptr || plain.size() > limits_.json_bytes_max - at) {
    fail(kTooLong);
    return {};
  }
  text_.push_back('"');
  append_escaped(plain, text_);
  text_.push_back('"');
  if (text_.size() > limits_.json_bytes_max) {
    text_.resize(at);
    fail(kTooLong);
    return {};
  }
  return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(text_.size() - at)};
}

Tree::Text Tree::keep(std::string_view json) {
  const std::size_t at = text_.size();
  if (failure_ != nullptr || json.size() > limits_.json_bytes_max - at) {
    fail(kTooLong);
    return {};
  }
  text_.append(json);
  return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(json.size())};
}

Tree::Id Tree::scalar(Text json) {
  const Id id = open(Kind::scalar);
  if (id == kNone) return kNone;
  nodes_[id].first = json.at;
  nodes_[id].last = json.size;
  nodes_[id].weight = json.size;
  return id;
}

Tree::Id Tree::open(Kind kind) {
  if (failure_ == nullptr && nodes_.size() >= limits_.values_max) fail(kTooManyValues);
  if (failure_ != nullptr) return kNone;
  nodes_.push_back({.kind = kind, .height = static_cast<std::uint8_t>(kind == Kind::scalar ? 0 : 1)});
  return static_cast<Id>(nodes_.size() - 1);
}

void Tree::link(Node& parent, Text name, Id child) {
  // An alias or a merge has a place and no node of its own, and a list of repeated elements gives each a second one.
  if (edges_.size() / 2 > limits_.values_max) return fail(kTooManyValues);
  const auto edge = static_cast<std::uint32_t>(edges_.size());
  edges_.push_back({child, kNone, name});
  if (parent.last == kNone) {
    parent.first = edge;
  } else {
    edges_[parent.last].next = edge;
  }
  parent.last = edge;
}

void Tree::grow(Id parent, std::uint32_t bytes, std::uint32_t values, std::uint32_t height, std::uint32_t depth) {
  Node& node = nodes_[parent];  // bytes and values are within their limits, so that the sums fit
  node.weight += bytes;
  node.values += values;
  node.height = static_cast<std::uint8_t>(std::max<std::uint32_t>(node.height, height + 1));
  if (node.weight > limits_.json_bytes_max) return fail(kTooLong);
  if (node.values > limits_.values_max) return fail(kTooManyValues);
  if (depth + height > limits_.depth_max) fail(kTooDeep);
}

void Tree::attach(Id parent, Text name, Id child, std::uint32_t depth) {
  if (failure_ != nullptr) return;
  const std::uint32_t comma = nodes_[parent].first == kNone ? 0 : 1;
  const std::uint32_t colon = nodes_[parent].kind == Kind::object ? 1 : 0;
  link(nodes_[parent], name, child);
  const Node& added = nodes_[child];
  grow(parent, added.weight + name.size + comma + colon, added.values, added.height, depth);
}

void Tree::attach_merge(Id parent, Id child, std::uint32_t depth) {
  if (failure_ != nullptr) return;
  nodes_[parent].merges = true;
  attach(parent, kMergeName, child, depth - 1);  // its members come to where it is
}

void Tree::copy_members(Node& to, Id from) {
  for (std::uint32_t edge = nodes_[from].first; edge != kNone && failure_ == nullptr; edge = edges_[edge].next) {
    const Edge member = edges_[edge];
    if (member.node != kNone) link(to, member.name, member.node);
  }
}

void Tree::settle_merges(Id object) {
  // Merged members first, so that the object's own come later and win. In a list of merges the first wins.
  Node settled = nodes_[object];
  const std::uint32_t begin = settled.first;
  settled.first = settled.last = kNone;
  for (std::uint32_t edge = begin; edge != kNone; edge = edges_[edge].next) {
    if (edges_[edge].name.at != kMergeName.at) continue;
    const Node& merged = nodes_[edges_[edge].node];
    if (merged.kind == Kind::object) {
      copy_members(settled, edges_[edge].node);
      continue;
    }
    if (merged.kind == Kind::scalar) return fail(kWrongMerge, FormatError::What::malformed);
    order_.clear();
    for (std::uint32_t item = merged.first; item != kNone; item = edges_[item].next)
      order_.push_back(edges_[item].node);
    for (auto item = order_.rbegin(); item != order_.rend(); ++item) {
      if (nodes_[*item].kind != Kind::object) return fail(kWrongMerge, FormatError::What::malformed);
      copy_members(settled, *item);
    }
  }
  for (std::uint32_t edge = begin; edge != kNone && failure_ == nullptr; edge = edges_[edge].next) {
    const Edge own = edges_[edge];
    if (own.name.at != kMergeName.at) link(settled, own.name, own.node);
  }
  nodes_[object] = settled;
}

void Tree::settle_repeats(Id object, std::size_t from, std::size_t to, Repeats repeats, std::uint32_t depth) {
  Id winner = edges_[order_[to - 1]].node;
  if (repeats == Repeats::become_array) {
    winner = open(Kind::array);
    if (winner == kNone) return;
    for (std::size_t i = from; i < to; ++i) attach(winner, {}, edges_[order_[i]].node, depth + 1);
    if (failure_ != nullptr) return;
    grow(object, 2, 1, nodes_[winner].height, depth);
  }
  edges_[order_[from]].node = winner;
  for (std::size_t i = from + 1; i < to; ++i) edges_[order_[i]].node = kNone;
}

void Tree::close_object(Id object, Repeats repeats, std::uint32_t depth) {
  if (failure_ == nullptr && nodes_[object].merges) settle_merges(object);
  if (failure_ != nullptr) return;
  order_.clear();
  for (std::uint32_t edge = nodes_[object].first; edge != kNone; edge = edges_[edge].next) order_.push_back(edge);
  // Edges are numbered as they come, but for those of other objects between them: a lower number came earlier.
  std::sort(order_.begin(), order_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int names = view(edges_[a].name).compare(view(edges_[b].name));
    return names != 0 ? names < 0 : a < b;
  });
  for (std::size_t from = 0, to = 0; from < order_.size() && failure_ == nullptr; from = to) {
    const std::string_view name = view(edges_[order_[from]].name);
    while (to < order_.size() && view(edges_[order_[to]].name) == name) ++to;
    if (to - from > 1) settle_repeats(object, from, to, repeats, depth);
  }
}

void Tree::write(Id root, std::pmr::string& json) const {
  json.clear();
  json.reserve(nodes_[root].weight + limits_.spare_bytes);
  write_node(root, json);
}

void Tree::write_node(Id id, std::pmr::string& json) const {
  const Node& node = nodes_[id];
  if (node.kind == Kind::scalar) {
    json.append(view({node.first, node.last}));
    return;
  }
  const bool object = node.kind == Kind::object;
  json.push_back(object ? '{' : '[');
  bool more = false;
  for (std::uint32_t at = node.first; at != kNone; at = edges_[at].next) {
    const Edge& edge = edges_[at];
    if (edge.node == kNone) continue;
    if (more) json.push_back(',');
    more = true;
    if (object) json.append(view(edge.name)).push_back(':');
    write_node(edge.node, json);
  }
  json.push_back(object ? '}' : ']');
}

}  // namespace tocsin::formats
