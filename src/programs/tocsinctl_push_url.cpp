// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_push_url.hpp"

#include <utility>

#include "src/programs/tocsinctl_batch.hpp"

namespace tocsin::ctl {
namespace {

constexpr const char* kDefaultUrl = "http://127.0.0.1:10205";

/// The daemon behind the control socket is the one that is meant, wherever it listens.
std::optional<std::string> ask_for_url(Context& context) {
  const auto data = context.get("/api/v1/config");
  if (!data) return std::nullopt;
  for (const Value& entry : entries_of(*data)) {
    if (entry.member("key").text() != "http.push.listen") continue;
    for (const Value& address : entry.member("value").elements()) {
      if (auto url = url_of_listener(address.text().value_or("")); !url.empty()) return url;
    }
  }
  context.fail("the daemon on " + context.socket() + " does not tell where it takes events: name it with --url URL");
  return std::nullopt;
}

}  // namespace

std::string push_url(std::string listener) {
  while (listener.ends_with('/')) listener.pop_back();
  if (!listener.ends_with("/v2/push")) listener += "/v2/push";
  return listener + "/";
}

std::optional<std::string> find_push_url(Context& context, const Args& args) {
  if (args.has("--url")) return push_url(std::string(args.get("--url")));
  // Who may not use the control socket may push all the same.
  if (context.socket() == kDefaultSocket && !context.daemon_is_there()) return push_url(kDefaultUrl);
  auto url = ask_for_url(context);
  if (!url) return std::nullopt;
  return push_url(*std::move(url));
}

}  // namespace tocsin::ctl
