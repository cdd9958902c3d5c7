// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "platform/microhttpd/slots.hpp"

namespace tocsin::microhttpd {

namespace {

constexpr std::size_t kMembersMax = 64;  // what normalise::kHttpPartsMax wants

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The library gives query members undecoded (our unescape callback leaves them alone) except that it has already put
/// a blank for each '+'; a raw blank cannot occur in a target, so that is undone here.
enum class Plus : std::uint8_t { stays, is_blank };
std::string decode(std::string_view raw, Plus plus) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == '%' && i + 2 < raw.size() && hex_value(raw[i + 1]) >= 0 && hex_value(raw[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(raw[i + 1]) * 16 + hex_value(raw[i + 2]));
      i += 2;
    } else {
      out += c == ' ' && plus == Plus::stays ? '+' : c;
    }
  }
  return out;
}

struct Member {
  std::string_view name;
  std::string_view value;
  bool found = false;
};

MHD_Result on_member(void* cls, MHD_ValueKind, const char* key, std::size_t key_size, const char* text,
                     std::size_t text_size) noexcept {
  Member& wanted = *static_cast<Member*>(cls);
  if (key == nullptr || std::string_view{key, key_size} != wanted.name) return MHD_YES;
  wanted.found = true;
  if (text != nullptr) wanted.value = {text, text_size};
  return MHD_NO;
}

/// Views into the request's own memory; the callback must not throw.
struct Members {
  std::array<std::pair<std::string_view, std::string_view>, kMembersMax> parts;
  std::size_t count = 0;
  std::size_t max = 0;
};

MHD_Result on_each(void* cls, MHD_ValueKind, const char* key, std::size_t key_size, const char* text,
                   std::size_t text_size) noexcept {
  Members& out = *static_cast<Members*>(cls);
  if (out.count == out.max) return MHD_NO;
  if (key == nullptr) return MHD_YES;
  out.parts[out.count++] = {{key, key_size}, text != nullptr ? std::string_view{text, text_size} : std::string_view{}};
  return MHD_YES;
}

std::string_view without_trailing_blanks(std::string_view value) {
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

Members members_of(MHD_Connection* connection, MHD_ValueKind kind, std::size_t max) {
  Members out;
  out.max = std::min(max, kMembersMax);
  static_cast<void>(MHD_get_connection_values_n(connection, kind, on_each, &out));
  return out;
}

}  // namespace

std::vector<port::HttpMember> RequestView::headers(std::size_t max) const {
  const Members found = members_of(slot_.connection, MHD_HEADER_KIND, max);
  std::vector<port::HttpMember> out;
  out.reserve(found.count);
  for (const auto& [name, value] : std::span(found.parts).first(found.count))
    out.push_back({std::string(name), std::string(without_trailing_blanks(value))});
  return out;
}

std::vector<port::HttpMember> RequestView::query_members(std::size_t max) const {
  const Members found = members_of(slot_.connection, MHD_GET_ARGUMENT_KIND, max);
  std::vector<port::HttpMember> out;
  out.reserve(found.count);
  for (const auto& [name, value] : std::span(found.parts).first(found.count))
    out.push_back({decode(name, Plus::is_blank), decode(value, Plus::is_blank)});
  return out;
}

std::optional<std::string> RequestView::query(std::string_view name) const {
  Member wanted{name, {}, false};
  static_cast<void>(MHD_get_connection_values_n(slot_.connection, MHD_GET_ARGUMENT_KIND, on_member, &wanted));
  if (!wanted.found) return std::nullopt;
  return decode(wanted.value, Plus::stays);
}

std::string_view RequestView::header(std::string_view name) const noexcept {
  const char* text = nullptr;
  std::size_t size = 0;
  if (MHD_lookup_connection_value_n(slot_.connection, MHD_HEADER_KIND, name.data(), name.size(), &text, &size) !=
          MHD_YES ||
      text == nullptr)
    return {};
  return without_trailing_blanks({text, size});
}

}  // namespace tocsin::microhttpd
