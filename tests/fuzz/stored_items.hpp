// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory_resource>
#include <string>
#include <vector>

#include "src/ingest/facts_again.hpp"
#include "src/ingest/refusal.hpp"
#include "src/json/writer.hpp"
#include "src/model/batch.hpp"
#include "src/model/facts.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/json/padded.hpp"

namespace tocsin::fuzz {

inline constexpr Now kTrusted{{5'000'000'000}, {1'700'000'000'123, true}};
inline constexpr Now kUntrusted{{5'000'000'000}, {1'000, false}};

inline bool is_json(json::Parser& parser, std::string_view text) {
  const json::Padded padded{text};
  return parser.check(padded.text()).has_value();
}

/// What every refusal must be, whatever was sent: it becomes part of a JSON answer.
inline void check_refusal(json::Parser& parser, const ingest::Refusal& refusal, const model::EventBatch& batch) {
  require(refusal.http_status >= 400 && refusal.http_status < 500, "a refusal is the sender's fault");
  require(!refusal.code.is_none() && !refusal.message.empty(), "a refusal has a code and words");
  require(refusal.message.size() < 4'096, "a message is short");
  std::string quoted;
  json::append_quoted(refusal.message, quoted);
  require(is_json(parser, quoted), "a message is text");
  require(batch.items.empty() && batch.bytes.empty(), "nothing of a refused request is kept");
}

/// What is true of every batch that a reader took. Returns the JSON of its items.
inline std::vector<std::string> check_batch(json::Parser& parser, const port::Crypto& crypto,
                                            const model::Instance& instance, const model::EventBatch& batch) {
  require(!batch.items.empty() && batch.data_id == instance.data_id, "a taken request has items");
  std::vector<std::string> out;
  std::string_view rest = as_text(batch.bytes.view());
  std::string scratch;
  for (const model::Item& item : batch.items) {
    require(item.json_bytes <= rest.size() && item.facts_bytes <= rest.size() - item.json_bytes,
            "items tile the bytes");
    const std::string_view json = rest.substr(0, item.json_bytes);
    const std::string_view facts = rest.substr(item.json_bytes, item.facts_bytes);
    rest.remove_prefix(std::size_t{item.json_bytes} + item.facts_bytes);
    require(is_json(parser, json) && json.front() == '{' && json.back() == '}', "an item is stored as a JSON object");
    if (!facts.empty()) {
      require(model::decode_facts(as_bytes(facts)).ok(), "facts can be read");
      const auto again = ingest::facts_of(crypto, batch.kind, instance, json, scratch);
      std::string encoded;
      require(again.ok(), "facts can be made again");
      model::encode(*again, encoded);
      require(encoded == facts, "facts made again are the same");
      require(is_json(parser, again->dimensions_json), "dimensions are JSON");
    }
    out.emplace_back(json);
  }
  require(rest.empty(), "nothing but items is kept");
  return out;
}

}  // namespace tocsin::fuzz
