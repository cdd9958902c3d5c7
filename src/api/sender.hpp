// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "src/api/reply.hpp"
#include "src/port/http.hpp"
#include "src/registry/registry.hpp"

/// Who sends to the paths of alert sources.
namespace tocsin::api {

/// The token of a request, by the first of: header and query X-BK-TOKEN, header and query X-Tps-TenantID, query
/// `token`, header X-Bk-Fta-Token, Bearer, Basic with the user bkmonitor. Empty: none. (bk-collector and BlueKing's
/// ingester each read some of these.)
[[nodiscard]] std::string source_token(const port::HttpRequest& request);

/// Who that token makes of a request. An exact plugin id wins over one with "_<data id>" behind it.
struct Receiver {
  const model::Instance* instance = nullptr;  ///< null: nobody with that token
  bool is_known = false;                      ///< some instance is meant by the receiver
};
/// Of "/event/<receiver>", the instance that is meant and has the token; without a receiver the token alone finds it.
/// Time: one keyed hash; one more for each instance that is meant when several share the token, or it is wrong.
[[nodiscard]] Receiver find_receiver(const registry::Registry& registry, std::string_view receiver,
                                     std::string_view token, const port::Crypto& crypto, Bytes secret);

/// What bk-collector puts before the reasons of 401 and 429; those of other shapes as they are.
[[nodiscard]] std::string in_words_of(Shape shape, std::uint16_t status, std::string_view peer, std::string_view why);

/// The bytes of a UUID, with or without dashes; nullopt: it is none.
[[nodiscard]] std::optional<Id128> uuid_of(std::string_view text) noexcept;

}  // namespace tocsin::api
