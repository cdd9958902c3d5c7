// SPDX-License-Identifier: Apache-2.0
#include "src/model/source_position.hpp"

#include "src/base/hex.hpp"
#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

template <class Op, class P>
void source_position_fields(Op& op, P& position) {
  op.text(position.source, kSourceNameBytesMax);
  op.text(position.topic, kSourceTopicBytesMax);
  op.number(position.partition);
  op.number(position.next_offset);
}

}  // namespace

void encode(const SourcePosition& position, std::string& out) {
  FieldWriter writer(out);
  source_position_fields(writer, position);
}

Result<SourcePosition> decode_source_position(Bytes in) {
  return read_record<SourcePosition>(in, "position of a source",
                                     [](auto& op, auto& out) { source_position_fields(op, out); });
}

Key source_position_key(const port::Crypto& crypto, std::string_view source, std::string_view topic,
                        std::int32_t partition) {
  std::string whole(source);  // no name has a zero byte: what stands before it is the name
  whole.push_back('\0');
  whole.append(topic);
  const port::Digest256 digest = crypto.sha256(as_bytes(whole));
  return Key(Table::source_position).raw(Bytes(digest).first(sizeof(Id128))).u32(static_cast<std::uint32_t>(partition));
}

}  // namespace tocsin::model
