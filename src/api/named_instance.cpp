// SPDX-License-Identifier: Apache-2.0
#include "src/api/named_instance.hpp"

#include <algorithm>
#include <charconv>

namespace tocsin::api {
namespace {

/// 0: the text is no data id.
std::int32_t data_id_of(std::string_view text) noexcept {
  std::int32_t id = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  return fault == std::errc{} && stop == text.data() + text.size() && id > 0 ? id : 0;
}

}  // namespace

NamedInstance::NamedInstance(std::string name) : name_(std::move(name)), data_id_(data_id_of(name_)) {}

const model::Instance* NamedInstance::find(const registry::Registry& registry) noexcept {
  if (generation_ != registry.generation()) {
    generation_ = registry.generation();
    found_id_ = data_id_;
    const auto& all = registry.instances();
    const auto of_plugin = [&](const model::Instance& one) { return one.plugin_id == name_; };
    const auto found = std::find_if(all.begin(), all.end(), of_plugin);
    const bool is_one = data_id_ == 0 && found != all.end() && std::none_of(found + 1, all.end(), of_plugin);
    if (is_one) found_id_ = found->data_id;
  }
  const model::Instance* const one = found_id_ != 0 ? registry.instance(found_id_) : nullptr;
  return one != nullptr && one->enabled && one->type != model::InstanceType::time_series ? one : nullptr;
}

}  // namespace tocsin::api
