// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {

std::string without_id(std::string body) {
  constexpr std::string_view kName = R"("request_id":")";
  const std::size_t at = body.find(kName);
  if (at != std::string::npos) body.replace(at + kName.size(), 36, "ID");
  return body;
}

std::string basic(std::string_view user, std::string_view password) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string plain = std::string(user) + ":" + std::string(password);
  std::string out = "Basic ";
  for (std::size_t i = 0; i < plain.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8U) | (i + k < plain.size() ? static_cast<unsigned char>(plain[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      const bool is_padding = i + k > plain.size();
      out.push_back(is_padding ? '=' : kLetters[(bits >> (18U - 6U * k)) & 63U]);
    }
  }
  return out;
}

std::string_view body_of(const port::HttpResponse& response) {
  return response.static_body.empty() ? std::string_view(response.body) : response.static_body;
}

ApiTest::ApiTest() {
  random.fill(secret);
  registry::Registry::Pointer all = std::make_shared<registry::Registry>();
  for (const auto& [name, role] :
       {std::pair{"viewer", model::Role::viewer}, std::pair{"operator", model::Role::operator_},
        std::pair{"admin", model::Role::admin}}) {
    model::User user{name, role, {}, kTestIterations, {}, 1};
    random.fill(user.salt);
    user.password_hash = crypto.pbkdf2(std::string(name) + "-password", user.salt, kTestIterations);
    all = all->with(user);
    model::ApiToken token{name, role, 1, 0, registry::token_hash(std::string(name) + "-token", crypto, secret)};
    all = all->with(token);
  }
  all = all->with(instance(1500001, "demo", "demo-token"));
  daemon.set(all);
  api = std::make_unique<Api>(
      Parts{.daemon = daemon,
            .answers = answers,
            .crypto = crypto,
            .random = random,
            .secret = secret,
            .intake = &intake,
            .profiles = &profiles,
            .push_body_bytes_max = 20'000,
            .push_requests_per_second_max = kTotalRate,
            .inflater = &inflater,
            .body_pool = &body_pool,
            .find_asset = [](std::string_view path) noexcept -> std::optional<port::HttpResponse> {
              port::HttpResponse out;
              out.type = port::ContentType::html;
              out.static_body = "asset";
              return path == "/" ? std::optional(out) : std::nullopt;
            },
            .password_iterations = kTestIterations,
            .reject_memory = &rejects});
}

model::Instance ApiTest::instance(std::int32_t data_id, std::string plugin, std::string token) {
  model::Instance out;
  out.data_id = data_id;
  out.plugin_id = std::move(plugin);
  out.name = "Demo";
  out.bk_biz_id = 2;
  out.token_hash = registry::token_hash(token, crypto, secret);
  return out;
}

Reply ApiTest::send(FakeRequest request, std::string body) {
  if (!body.empty()) request.with("Content-Length", std::to_string(body.size()));
  std::size_t bytes_max = 0;
  if (auto refused = api->on_head(request, bytes_max)) return refused;
  EXPECT_LE(body.size(), bytes_max) << "the listener would have refused it";
  const std::size_t size = body.size();
  body.resize(size + json::kPaddingBytes);
  return api->on_request(request, {++next_slot, 1}, std::as_writable_bytes(std::span(body)).first(size));
}

port::HttpResponse ApiTest::call(FakeRequest request, std::string body) {
  auto at_once = send(std::move(request), std::move(body));
  if (at_once) return std::move(*at_once);
  daemon.run_jobs();
  const auto at = answers.given.find(next_slot);
  if (at != answers.given.end()) return at->second;
  port::HttpResponse none;
  none.status = 0;
  return none;
}

port::HttpResponse ApiTest::get(std::string path, std::map<std::string, std::string> query) {
  FakeRequest request(port::Listener::control, port::Method::get, std::move(path));
  for (auto& [name, value] : query) request.ask(name, value);
  return call(request.as_admin(true));
}

port::HttpResponse ApiTest::post(std::string path, std::string body) {
  return call(FakeRequest(port::Listener::control, port::Method::post, std::move(path)).as_admin(true),
              std::move(body));
}

}  // namespace tocsin::api
