// SPDX-License-Identifier: Apache-2.0
#include "src/api/encoding.hpp"

#include <algorithm>

#include "src/json/parser.hpp"

namespace tocsin::api {
namespace {

bool same_word(std::string_view text, std::string_view lower) noexcept {
  return std::ranges::equal(
      text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b; });
}

EncodingFault fault_of(port::InflateFault fault, Encoding encoding, std::size_t bytes_max) {
  const std::string body = encoding == Encoding::gzip ? "the gzip body " : "the deflate body ";
  switch (fault) {
    case port::InflateFault::too_large:
      return {413, body + "is larger than " + std::to_string(bytes_max) + " bytes when inflated", "body_too_long"};
    case port::InflateFault::truncated: return {400, body + "ends too early", "compressed_broken"};
    case port::InflateFault::no_memory: return {503, "no memory for the body now", "unavailable"};
    case port::InflateFault::corrupt:
    case port::InflateFault::none: break;
  }
  return {400, body + "is corrupt", "compressed_broken"};
}

}  // namespace

Encoding encoding_of(const port::HttpRequest& request) noexcept {
  const std::string_view name = request.header("Content-Encoding");
  if (name.empty() || same_word(name, "identity")) return Encoding::plain;
  if (same_word(name, "gzip") || same_word(name, "x-gzip")) return Encoding::gzip;
  return same_word(name, "deflate") ? Encoding::deflate : Encoding::foreign;
}

std::optional<EncodingFault> inflate_body(Encoding encoding, Bytes body, std::size_t bytes_max,
                                          port::Inflater& inflater, Budget& pool, std::pmr::vector<std::byte>& out) {
  const port::Coding coding = encoding == Encoding::gzip ? port::Coding::gzip : port::Coding::deflate;
  const auto size = inflater.measure(coding, body, bytes_max, pool);
  if (size.fault != port::InflateFault::none) return fault_of(size.fault, encoding, bytes_max);
  if (body.size() + size.bytes + json::kPaddingBytes + port::kInflateBytesMax > pool.limit_bytes()) {
    return EncodingFault{413,
                         "the body is too large to be inflated here: " + std::to_string(body.size()) +
                             " bytes compressed and " + std::to_string(size.bytes) +
                             " inflated; send it without compression or in parts",
                         "body_too_long"};
  }
  if (pool.limit_bytes() - pool.used_bytes() < size.bytes + json::kPaddingBytes + port::kInflateBytesMax)
    return fault_of(port::InflateFault::no_memory, encoding, bytes_max);
  out.resize(size.bytes + json::kPaddingBytes);
  const auto done = inflater.inflate(coding, body, std::span(out).first(size.bytes), pool);
  if (done.fault != port::InflateFault::none) return fault_of(done.fault, encoding, bytes_max);
  return std::nullopt;
}

}  // namespace tocsin::api
