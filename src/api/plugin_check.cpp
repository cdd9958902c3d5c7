// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>

#include "src/api/body.hpp"
#include "src/api/resources.hpp"
#include "src/base/utf8.hpp"

/// Asks whether a name may be given before somebody gives it. Nothing is reserved.
namespace tocsin::api {
namespace {

using model::Instance;

/// An int32 of the query; `otherwise` when absent. nullopt: not such a number.
std::optional<std::int32_t> query_int32(const Call& call, std::string_view name, std::int32_t otherwise) noexcept {
  const std::string* text = call.query(name);
  if (text == nullptr) return otherwise;
  std::int32_t value = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

bool is_shown_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= model::kNameBytesMax && !has_control(name) &&
         utf8_valid_bytes(name) == name.size();
}

std::string held_by(std::string_view what, const Instance& instance) {
  return std::string(what) + ": data_id " + std::to_string(instance.data_id) + " has it already";
}

}  // namespace

Reply get_plugin_check(const Services& services, Call& call) {
  const std::string* plugin_id = call.query("plugin_id");
  const std::string* name = call.query("name");
  if (plugin_id == nullptr && name == nullptr) return call.fail(400, "name: missing, and plugin_id too");
  if (plugin_id != nullptr && !is_plugin_id(*plugin_id))
    return call.fail(400, "plugin_id: must match ^[a-zA-Z][a-zA-Z0-9_]*$, at most 64 bytes");
  if (name != nullptr && !is_shown_name(*name))
    return call.fail(400, "name: must be a string of 1 to 256 bytes without control characters");
  const auto biz = query_int32(call, "bk_biz_id", services.parts.bk_biz_id);
  if (!biz) return call.fail(400, "bk_biz_id: must be a whole number of 32 bits");
  const auto itself = query_int32(call, "bk_event_group_id", 0);
  if (!itself) return call.fail(400, "bk_event_group_id: must be a data id");
  for (const Instance& instance : services.parts.daemon.view().registry->instances()) {
    if (instance.data_id == *itself) continue;
    if (plugin_id != nullptr && instance.plugin_id == *plugin_id)
      return call.fail(409, held_by("plugin_id", instance), "name_taken");
    if (name != nullptr && instance.bk_biz_id == *biz && instance.name == *name)
      return call.fail(409, held_by("name", instance) + " in this business", "name_taken");
  }
  return call.succeed("true");
}

}  // namespace tocsin::api
