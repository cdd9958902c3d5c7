// SPDX-License-Identifier: Apache-2.0
#include "src/api/sender.hpp"

#include <array>

#include "src/api/logins.hpp"

namespace tocsin::api {
namespace {

constexpr std::string_view kBasicUser = "bkmonitor";
constexpr std::size_t kUuidDigits = 32;

bool is_plugin_and_data_id(std::string_view receiver, const model::Instance& instance) {
  const std::size_t border = receiver.rfind('_');
  return border != std::string_view::npos && receiver.substr(0, border) == instance.plugin_id &&
         receiver.substr(border + 1) == std::to_string(instance.data_id);
}

}  // namespace

std::string source_token(const port::HttpRequest& request) {
  for (const std::string_view name : {"X-BK-TOKEN", "X-Tps-TenantID"}) {
    if (const auto header = request.header(name); !header.empty()) return std::string(header);
    if (auto query = request.query(name); query && !query->empty()) return std::move(*query);
  }
  if (auto query = request.query("token"); query && !query->empty()) return std::move(*query);
  if (const auto header = request.header("X-Bk-Fta-Token"); !header.empty()) return std::string(header);
  const std::string_view credentials = request.header("Authorization");
  if (const auto bearer = parse_bearer(credentials); !bearer.empty()) return std::string(bearer);
  if (auto basic = parse_basic(credentials); basic && basic->user == kBasicUser) return std::move(basic->password);
  return {};
}

Receiver find_receiver(const registry::Registry& registry, std::string_view receiver, std::string_view token,
                       const port::Crypto& crypto, Bytes secret) {
  const bool can_be_one = !token.empty() && token.size() <= model::kTokenBytesMax;
  const model::Instance* const owner = can_be_one ? registry.by_token(token, crypto, secret) : nullptr;
  if (receiver.empty() || (owner != nullptr && owner->plugin_id == receiver)) return {owner, owner != nullptr};
  Receiver out;
  const auto look_for = [&](const auto& is_meant) {
    for (const model::Instance& instance : registry.instances()) {
      if (!is_meant(instance)) continue;
      out.is_known = true;
      if (out.instance == nullptr && can_be_one)
        out.instance = registry.authenticate(instance.data_id, token, crypto, secret);
    }
  };
  look_for([&](const model::Instance& i) { return i.plugin_id == receiver; });
  if (!out.is_known) look_for([&](const model::Instance& i) { return is_plugin_and_data_id(receiver, i); });
  return out;
}

std::string in_words_of(Shape shape, std::uint16_t status, std::string_view peer, std::string_view why) {
  if (shape != Shape::fta || (status != 401 && status != 429)) return std::string(why);
  std::string out = "run pre-check failed, rtype=fta, code=" + std::to_string(status) + ", ip=";
  return out.append(peer).append(": ").append(why);
}

std::optional<Id128> uuid_of(std::string_view text) noexcept {
  std::array<char, kUuidDigits> digits{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash_place = text.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
    if (is_dash_place != (text[i] == '-')) return std::nullopt;
    if (is_dash_place) continue;
    if (count == digits.size()) return std::nullopt;
    digits[count++] = text[i];
  }
  Id128 out;
  if (count != digits.size() || !from_hex({digits.data(), digits.size()}, out)) return std::nullopt;
  return out;
}

}  // namespace tocsin::api
