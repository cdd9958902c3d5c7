// SPDX-License-Identifier: Apache-2.0
#include "src/alert/cache.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin::alert {
namespace {

std::size_t heap_bytes(const std::string& text) noexcept {
  const std::size_t inside = std::string().capacity();  // short texts live in the object itself
  return text.capacity() > inside ? text.capacity() + 1 : 0;
}

std::size_t heap_bytes(const model::Alert& a) noexcept {
  std::size_t sum = 0;
  for (const std::string* text :
       {&a.plugin_id, &a.alert_name, &a.target_type, &a.target, &a.description, &a.metric, &a.category, &a.assignee,
        &a.event_id, &a.dimensions_json, &a.ack_operator, &a.ack_message, &a.end_description}) {
    sum += heap_bytes(*text);
  }
  return sum;
}

std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

}  // namespace

std::size_t AlertCache::Hash::operator()(const Id128& id) const noexcept {
  return static_cast<std::size_t>(mix(mix(load<std::uint64_t>(id.data()) ^ salt) ^ load<std::uint64_t>(id.data() + 8)));
}

AlertCache::AlertCache(std::size_t limit_bytes, std::uint64_t salt) noexcept
    : limit_bytes_(limit_bytes),
      memory_("alert cache", std::numeric_limits<std::size_t>::max()),
      nodes_(0, Hash{salt}, std::equal_to<Id128>{}, &memory_) {}

void AlertCache::link_newest(Node& node) noexcept {
  node.newer = nullptr;
  node.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &node;
  newest_ = &node;
}

void AlertCache::unlink(Node& node) noexcept {
  (node.newer != nullptr ? node.newer->older : newest_) = node.older;
  (node.older != nullptr ? node.older->newer : oldest_) = node.newer;
}

void AlertCache::count_in(const Node& node) noexcept {
  text_bytes_ += node.text_bytes;
  if (node.unwritten_from_seq == 0) return;
  ++dirty_;
  dirty_bytes_ += sizeof(Node) + node.text_bytes;
}

void AlertCache::count_out(const Node& node) noexcept {
  text_bytes_ -= node.text_bytes;
  if (node.unwritten_from_seq == 0) return;
  --dirty_;
  dirty_bytes_ -= sizeof(Node) + node.text_bytes;
}

void AlertCache::remove(Nodes::iterator at) noexcept {
  unlink(at->second);
  count_out(at->second);
  nodes_.erase(at);
}

const model::Alert* AlertCache::find(const Id128& dedupe) noexcept {
  const auto at = nodes_.find(dedupe);
  if (at == nodes_.end()) return nullptr;
  unlink(at->second);
  link_newest(at->second);
  return &at->second.alert;
}

bool AlertCache::is_dirty(const Id128& dedupe) const noexcept {
  const auto at = nodes_.find(dedupe);
  return at != nodes_.end() && at->second.unwritten_from_seq != 0;
}

std::vector<model::Alert> AlertCache::put(model::Alert alert, std::uint64_t unwritten_from_seq) {
  // Whatever can fail comes first: a place for every alert that may have to be handed out, then the entry itself.
  std::vector<model::Alert> dirty_out;
  const std::size_t index_growth = nodes_.size() + 1 > nodes_.bucket_count() ? 24 * (nodes_.bucket_count() + 16) : 0;
  const std::size_t bytes_after = bytes() + sizeof(Node) + 64 + heap_bytes(alert) + index_growth;
  if (dirty_ > 0 && bytes_after > limit_bytes_) {
    dirty_out.reserve(std::min(dirty_, (bytes_after - limit_bytes_) / sizeof(Node) + 1));
  }
  const auto [at, is_new] = nodes_.try_emplace(alert.dedupe);
  Node& node = at->second;
  if (!is_new) {
    unlink(node);
    count_out(node);
    if (unwritten_from_seq != 0 && node.unwritten_from_seq != 0) {
      unwritten_from_seq = std::min(unwritten_from_seq, node.unwritten_from_seq);
    }
  }
  node.alert = std::move(alert);
  node.unwritten_from_seq = unwritten_from_seq;
  node.text_bytes = heap_bytes(node.alert);
  link_newest(node);
  count_in(node);
  evict(node, Victims::clean, dirty_out);
  evict(node, Victims::any, dirty_out);
  return dirty_out;
}

void AlertCache::evict(const Node& keep, Victims victims, std::vector<model::Alert>& dirty_out) noexcept {
  Node* node = oldest_;
  while (bytes() > limit_bytes_ && node != nullptr) {
    Node* const newer = node->newer;
    const bool is_dirty = node->unwritten_from_seq != 0;
    if (node != &keep && (!is_dirty || victims == Victims::any)) {
      const auto at = nodes_.find(node->alert.dedupe);
      if (is_dirty) {
        // Counted out before its texts are moved away; put() reserved the place.
        count_out(*node);
        node->unwritten_from_seq = 0;
        node->text_bytes = 0;
        dirty_out.push_back(std::move(node->alert));
      }
      remove(at);
    }
    node = newer;
  }
}

void AlertCache::erase(const Id128& dedupe) noexcept {
  const auto at = nodes_.find(dedupe);
  if (at != nodes_.end()) remove(at);
}

std::vector<model::Alert> AlertCache::take_dirty(std::size_t max) {
  std::vector<model::Alert> out;
  out.reserve(std::min(max, dirty_));
  for (const Node* node = oldest_; node != nullptr && out.size() < max; node = node->newer) {
    if (node->unwritten_from_seq != 0) out.push_back(node->alert);
  }
  std::size_t left = out.size();
  for (Node* node = oldest_; node != nullptr && left > 0; node = node->newer) {
    if (node->unwritten_from_seq == 0) continue;
    count_out(*node);
    node->unwritten_from_seq = 0;
    count_in(*node);
    --left;
  }
  return out;
}

void AlertCache::clear() noexcept {
  Nodes(0, nodes_.hash_function(), nodes_.key_eq(), &memory_).swap(nodes_);
  newest_ = oldest_ = nullptr;
  text_bytes_ = dirty_ = dirty_bytes_ = 0;
}

std::uint64_t AlertCache::unwritten_from_seq() const noexcept {
  std::uint64_t smallest = 0;
  for (const Node* node = oldest_; node != nullptr; node = node->newer) {
    if (node->unwritten_from_seq == 0) continue;
    if (smallest == 0 || node->unwritten_from_seq < smallest) smallest = node->unwritten_from_seq;
  }
  return smallest;
}

}  // namespace tocsin::alert
