// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "src/port/http.hpp"
#include "src/registry/registry.hpp"

/// Who sends to the paths of alert sources.
namespace tocsin::api {

/// The token of a request, by the first of: header and query X-BK-TOKEN, header and query X-Tps-TenantID, query
/// `token`, header X-Bk-Fta-Token, Bearer, Basic with the user bkmonitor. Empty: none. (bk-collector and BlueKing's
/// ingester each read some of these.)
[[nodiscard]] std::string source_token(const port::HttpRequest& request);

/// What stands for "/event/<receiver>" among the instances: `token_owner` (may be null) when it is meant by the
/// receiver. An exact plugin id wins over one with "_<data id>" behind it.
struct Receiver {
  const model::Instance* instance = nullptr;  ///< null: not this token's
  bool is_known = false;                      ///< some instance has that name
};
[[nodiscard]] Receiver find_receiver(const registry::Registry& registry, std::string_view receiver,
                                     const model::Instance* token_owner);

/// The bytes of a UUID, with or without dashes; nullopt: it is none.
[[nodiscard]] std::optional<Id128> uuid_of(std::string_view text) noexcept;

}  // namespace tocsin::api
