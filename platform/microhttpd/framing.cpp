// SPDX-License-Identifier: Apache-2.0
#include "platform/microhttpd/framing.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace tocsin::microhttpd {

namespace {

struct Row {
  std::string_view name;
  port::Method method;
};
constexpr std::array kMethods{
    Row{"POST", port::Method::post},   Row{"GET", port::Method::get},     Row{"HEAD", port::Method::head},
    Row{"PUT", port::Method::put},     Row{"DELETE", port::Method::del},  Row{"OPTIONS", port::Method::other},
    Row{"PATCH", port::Method::other}, Row{"TRACE", port::Method::other}, Row{"CONNECT", port::Method::other},
};

bool same_name(std::string_view name, std::string_view lower) noexcept {
  if (name.size() != lower.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != lower[i]) return false;
  }
  return true;
}

struct Seen {
  Framing out;
  unsigned hosts = 0;
  unsigned lengths = 0;
  unsigned codings = 0;
  unsigned encodings = 0;
  const char* line = nullptr;  ///< where the next line of the head must begin
};

void read_length(Seen& seen, std::string_view value) noexcept {
  ++seen.lengths;
  std::uint64_t bytes = 0;
  const auto [stop, fault] = std::from_chars(value.data(), value.data() + value.size(), bytes);
  // from_chars takes no sign and no blank for an unsigned number: digits only.
  if (fault != std::errc{} || stop != value.data() + value.size()) seen.out.fault = "odd Content-Length";
  seen.out.content_bytes = bytes;
}

/// The characters of a token (RFC 9110, 5.6.2). A name of others is a blank to one reader and a letter to the next.
constexpr std::array<bool, 256> token_characters() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~0123456789"}) table[static_cast<unsigned char>(c)] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  return table;
}
constexpr auto kTokenCharacters = token_characters();

bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (!kTokenCharacters[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

/// Letters of a name or an address with a port; not their grammar. Empty is a host too.
bool is_host(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  for (const char c : text) {
    if (!kTokenCharacters[static_cast<unsigned char>(c)] &&
        std::string_view{"[]:(),;="}.find(c) == std::string_view::npos)
      return false;
  }
  return true;
}

/// The library cut the lines in place: a name and its value still lie on one line, and where a line ended in CR LF
/// there are now two NULs behind the value. A folded line was moved away, a bare line feed left only one NUL.
const char* line_fault(std::string_view name, std::string_view value) noexcept {
  if (!is_token(name)) return "odd header name";
  const char* gap = name.data() + name.size();
  if (value.data() <= gap) return "folded header line";
  for (; gap < value.data(); ++gap) {
    if (*gap != '\0' && *gap != ' ' && *gap != '\t') return "folded header line";
  }
  if (value.find('\r') != std::string_view::npos) return "bare carriage return in the head";
  const char* end = value.data() + value.size();
  if (end[0] != '\0' || end[1] != '\0') return "bare line feed or NUL in the head";
  return nullptr;
}

MHD_Result on_header(void* cls, MHD_ValueKind, const char* key, std::size_t key_size, const char* text,
                     std::size_t text_size) noexcept {
  Seen& seen = *static_cast<Seen*>(cls);
  if (key == nullptr || text == nullptr) {
    seen.out.fault = "odd header";
    return MHD_NO;
  }
  const std::string_view name{key, key_size};
  const std::string_view value{text, text_size};
  // A line is cut at a NUL; only its length betrays what stood behind that.
  if (key != seen.line) seen.out.fault = "folded header line, bare line feed or NUL in the head";
  seen.line = text + text_size + 2;
  if (const char* fault = line_fault(name, value); fault != nullptr) seen.out.fault = fault;
  switch (key_size) {  // most headers are told apart by length alone
    case 4:
      if (!same_name(name, "host")) break;
      ++seen.hosts;
      if (!is_host(value)) seen.out.fault = "odd Host";
      break;
    case 6: seen.out.expects_continue |= same_name(name, "expect") && same_name(value, "100-continue"); break;
    case 14:
      if (same_name(name, "content-length")) read_length(seen, value);
      break;
    case 16: seen.encodings += same_name(name, "content-encoding"); break;
    case 17:
      if (!same_name(name, "transfer-encoding")) break;
      ++seen.codings;
      seen.out.chunked = true;
      if (!same_name(value, "chunked")) seen.out.fault = "odd Transfer-Encoding";
      break;
    default: break;
  }
  return seen.out.fault == nullptr ? MHD_YES : MHD_NO;
}

}  // namespace

const char* check_target(std::string_view target) noexcept {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.empty() || path.front() != '/') return "the path must begin with a slash";
  for (const char c : path) {
    if (c < '!' || c > '~') return "blank, control or 8-bit character in the path";
  }
  if (path.find("%00") != std::string_view::npos) return "NUL in the path";
  for (const char c : target.substr(path.size())) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < '!' || letter == 0x7F) return "blank or control character in the query";
  }
  return nullptr;
}

Framing check_framing(MHD_Connection& connection, std::string_view method, std::string_view target,
                      const char* version) noexcept {
  Seen seen;
  const auto fail = [&seen](const char* why) {
    seen.out.fault = why;
    return seen.out;
  };
  bool known = false;
  for (const Row& row : kMethods) {
    if (row.name != method) continue;
    seen.out.method = row.method;
    known = true;
    break;
  }
  if (!known) return fail("unknown method");
  // Target and version each follow a terminator unless there is a NUL in what is before, or odd blanks stood around it.
  if (target.data() != method.data() + method.size() + 1 || version != target.data() + target.size() + 1)
    return fail("NUL or blanks in the request line");
  if (std::strncmp(version, "HTTP/1.", 7) != 0 || version[8] != '\0' || version[9] != '\0')
    return fail("odd end of the request line");

  seen.line = version + 10;
  static_cast<void>(MHD_get_connection_values_n(&connection, MHD_HEADER_KIND, on_header, &seen));
  if (seen.out.fault != nullptr) return seen.out;
  // A line that begins with NUL, or with a colon that the library cut to one, is the end of the head to it.
  const auto* size = MHD_get_connection_info(&connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (size == nullptr || seen.line + 2 != method.data() + size->header_size || seen.line[0] != '\0' ||
      seen.line[1] != '\0')
    return fail("odd end of the head");
  if (seen.hosts != 1) return fail("one Host header is needed");
  if (seen.lengths > 1) return fail("more than one Content-Length");
  if (seen.codings > 1) return fail("more than one Transfer-Encoding");
  if (seen.encodings > 1) return fail("more than one Content-Encoding");
  if (seen.codings != 0 && seen.lengths != 0) return fail("Content-Length beside Transfer-Encoding");
  if (seen.codings != 0 && version[7] == '0') return fail("Transfer-Encoding in HTTP/1.0");
  return seen.out;
}

}  // namespace tocsin::microhttpd
