// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/machine.hpp"

namespace tocsin::jmespath::objects {

using json::Value;

bool get_field(Machine& /*machine*/, std::span<const Argument> arguments, Value& out) {
  const Value* const found = arguments[0].value.find(arguments[1].value.text());
  if (found != nullptr) out = *found;
  return true;
}

bool keys(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const json::Member> members = arguments[0].value.members();
  if (!machine.charge(members.size())) return false;
  const std::span<Value> names = machine.room<Value>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) names[i] = Value::text(members[i].name);
  out = Value::array(names);
  return true;
}

bool values(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const json::Member> members = arguments[0].value.members();
  if (!machine.charge(members.size())) return false;
  const std::span<Value> all = machine.room<Value>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) all[i] = members[i].value;
  out = Value::array(all);
  return true;
}

bool merge(Machine& machine, std::span<const Argument> arguments, Value& out) {
  std::size_t count = 0;
  for (const Argument& argument : arguments) count += argument.value.members().size();
  if (!machine.charge(2 * count)) return false;
  const std::span<json::Member> all = machine.room<json::Member>(count);
  auto to = all.begin();
  for (const Argument& argument : arguments) {
    to = std::copy(argument.value.members().begin(), argument.value.members().end(), to);
  }
  out = Value::object(all, machine.means().arena);
  return true;
}

bool not_null(Machine& /*machine*/, std::span<const Argument> arguments, Value& out) {
  for (const Argument& argument : arguments) {
    out = argument.value;
    if (!out.is_null()) break;
  }
  return true;
}

bool to_array(Machine& machine, std::span<const Argument> arguments, Value& out) {
  out = arguments[0].value;
  if (out.is_array()) return true;
  const std::span<Value> one = machine.room<Value>(1);
  one[0] = out;
  out = Value::array(one);
  return true;
}

bool type(Machine& /*machine*/, std::span<const Argument> arguments, Value& out) {
  out = Value::text(json::to_text(arguments[0].value.kind()));
  return true;
}

bool zip(Machine& machine, std::span<const Argument> arguments, Value& out) {
  const std::span<const Value> names = arguments[0].value.elements();
  const std::span<const Value> all = arguments[1].value.elements();
  if (names.size() != all.size()) return true;
  if (!machine.charge(2 * names.size())) return false;
  const std::span<json::Member> members = machine.room<json::Member>(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].is_text()) return true;
    members[i] = {names[i].text(), all[i]};
  }
  out = Value::object(members, machine.means().arena);
  return true;
}

}  // namespace tocsin::jmespath::objects
