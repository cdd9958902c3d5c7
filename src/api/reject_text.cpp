// SPDX-License-Identifier: Apache-2.0
#include "src/api/reject_text.hpp"

#include <algorithm>

#include "src/base/utf8.hpp"
#include "src/json/cursor.hpp"
#include "src/json/text.hpp"
#include "src/model/facts.hpp"
#include "src/model/reject.hpp"

namespace tocsin::api {
namespace {

constexpr std::string_view kTokenName = "access_token";

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// Masks parts of a text of which only the beginning is kept.
class Mask {
 public:
  Mask(std::string_view whole, std::pmr::string& kept) : whole_(whole), kept_(kept) {}

  /// The sender's own token: the value of that member of the root.
  void own_place() {
    json::Cursor at(whole_);
    if (at.kind() != json::Kind::object) return;
    at.enter('{');
    for (std::string_view name; at.next_member(name);) {
      const std::string_view value = at.skip();
      if (!json::stands_for(name, kTokenName)) continue;
      own_ = json::inside_of(value);
      if (!own_.empty()) hide(own_);
    }
  }
  /// A string behind that name and a colon, in whatever text; of a value that is none, all that follows.
  void named() {
    for (std::size_t at = whole_.find(kTokenName); at != std::string_view::npos; at = whole_.find(kTokenName, at)) {
      at += kTokenName.size();
      std::size_t next = at;
      const auto pass = [&](auto&& wanted) {
        while (next < whole_.size() && wanted(whole_[next])) ++next;
      };
      pass([](char c) { return c == '"' || c == '\'' || c == '\\'; });
      pass(is_space);
      if (next == whole_.size() || (whole_[next] != ':' && whole_[next] != '=')) continue;
      ++next;
      pass(is_space);
      if (next < whole_.size() && (whole_[next] == '[' || whole_[next] == '{')) return hide(whole_.substr(next));
      pass([](char c) { return c == '"' || c == '\'' || c == '\\'; });
      const std::size_t begin = next;
      const char quote = whole_[begin - 1];
      const auto is_end = [quote](char c) {
        return quote == '"' || quote == '\'' ? c == quote : c == '"' || c == '\'';
      };
      while (next < whole_.size() && !is_end(whole_[next]))
        next = std::min(next + (whole_[next] == '\\' ? 2U : 1U), whole_.size());
      hide(whole_.substr(begin, next - begin));
      at = next;
    }
  }
  void every(std::string_view token) {
    if (token.empty()) return;
    for (std::size_t at = whole_.find(token); at < kept_.size(); at = whole_.find(token, at + token.size()))
      hide(whole_.substr(at, token.size()));
  }
  [[nodiscard]] bool hid_others() const noexcept { return hid_others_; }

 private:
  void hide(std::string_view part) {
    const auto begin = static_cast<std::size_t>(part.data() - whole_.data());
    const std::size_t end = std::min(begin + part.size(), kept_.size());
    const bool is_own =
        !own_.empty() && part.data() >= own_.data() && part.data() + part.size() <= own_.data() + own_.size();
    for (std::size_t i = begin; i < end; ++i) {
      kept_[i] = '*';
      hid_others_ = hid_others_ || !is_own;
    }
  }

  std::string_view whole_;
  std::pmr::string& kept_;
  std::string_view own_;
  bool hid_others_ = false;
};

}  // namespace

bool keep_body(std::string_view body, std::string_view token, bool is_json, std::pmr::string& out) {
  out = model::cut_utf8(body, model::kRejectBodyBytesMax);
  Mask mask(body, out);
  if (is_json) mask.own_place();
  mask.named();
  if (!is_json || token.size() >= kTokenBytesSought) mask.every(token);
  bool is_mended = false;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t size = utf8_size_at(out, at);
    if (size == 0) {
      out[at] = '?';
      is_mended = true;
    }
    at += std::max<std::size_t>(size, 1);
  }
  return out.size() == body.size() && !mask.hid_others() && !is_mended;
}

void hide_token(std::string_view token, std::pmr::string& message) noexcept {
  if (token.size() < kTokenBytesSought) return;
  for (std::size_t at = message.find(token); at != std::pmr::string::npos; at = message.find(token, at + token.size()))
    std::fill_n(message.begin() + static_cast<std::ptrdiff_t>(at), token.size(), '*');
}

}  // namespace tocsin::api
