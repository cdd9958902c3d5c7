// SPDX-License-Identifier: Apache-2.0
#include "src/api/source_body.hpp"

#include <new>

#include "src/formats/formats.hpp"
#include "src/jmespath/search.hpp"
#include "src/json/value.hpp"
#include "src/normalise/gse.hpp"
#include "src/normalise/http_parts.hpp"

namespace tocsin::api {
namespace {

/// YAML and XML bodies are larger while they are read than JSON ones; libyaml's share comes from the parser's line.
constexpr std::size_t kOtherFormatBytesMax = 256 * KiB;
constexpr std::uint32_t kFieldStepsMax = kSourceOutputBytesMax / jmespath::kBytesPerStep;

std::vector<normalise::HttpPart> parts_of(const std::vector<port::HttpMember>& members) {
  std::vector<normalise::HttpPart> out;
  out.reserve(members.size());
  for (const auto& member : members) out.push_back({member.name, member.value});
  return out;
}

/// A body of another format as JSON; the message of what is wrong with it.
tl::expected<void, ingest::Refusal> to_json(SourceFormat format, std::string_view body, Budget& memory,
                                            std::pmr::string& out) {
  const formats::Limits limits{.body_bytes_max = kOtherFormatBytesMax, .spare_bytes = json::kPaddingBytes};
  const auto done = format == SourceFormat::yaml ? formats::yaml_to_json(body, memory, out, limits)
                    : format == SourceFormat::xml
                        ? formats::xml_to_json(body, formats::XmlStyle::mxj, memory, out, limits)
                        : formats::text_to_json(body, out, limits);
  if (done) return {};
  const auto& error = done.error();
  const bool is_too_large = error.what == formats::FormatError::What::too_large;
  return ingest::refuse(is_too_large ? RefusalCode("body_too_long") : RefusalCode("body_format"),
                        "body: " + std::string(error.reason) + " (line " + std::to_string(error.line) + ", column " +
                            std::to_string(error.column) + ")",
                        is_too_large ? 413 : 400);
}

ingest::Refusal in_words_of_http(normalise::Refusal&& refusal) {
  if (refusal.what == normalise::Refusal::What::no_room) throw std::bad_alloc();
  const bool is_content = refusal.what == normalise::Refusal::What::content;
  return {static_cast<std::uint16_t>(is_content ? 400 : 413), std::move(refusal.message), refusal.code};
}

}  // namespace

ingest::Checked<std::uint32_t> read_source_body(const Services& services, const SourceBody& body,
                                                normalise::Explain* explain, std::string& out) {
  Budget& memory = *services.parts.intake;
  std::pmr::string made(&memory);
  std::string_view text = as_text(body.bytes);
  const bool is_gse = body.profile.format == SourceFormat::gse;
  if (is_gse) {
    if (text.size() > normalise::kGseBytesMax)
      return ingest::refuse("body_too_long", "body: a record of GSE has at most 64 KiB", 413);
    text = normalise::without_gse_end(text);
  } else if (body.profile.format != SourceFormat::json) {
    if (const auto good = to_json(body.profile.format, text, memory, made); !good) return tl::unexpected(good.error());
    text = made;
  }
  std::pmr::monotonic_buffer_resource arena(&memory);
  const auto read = services.parser.read(text, arena, memory);
  if (!read) return ingest::refuse(read.error());
  json::Value document = *read;
  if (is_gse) {
    auto events = normalise::gse_events(document, {services.parts.crypto, arena, memory, explain});
    if (!events) return tl::unexpected(in_words_of_http(std::move(events.error())));
    document = *events;
  }
  std::pmr::vector<json::Member> fields(&arena);
  for (const auto& field : body.fields) fields.push_back({field.name, json::Value::text(field.value)});
  const normalise::Source from{document, normalise::header_object(parts_of(body.headers), arena),
                               normalise::query_object(parts_of(body.query), arena), fields};
  normalise::Options options{.strict = body.instance.strict};
  if (body.instance.rewrite_cloud) options.own_cloud_id = services.parts.bk_cloud_id;
  const normalise::Means means{memory,
                               services.parser,
                               services.profiles.library(),
                               {.expression_steps_max = kFieldStepsMax, .output_bytes_max = kSourceOutputBytesMax},
                               explain};
  auto count = normalise::normalise(*body.profile.compiled, from, options, means, out);
  if (count) return *count;
  return tl::unexpected(in_words_of_http(std::move(count.error())));
}

}  // namespace tocsin::api
