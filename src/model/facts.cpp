// SPDX-License-Identifier: Apache-2.0
#include "src/model/facts.hpp"

#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

template <class Op, class Facts>
void fact_fields(Op& op, Facts& facts) {
  op.array(facts.dedupe);
  op.choice(facts.status, 0, 2);
  op.choice(facts.severity, 1, 3);
  op.number(facts.bk_biz_id);
  op.number(facts.time_ms);
  op.number(facts.anomaly_time_ms);
  op.text(facts.alert_name, kNameBytesMax);
  op.text(facts.target_type, kNameBytesMax);
  op.text(facts.target, kTargetBytesMax);
  op.text(facts.description, kDescriptionBytesMax);
  op.text(facts.metric, kNameBytesMax);
  op.text(facts.category, kNameBytesMax);
  op.text(facts.assignee, kNameBytesMax);
  op.text(facts.event_id, kNameBytesMax);
  op.text(facts.dimensions_json, kDimensionsBytesMax);
}

}  // namespace

void encode(const EventFacts& facts, std::string& out) {
  FieldWriter writer(out);
  fact_fields(writer, facts);
}

Result<EventFacts> decode_facts(Bytes in) {
  auto facts = read_record<EventFacts>(in, "facts of an event", [](auto& op, auto& out) { fact_fields(op, out); });
  if (!facts.ok()) return error(Errc::invalid_input, "facts of an event");
  return facts;
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  // A character has at most three continuation bytes; a longer run is no UTF-8 and is cut where it is.
  for (int back = 0; back < 4 && end > 0; ++back, --end) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U) return text.substr(0, end);
  }
  return text.substr(0, end == 0 ? 0 : bytes_max);
}

}  // namespace tocsin::model
