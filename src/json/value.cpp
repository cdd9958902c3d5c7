// SPDX-License-Identifier: Apache-2.0
#include "src/json/value.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "src/json/cursor.hpp"
#include "src/json/text.hpp"
#include "src/json/tree.hpp"
#include "src/json/writer.hpp"

namespace tocsin::json {
namespace {

constexpr double kExactMax = 9'007'199'254'740'991.0;  // one more and a neighbour rounds to it

template <class T>
T* room_for(std::size_t count, std::pmr::memory_resource& arena) {
  return static_cast<T*>(arena.allocate(count * sizeof(T), alignof(T)));
}

/// The positions of a large object's members in the order of their names lie behind the members.
std::span<std::uint32_t> index_of(Member* members, std::size_t count) noexcept {
  return {reinterpret_cast<std::uint32_t*>(members + count), count};
}
std::span<const std::uint32_t> index_of(const Member* members, std::size_t count) noexcept {
  return {reinterpret_cast<const std::uint32_t*>(members + count), count};
}

/// Few members: each is looked for among those before it. Returns how many are left.
std::size_t unite_few(std::span<Member> members) noexcept {
  std::size_t kept = 0;
  for (const Member& member : members) {
    const auto end = members.begin() + static_cast<std::ptrdiff_t>(kept);
    const auto same = std::find_if(members.begin(), end, [&](const Member& m) { return m.name == member.name; });
    if (same != end) {
      same->value = member.value;
    } else {
      members[kept++] = member;
    }
  }
  return kept;
}

void sort_index(std::span<const Member> members, std::span<std::uint32_t> order) {
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int difference = members[a].name.compare(members[b].name);
    return difference != 0 ? difference < 0 : a < b;
  });
}

/// Many members: equal names are neighbours in `order`; the later ones give their value to the first and go.
std::size_t unite_many(std::span<Member> members, std::span<std::uint32_t> order) {
  sort_index(members, order);
  bool repeats = false;
  for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
    if (members[order[i]].name != members[order[first]].name) {
      first = i;
      continue;
    }
    members[order[first]].value = members[order[i]].value;
    order[i] = order[first];
    repeats = true;
  }
  if (!repeats) return members.size();
  std::sort(order.begin(), order.end());
  const auto end = std::unique(order.begin(), order.end());
  std::size_t kept = 0;
  for (auto at = order.begin(); at != end; ++at) members[kept++] = members[*at];
  return kept;
}

/// False: deeper than texts are. Recursion: at most kDepthMax.
bool read_into(Cursor& cursor, TreeMaker& tree, std::uint32_t depth) {
  const Kind kind = cursor.kind();
  if (kind != Kind::array && kind != Kind::object) {
    const std::string_view written = cursor.skip();
    const std::string_view inside = inside_of(written);
    if (kind == Kind::string) {
      tree.string(inside, has_escapes(inside));
    } else if (kind == Kind::number && is_number(written)) {
      tree.number(written);
    } else {
      tree.word(kind == Kind::boolean ? (written == "true" ? 't' : 'f') : 'n');
    }
    return true;
  }
  if (depth == kDepthMax) return false;
  tree.begin();
  std::string_view inside;
  cursor.enter(kind == Kind::array ? '[' : '{');
  while (kind == Kind::array ? cursor.next_element() : cursor.next_member(inside)) {
    if (kind == Kind::object) tree.name(inside, has_escapes(inside));
    if (!read_into(cursor, tree, depth + 1)) return false;
  }
  tree.end(kind == Kind::array ? ']' : '}');
  return true;
}

}  // namespace

Value Value::boolean(bool value) noexcept {
  Value out;
  out.kind_ = Kind::boolean;
  out.size_ = value ? 1 : 0;
  return out;
}

Value Value::number(double value) noexcept {
  Value out;
  out.kind_ = Kind::number;
  out.number_ = value;
  return out;
}

Value Value::number_as_written(std::string_view text) noexcept {
  Value out = Value::text(text);
  out.kind_ = Kind::number;
  return out;
}

Value Value::text(std::string_view plain) noexcept {
  Value out;
  out.kind_ = Kind::string;
  out.size_ = static_cast<std::uint32_t>(plain.size());
  out.text_ = plain.data();
  return out;
}

Value Value::array(std::span<const Value> elements) noexcept {
  Value out;
  out.kind_ = Kind::array;
  out.size_ = static_cast<std::uint32_t>(elements.size());
  out.elements_ = elements.data();
  return out;
}

