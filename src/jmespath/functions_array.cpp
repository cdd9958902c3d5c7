// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/jmespath/machine.hpp"
#include "src/jmespath/text_search.hpp"

namespace tocsin::jmespath::arrays {
namespace {

using json::Value;
using What = SearchError::What;

constexpr const char* kWantsKeys = "the expression reference gives neither only numbers nor only strings";

/// An element and what it is compared by.
struct Keyed {
  Value key;
  Value element;
};

/// Keys of all elements by the expression reference: all numbers or all strings.
bool make_keys(Machine& machine, std::span<const Value> elements, NodeId reference, std::span<Keyed>& out) {
  out = machine.room<Keyed>(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    out[i].element = elements[i];
    if (!machine.evaluate(reference, elements[i], out[i].key)) return false;
    const json::Kind kind = out[i].key.kind();
    if (kind != out[0].key.kind() || (kind != json::Kind::number && kind != json::Kind::string)) {
      return machine.fail(What::wrong_type, kWantsKeys);
    }
  }
  return true;
}

/// Elements are their own keys.
std::span<Keyed> own_keys(Machine& machine, std::span<const Value> elements) {
  const std::span<Keyed> out = machine.room<Keyed>(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) out[i] = {elements[i], elements[i]};
  return out;
}

/// The first of the greatest (sign 1) or of the least (sign -1); null of none.
bool pick_extreme(Machine& machine, std::span<const Keyed> keyed, int sign, Value& out) {
  const Keyed* best = nullptr;
  for (const Keyed& one : keyed) {
    int order = 1;
    if (best != nullptr && !machine.compare(one.key, best->key, order)) return false;
    if (best == nullptr || order * sign > 0) best = &one;
  }
  if (best != nullptr) out = best->element;
  return true;
}

bool sort_keyed(Machine& machine, std::span<Keyed> keyed, Value& out) {
  const auto less = [&](const Keyed& a, const Keyed& b, bool& answer) {
    int order = 0;
    if (!machine.compare(a.key, b.key, order)) return false;
    answer = order < 0;
    return true;
  };
  if (!merge_sort(keyed, machine.room<Keyed>(keyed.size()), less)) return false;
  const std::span<Value> sorted = machine.room<Value>(keyed.size());
  for (std::size_t i = 0; i < keyed.size(); ++i) sorted[i] = keyed[i].element;
  out = Value::array(sorted);
  return true;
}

bool extreme_of(Machine& machine, std::span<const Argument> arguments, int sign, Value& out) {
  const std::span<const Value> elements = arguments[0].value.elements();
  return machine.charge(elements.size()) && pick_extreme(machine, own_keys(machine, elements), sign, out);
}

bool extreme_by(Machine& machine, std::span<const Argument> arguments, int sign, Value& out) {
  std::span<Keyed> keyed;
  return make_keys(machine, arguments[0].value.elements(), arguments[1].reference, keyed) &&
         pick_extreme(machine, keyed, sign, out);
}

bool reverse_text(Machine& machine, std::string_view text, Value& out) {
  if (!machine.charge_bytes(text.size())) return false;
  const std::span<char> turned = machine.room<char>(text.size());
  std::size_t end = text.size();
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t size = character_size(text.substr(from));
    end -= size;
    std::copy_n(text.data() + from, size, turned.data() + end);
    from += size;
  }
  out = Value::text({turned.data(), turned.size()});
  return true;
}

}  // namespace

bool contains(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& wanted = arguments[1].value;
  out = Value::boolean(false);
  if (arguments[0].value.is_text()) {
    if (!wanted.is_text()) return true;
    const std::string_view text = arguments[0].value.text();
    if (!charge_find(machine, text, wanted.text())) return false;
    out = Value::boolean(text.find(wanted.text()) != std::string_view::npos);
    return true;
  }
  for (const Value& element : arguments[0].value.elements()) {
    bool same = false;
    if (!machine.equal(element, wanted, same)) return false;
    if (!same) continue;
    out = Value::boolean(true);
    break;
  }
  return true;
}

bool map(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const Value> elements = arguments[1].value.elements();
  const std::span<Value> made = machine.room<Value>(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!machine.evaluate(arguments[0].reference, elements[i], made[i])) return false;
  }
  out = Value::array(made);
  return true;
}

bool max(Machine& machine, std::span<const Argument> arguments, Value& out) {
  return extreme_of(machine, arguments, 1, out);
}
bool min(Machine& machine, std::span<const Argument> arguments, Value& out) {
  return extreme_of(machine, arguments, -1, out);
}
bool max_by(Machine& machine, std::span<const Argument> arguments, Value& out) {
  return extreme_by(machine, arguments, 1, out);
}
bool min_by(Machine& machine, std::span<const Argument> arguments, Value& out) {
  return extreme_by(machine, arguments, -1, out);
}

bool reverse(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const Value& given = arguments[0].value;
  if (given.is_text()) return reverse_text(machine, given.text(), out);
  if (!machine.charge(given.elements().size())) return false;
  const std::span<Value> turned = machine.room<Value>(given.elements().size());
  std::reverse_copy(given.elements().begin(), given.elements().end(), turned.begin());
  out = Value::array(turned);
  return true;
}

bool sort(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const Value> elements = arguments[0].value.elements();
  return machine.charge(elements.size()) && sort_keyed(machine, own_keys(machine, elements), out);
}

bool sort_by(Machine& machine, std::span<const Argument> arguments, Value& out) {
  std::span<Keyed> keyed;
  return make_keys(machine, arguments[0].value.elements(), arguments[1].reference, keyed) &&
         sort_keyed(machine, keyed, out);
}

}  // namespace tocsin::jmespath::arrays
