// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "src/registry/registry.hpp"

namespace tocsin::api {

/// The instance that a section of the configuration names: by its data id, or by a plugin id that one instance has.
/// Threads: one owner.
class NamedInstance {
 public:
  explicit NamedInstance(std::string name);

  /// Null: there is none, several have that plugin id, it is disabled, or it takes metrics. Cheap while the registry
  /// stays the same.
  [[nodiscard]] const model::Instance* find(const registry::Registry& registry) noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  std::int32_t data_id_ = 0;  ///< 0: the plugin is named by its id
  std::uint64_t generation_ = 0;
  std::int32_t found_id_ = 0;  ///< the instance in the registry of that generation; 0: none
};

}  // namespace tocsin::api