Value Value::object(std::span<const Member> members, std::pmr::memory_resource& arena) {
  Value out;
  out.kind_ = Kind::object;
  out.members_ = nullptr;
  if (members.empty()) return out;
  const bool indexed = members.size() > kIndexedAbove;
  const std::size_t index_bytes = indexed ? members.size() * sizeof(std::uint32_t) : 0;
  void* const room = arena.allocate(members.size() * sizeof(Member) + index_bytes, alignof(Member));
  auto* const own = static_cast<Member*>(room);
  std::uninitialized_copy(members.begin(), members.end(), own);
  std::size_t kept = 0;
  if (!indexed) {
    kept = unite_few({own, members.size()});
  } else {
    const std::span<std::uint32_t> order = index_of(own, members.size());
    std::uninitialized_fill(order.begin(), order.end(), 0U);
    kept = unite_many({own, members.size()}, order);
    if (kept != members.size() && kept > kIndexedAbove) sort_index({own, kept}, index_of(own, kept));
  }
  out.members_ = own;
  out.size_ = static_cast<std::uint32_t>(kept);
  return out;
}

std::string_view Value::text() const noexcept {
  return kind_ == Kind::string ? std::string_view{text_, size_} : std::string_view{};
}

std::string_view Value::number_text() const noexcept {
  return kind_ == Kind::number && size_ != 0 ? std::string_view{text_, size_} : std::string_view{};
}

double Value::number() const noexcept {
  if (kind_ != Kind::number) return 0;
  return size_ != 0 ? to_double(number_text()) : number_;
}

std::optional<std::int64_t> Value::integer() const noexcept {
  if (kind_ != Kind::number) return std::nullopt;
  if (size_ != 0) {
    if (const auto exact = to_integer(number_text())) return exact;
  }
  const double value = number();
  if (std::abs(value) > kExactMax || std::trunc(value) != value) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::span<const Value> Value::elements() const noexcept {
  return kind_ == Kind::array ? std::span<const Value>{elements_, size_} : std::span<const Value>{};
}

std::span<const Member> Value::members() const noexcept {
  return kind_ == Kind::object ? std::span<const Member>{members_, size_} : std::span<const Member>{};
}

const Value* Value::find(std::string_view name) const noexcept {
  const std::span<const Member> all = members();
  if (all.size() <= kIndexedAbove) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const Member& m) { return m.name == name; });
    return at != all.end() ? &at->value : nullptr;
  }
  const std::span<const std::uint32_t> order = index_of(all.data(), all.size());
  const auto at = std::lower_bound(order.begin(), order.end(), name,
                                   [&](std::uint32_t i, std::string_view wanted) { return all[i].name < wanted; });
  return at != order.end() && all[*at].name == name ? &all[*at].value : nullptr;
}

std::uint32_t Value::levels() const noexcept {
  if (!is_array() && !is_object()) return 0;
  std::uint32_t inside = 0;
  for (const Value& element : elements()) inside = std::max(inside, element.levels());
  for (const Member& member : members()) inside = std::max(inside, member.value.levels());
  return inside + 1;
}

void Value::append_json(std::string& out) const {
  switch (kind_) {
    case Kind::null: out += "null"; return;
    case Kind::boolean: out += is_true() ? "true" : "false"; return;
    case Kind::string: append_quoted(text(), out); return;
    case Kind::number:
      if (size_ != 0) {
        out += number_text();
      } else {
        Writer{out}.real(number_);
      }
      return;
    case Kind::array:
      out += '[';
      for (const Value& element : elements()) {
        if (&element != elements_) out += ',';
        element.append_json(out);
      }
      out += ']';
      return;
    case Kind::object:
      out += '{';
      for (const Member& member : members()) {
        if (&member != members_) out += ',';
        append_quoted(member.name, out);
        out += ':';
        member.value.append_json(out);
      }
      out += '}';
  }
}

Writer& Writer::value(const Value& value) {
  before_value();
  value.append_json(out_);
  return *this;
}

std::string_view copy_text(std::string_view plain, std::pmr::memory_resource& arena) {
  if (plain.empty()) return {};
  auto* const bytes = room_for<char>(plain.size(), arena);
  std::memcpy(bytes, plain.data(), plain.size());
  return {bytes, plain.size()};
}

Result<Value> build(std::string_view text, std::pmr::memory_resource& arena, std::pmr::memory_resource& scratch) {
  Cursor cursor{text};
  TreeMaker tree{arena, scratch};
  if (!read_into(cursor, tree, 0) || cursor.failed()) return error(Errc::invalid_input, "json: no whole value");
  return tree.root();
}

}  // namespace tocsin::json
