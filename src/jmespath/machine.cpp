// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/machine.hpp"

#include <algorithm>

namespace tocsin::jmespath {
namespace {

using json::Kind;
using json::Value;
using Fault = SearchError::What;

std::size_t size_of(const Value& value) noexcept {
  return value.is_object() ? value.members().size() : value.elements().size();
}

/// Where a slice begins or ends within `size` elements: counted from the end when negative, cut to what is there.
std::int64_t bound_of(std::int64_t at, std::int64_t size, bool backwards) noexcept {
  if (at < 0) at += size;
  return std::clamp<std::int64_t>(at, backwards ? -1 : 0, backwards ? size - 1 : size);
}

}  // namespace

bool Machine::charge(std::size_t steps) noexcept {
  if (steps > steps_) {
    steps_ = 0;
    return fail(Fault::out_of_steps, "takes more steps than an expression may");
  }
  steps_ -= steps;
  return true;
}

bool Machine::fail(Fault what, const char* reason) noexcept {
  failure_ = {what, reason, {}, 0};
  if (calling_ != nullptr) {
    failure_.function = functions()[static_cast<std::size_t>(calling_->operand)].name;
    failure_.offset = calling_->offset;
  }
  return false;
}

bool Machine::evaluate(NodeId id, const Value& in, Value& out) {
  if (!charge(1)) return false;
  const Node& node = at(id);
  switch (node.op) {
    case Op::current: out = in; return true;
    case Op::literal: out = program_.constants[static_cast<std::size_t>(node.operand)]; return true;
    case Op::field:
    case Op::index: return element(node, in, out);
    case Op::slice: return slice(node, in, out);
    case Op::chain: return chain(node, in, out);
    case Op::flatten: return flatten(node, in, out);
    case Op::project:
    case Op::project_some:
    case Op::project_each: return project(node, in, out);
    case Op::list: return list(node, in, out);
    case Op::hash: return hash(node, in, out);
    case Op::any:
    case Op::all: return logic(node, in, out);
    case Op::negate: {
      Value inside;
      if (!evaluate(node.child, in, inside)) return false;
      out = Value::boolean(is_false(inside));
      return true;
    }
    case Op::call: return call(node, in, out);
    case Op::reference: return fail(Fault::wrong_type, "an expression reference has no value");  // never compiled
    default: return comparison(node, in, out);
  }
}

bool Machine::chain(const Node& node, const Value& in, Value& out) {
  Value current = in;
  for (NodeId child = node.child; child != kNoNode; child = at(child).sibling) {
    Value next;
    if (!evaluate(child, current, next)) return false;
    current = next;
  }
  out = current;
  return true;
}

bool Machine::element(const Node& node, const Value& in, Value& out) const noexcept {
  out = Value{};
  if (node.op == Op::field) {
    const Value* const found = in.find(program_.constants[static_cast<std::size_t>(node.operand)].text());
    if (found != nullptr) out = *found;
    return true;
  }
  const std::span<const Value> elements = in.elements();
  const auto size = static_cast<std::int64_t>(elements.size());
  const std::int64_t index = node.operand < 0 ? size + node.operand : node.operand;
  if (index >= 0 && index < size) out = elements[static_cast<std::size_t>(index)];
  return true;
}

bool Machine::slice(const Node& node, const Value& in, Value& out) {
  out = Value{};
  if (!in.is_array()) return true;
  const Slice& slice = program_.slices[static_cast<std::size_t>(node.operand)];
  const std::span<const Value> elements = in.elements();
  const auto size = static_cast<std::int64_t>(elements.size());
  const bool backwards = slice.step < 0;
  const std::int64_t start = slice.start ? bound_of(*slice.start, size, backwards) : (backwards ? size - 1 : 0);
  const std::int64_t stop = slice.stop ? bound_of(*slice.stop, size, backwards) : (backwards ? -1 : size);
  const std::int64_t step = slice.step;
  const std::int64_t span = backwards ? start - stop : stop - start;
  const std::int64_t width = backwards ? -step : step;
  const std::int64_t count = span > 0 ? (span + width - 1) / width : 0;
  if (!charge(static_cast<std::size_t>(count))) return false;
  const std::span<Value> taken = room<Value>(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    taken[static_cast<std::size_t>(i)] = elements[static_cast<std::size_t>(start + i * step)];
  }
  out = Value::array(taken);
  return true;
}

bool Machine::flatten(const Node& node, const Value& in, Value& out) {
  Value base;
  if (!evaluate(node.child, in, base)) return false;
  out = Value{};
  if (!base.is_array()) return true;
  std::size_t count = 0;
  for (const Value& element : base.elements()) count += element.is_array() ? element.elements().size() : 1;
  if (!charge(base.elements().size() + count)) return false;
  const std::span<Value> flat = room<Value>(count);
  auto to = flat.begin();
  for (const Value& element : base.elements()) {
    if (element.is_array()) {
      to = std::copy(element.elements().begin(), element.elements().end(), to);
    } else {
      *to++ = element;
    }
  }
  out = Value::array(flat);
  return true;
}

bool Machine::project(const Node& node, const Value& in, Value& out) {
  Value base;
  if (!evaluate(node.child, in, base)) return false;
  out = Value{};
  const bool each = node.op == Op::project_each;
  if (!(each ? base.is_object() : base.is_array())) return true;
  const NodeId right = at(node.child).sibling;
  const NodeId condition = at(right).sibling;
  const std::size_t size = size_of(base);
  if (!charge(size)) return false;
  const std::span<Value> collected = room<Value>(size);
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const Value& element = each ? base.members()[i].value : base.elements()[i];
    Value verdict = Value::boolean(true);
    if (condition != kNoNode && !evaluate(condition, element, verdict)) return false;
    if (is_false(verdict)) continue;
    Value made;
    if (!evaluate(right, element, made)) return false;
    if (!made.is_null()) collected[count++] = made;
  }
  out = Value::array(collected.first(count));
  return true;
}

