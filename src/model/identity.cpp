// SPDX-License-Identifier: Apache-2.0
#include "src/model/identity.hpp"

#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

template <class Op, class I>
void identity_fields(Op& op, I& identity) {
  op.number(identity.format);  // right after the record format in every release: decode_identity relies on it
  op.array(identity.appliance);
  op.array(identity.store);
  op.array(identity.secret);
  op.number(identity.created_ms);
  op.text(identity.hardware, kHardwareBytesMax);
}

constexpr std::uint8_t kStateFormat = 2;

template <class Op, class S>
void state_fields_1(Op& op, S& state) {
  op.number(state.next_seq);
  op.number(state.next_alert);
  op.number(state.folds_from_seq);
  op.number(state.boot);
  op.number(state.evicted_events);
}

template <class Op, class S>
void state_fields(Op& op, S& state) {
  state_fields_1(op, state);
  op.number(state.alerts_stored);
}

constexpr std::uint8_t kBootClockFormat = 2;

template <class Op, class C>
void boot_clock_fields(Op& op, C& clock) {
  op.number(clock.wall_offset_ms);
  op.number(clock.before.from_ms);
  op.number(clock.before.end_ms);
  op.number(clock.before.shift_ms);
  op.number(clock.before.first_alert);
  op.number(clock.before.end_alert);
}

}  // namespace

void encode(const Identity& identity, std::string& out) {
  FieldWriter writer(out);
  identity_fields(writer, identity);
}

Result<Identity> decode_identity(Bytes in, std::uint32_t* newer) {
  Decoder head(in);
  (void)head.get<std::uint8_t>();
  const auto format = head.get<std::uint32_t>();
  if (head.ok() && format > kStoreFormat) {
    if (newer != nullptr) *newer = format;
    return error(Errc::unsupported, "store of a newer release");
  }
  return read_record<Identity>(in, "store identity", [](auto& op, auto& out) { identity_fields(op, out); });
}

void encode(const StateRecord& state, std::string& out) {
  FieldWriter writer(out, kStateFormat);
  state_fields(writer, state);
}

Result<StateRecord> decode_state(Bytes in) {
  if (!in.empty() && in[0] == std::byte{kRecordFormat})
    return read_record<StateRecord>(in, "store counters", [](auto& op, auto& out) { state_fields_1(op, out); });
  return read_record<StateRecord>(
      in, "store counters", [](auto& op, auto& out) { state_fields(op, out); }, kStateFormat);
}

void encode(const BootClock& clock, std::string& out) {
  FieldWriter writer(out, kBootClockFormat);
  boot_clock_fields(writer, clock);
}

Result<BootClock> decode_boot_clock(Bytes in) {
  if (!in.empty() && in[0] == std::byte{kRecordFormat}) {
    return read_record<BootClock>(in, "clock of a boot", [](auto& op, auto& out) { op.number(out.wall_offset_ms); });
  }
  return read_record<BootClock>(
      in, "clock of a boot", [](auto& op, auto& out) { boot_clock_fields(op, out); }, kBootClockFormat);
}

}  // namespace tocsin::model
