// SPDX-License-Identifier: Apache-2.0
#include "src/jmespath/search.hpp"

#include <new>

#include "src/jmespath/machine.hpp"

namespace tocsin::jmespath {

tl::expected<json::Value, SearchError> search(const Expression& expression, const json::Value& document,
                                              const Means& means) noexcept {
  Machine machine{expression.program(), means};
  try {
    json::Value out;
    std::size_t bytes = 0;
    if (machine.evaluate(expression.program().root, document, out) && machine.count(out, bytes)) return out;
  } catch (const std::bad_alloc&) {
    (void)machine.fail(SearchError::What::out_of_memory, "no more memory for this expression");
  }
  return tl::unexpected(machine.failure());
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