bool Machine::list(const Node& node, const Value& in, Value& out) {
  out = Value{};
  if (in.is_null()) return true;
  std::size_t count = 0;
  for (NodeId child = node.child; child != kNoNode; child = at(child).sibling) ++count;
  const std::span<Value> elements = room<Value>(count);
  std::size_t i = 0;
  for (NodeId child = node.child; child != kNoNode; child = at(child).sibling) {
    if (!evaluate(child, in, elements[i++])) return false;
  }
  out = Value::array(elements);
  return true;
}

bool Machine::hash(const Node& node, const Value& in, Value& out) {
  out = Value{};
  if (in.is_null()) return true;
  std::size_t count = 0;
  for (NodeId child = node.child; child != kNoNode; child = at(child).sibling) ++count;
  const std::span<json::Member> members = room<json::Member>(count / 2);
  std::size_t i = 0;
  for (NodeId key = node.child; key != kNoNode; key = at(at(key).sibling).sibling) {
    json::Member& member = members[i++];
    member.name = program_.constants[static_cast<std::size_t>(at(key).operand)].text();
    if (!evaluate(at(key).sibling, in, member.value)) return false;
  }
  out = Value::object(members, means_.arena);
  return true;
}

bool Machine::logic(const Node& node, const Value& in, Value& out) {
  const bool stops_at_false = node.op == Op::all;
  for (NodeId child = node.child; child != kNoNode; child = at(child).sibling) {
    Value value;
    if (!evaluate(child, in, value)) return false;
    out = value;
    if (is_false(value) == stops_at_false) break;
  }
  return true;
}

bool Machine::comparison(const Node& node, const Value& in, Value& out) {
  Value left;
  Value right;
  if (!evaluate(node.child, in, left) || !evaluate(at(node.child).sibling, in, right)) return false;
  if (node.op == Op::equal || node.op == Op::differ) {
    bool same = false;
    if (!equal(left, right, same)) return false;
    out = Value::boolean(same == (node.op == Op::equal));
    return true;
  }
  out = Value{};
  if (left.kind() != right.kind() || !(left.is_number() || left.is_text())) return true;
  int order = 0;
  if (!compare(left, right, order)) return false;
  switch (node.op) {
    case Op::less: out = Value::boolean(order < 0); break;
    case Op::less_or_equal: out = Value::boolean(order <= 0); break;
    case Op::greater: out = Value::boolean(order > 0); break;
    default: out = Value::boolean(order >= 0); break;
  }
  return true;
}

bool Machine::call(const Node& node, const Value& in, Value& out) {
  const Function& function = functions()[static_cast<std::size_t>(node.operand)];
  std::array<Argument, kArgumentsMax> arguments{};
  std::size_t count = 0;
  for (NodeId child = node.child; child != kNoNode; child = at(child).sibling) {
    Argument& argument = arguments[count++];
    if (at(child).op == Op::reference) {
      argument.reference = at(child).child;
    } else if (!evaluate(child, in, argument.value)) {
      return false;
    }
  }
  const Node* const outer = std::exchange(calling_, &node);
  const std::span<const Argument> given{arguments.data(), count};
  out = Value{};
  if (!check_types(function, given) || !function.call(*this, given, out)) return false;
  calling_ = outer;
  return true;
}

bool Machine::check_types(const Function& function, std::span<const Argument> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Types wanted = function.type_of(i);
    if (wanted == kReferenceType) continue;
    const Value& value = arguments[i].value;
    if ((wanted & (1U << static_cast<unsigned>(value.kind()))) != 0) continue;
    if (!value.is_array() || (wanted & (kNumbersType | kStringsType)) == 0)
      return fail(Fault::wrong_type, function.wants);
    const std::span<const Value> elements = value.elements();
    if (!charge(elements.size())) return false;
    if (elements.empty()) continue;
    const bool numbers = (wanted & kNumbersType) != 0 && all_are(Kind::number, elements);
    const bool strings = (wanted & kStringsType) != 0 && all_are(Kind::string, elements);
    if (!numbers && !strings) return fail(Fault::wrong_type, function.wants);
  }
  return true;
}

bool Machine::all_are(Kind kind, std::span<const Value> elements) {
  return std::all_of(elements.begin(), elements.end(), [kind](const Value& v) { return v.kind() == kind; });
}

}  // namespace tocsin::jmespath
