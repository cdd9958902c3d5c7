// SPDX-License-Identifier: Apache-2.0
#include "src/page/page.hpp"

#include <array>

#include "src/page/assets.inc"  // made by the build from assets/

namespace tocsin::page {
namespace {

struct Asset {
  std::string_view path;
  port::ContentType type;
  std::string_view body;
};
constexpr std::array kAssets{
    Asset{"/", port::ContentType::html, k_index_html},
    Asset{"/page.css", port::ContentType::css, k_page_css},
    Asset{"/page.js", port::ContentType::javascript, k_page_js},
};
static_assert(k_index_html.size() + k_page_css.size() + k_page_js.size() <= kBytesMax);

}  // namespace

std::optional<port::HttpResponse> find_asset(std::string_view path) noexcept {
  for (const Asset& asset : kAssets) {
    if (asset.path != path) continue;
    port::HttpResponse out;
    out.type = asset.type;
    out.static_body = asset.body;
    return out;
  }
  return std::nullopt;
}

}  // namespace tocsin::page
