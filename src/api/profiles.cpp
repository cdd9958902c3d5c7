// SPDX-License-Identifier: Apache-2.0
#include "src/api/profiles.hpp"

#include <algorithm>
#include <new>

#include "src/json/document.hpp"

namespace tocsin::api {
namespace {

/// Rules and names are at most four times as large as the text that they are made of (a rule of 40 bytes takes 120).
constexpr std::size_t kHeapBytesPerByte = 4;

SourceFormat format_of(json::Parser& parser, const model::Profile& profile) {
  const auto document = json::Document::parse(parser, profile.part(model::ProfilePart::ingest_config));
  if (!document) return SourceFormat::json;
  const std::string_view name = document->root().member("source_format").text().value_or("json");
  if (name == "yaml") return SourceFormat::yaml;
  if (name == "xml") return SourceFormat::xml;
  if (name == "gse") return SourceFormat::gse;
  return name == "text" ? SourceFormat::text : SourceFormat::json;
}

}  // namespace

Profiles::Profiles(json::Parser& parser, Budget& memory)
    : parser_(parser), memory_(memory), library_({.compiled_max = 8, .bytes_max = kPatternBytesMax}) {
  auto compiled = normalise::Compiled::compile({}, parser_, library_, *std::pmr::new_delete_resource());
  empty_.compiled = std::move(*compiled);
}

Profiles::~Profiles() {
  while (!entries_.empty()) drop(entries_.begin());
}

void Profiles::drop(std::list<Entry>::iterator at) noexcept {
  memory_.release(at->heap_bytes);
  entries_.erase(at);
}

const ReadyProfile* Profiles::find(std::int32_t data_id, std::uint32_t revision) {
  if (revision == 0) return &empty_;
  const auto at = std::ranges::find(entries_, data_id, &Entry::data_id);
  if (at == entries_.end() || at->revision != revision) return nullptr;
  entries_.splice(entries_.begin(), entries_, at);
  return &at->ready;
}

Profiles::Made Profiles::try_make(const model::Profile& profile) {
  Entry out;
  auto compiled = normalise::Compiled::compile(profile, parser_, library_, memory_);
  if (!compiled) return tl::unexpected(std::move(compiled.error()));
  out.ready.compiled = std::move(*compiled);
  out.ready.format = format_of(parser_, profile);
  out.heap_bytes = profile.parts_bytes() * kHeapBytesPerByte +
                   (out.ready.compiled->clean_configs().size() + 1) * sizeof(normalise::Config);
  if (!memory_.try_charge(out.heap_bytes)) throw std::bad_alloc();
  return out;
}

/// The least recently used make room.
Profiles::Made Profiles::make(const model::Profile& profile) {
  for (;;) {
    const std::uint64_t refusals = memory_.refusals();
    try {
      return try_make(profile);
    } catch (const std::bad_alloc&) {
      if (memory_.refusals() == refusals) throw;  // the system's
      if (entries_.empty()) break;
      drop(std::prev(entries_.end()));
    }
  }
  return tl::unexpected(normalise::ProfileError{"the profile takes more than the " +
                                                std::to_string(memory_.limit_bytes() / KiB) +
                                                " KiB that this box has for profiles"});
}

tl::expected<const ReadyProfile*, normalise::ProfileError> Profiles::add(std::int32_t data_id, std::uint32_t revision,
                                                                         const model::Profile& profile) {
  if (const auto old = std::ranges::find(entries_, data_id, &Entry::data_id); old != entries_.end()) drop(old);
  auto made = make(profile);
  if (!made) return tl::unexpected(std::move(made.error()));
  made->data_id = data_id;
  made->revision = revision;
  const std::size_t heap_bytes = made->heap_bytes;
  try {
    entries_.push_front(std::move(*made));
  } catch (const std::bad_alloc&) {
    memory_.release(heap_bytes);
    throw;
  }
  return &entries_.front().ready;
}

std::string Profiles::check(const model::Profile& profile) {
  const auto made = make(profile);
  if (!made) return made.error().message;
  memory_.release(made->heap_bytes);
  return {};
}

}  // namespace tocsin::api
