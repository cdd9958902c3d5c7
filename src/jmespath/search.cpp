// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/search.hpp"

#include <new>

#include "src/jmespath/machine.hpp"

namespace tocsin::jmespath {

tl::expected<json::Value, SearchError> search(const Expression& expression, const json::Value& document,
                                              const Means& means) noexcept {
  Machine machine{expression.program(), means};
  json::Value out;
  bool found = false;
  try {
    std::size_t bytes = 0;
    found = machine.evaluate(expression.program().root, document, out) && machine.count(out, bytes);
  } catch (const std::bad_alloc&) {
    (void)machine.fail(SearchError::What::out_of_memory, "no more memory for this expression");
  }
  if (means.steps_used != nullptr) *means.steps_used += means.steps_max - machine.steps_left();
  if (!found) return tl::unexpected(machine.failure());
  return out;
}

bool is_false(const json::Value& value) noexcept {
  switch (value.kind()) {
    case json::Kind::null: return true;
    case json::Kind::boolean: return !value.is_true();
    case json::Kind::string: return value.text().empty();
    case json::Kind::array: return value.elements().empty();
    case json::Kind::object: return value.members().empty();
    case json::Kind::number: return false;
  }
  return false;
}

}  // namespace tocsin::jmespath
