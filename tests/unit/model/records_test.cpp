// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "src/model/alert.hpp"
#include "src/model/audit.hpp"
#include "src/model/facts.hpp"
#include "src/model/identity.hpp"
#include "src/model/instance.hpp"
#include "src/model/profile.hpp"

namespace tocsin::model {
namespace {

template <std::size_t N>
std::array<std::byte, N> filled(unsigned first) {
  std::array<std::byte, N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::byte>(first + i);
  return out;
}

Alert an_alert() {
  Alert a;
  a.number = 123;
  a.state = AlertState::acked;
  a.severity = 1;
  a.create_time_trusted = true;
  a.data_id = 10000001;
  a.bk_biz_id = -4;
  a.dedupe = filled<16>(1);
  a.create_ms = 1'700'000'000'123;
  a.update_ms = 2;
  a.begin_ms = 3;
  a.first_anomaly_ms = 4;
  a.latest_ms = 5;
  a.end_ms = 6;
  a.ack_ms = 7;
  a.event_count = 8;
  a.first_event_seq = 9;
  a.last_event_seq = 10;
  a.plugin_id = "demo";
  a.alert_name = "disk full";
  a.target_type = "HOST";
  a.target = "10.0.0.7|0";
  a.description = "磁盘已满";
  a.metric = "disk.used";
  a.category = "host_device";
  a.assignee = "alice";
  a.event_id = "e-1";
  a.dimensions_json = R"({"disk":"/dev/sda"})";
  a.ack_operator = "bob";
  a.ack_message = "on it";
  a.end_description = "ended";
  return a;
}

EventFacts some_facts() {
  EventFacts f;
  f.dedupe = filled<16>(3);
  f.status = EventStatus::closed;
  f.severity = 2;
  f.bk_biz_id = 7;
  f.time_ms = 11;
  f.anomaly_time_ms = 12;
  f.alert_name = "n";
  f.target_type = "tt";
  f.target = "t";
  f.description = "d";
  f.metric = "m";
  f.category = "c";
  f.assignee = "a";
  f.event_id = "e";
  f.dimensions_json = "{}";
  return f;
}

AuditRow a_row() {
  return {.index = 5,
          .action = AuditAction::alert_acked,
          .boot = 3,
          .wall_ms = 1'700'000'000'000,
          .mono_ms = 99,
          .wall_trusted = true,
          .actor = "user:alice",
          .object = "alert:1700000000123",
          .detail = "on it",
          .hash = filled<32>(7)};
}

Instance an_instance() {
  Instance i;
  i.data_id = 10000001;
  i.plugin_id = "demo";
  i.name = "Demo";
  i.bk_biz_id = 2;
  i.type = InstanceType::alert_source;
  i.alert = 3;
  i.lane = Lane::critical;
  i.max_rate = -2;
  i.enabled = false;
  i.upstream_data_id = 1'500'001;
  i.token_hash = filled<32>(9);
  i.old_token_hash = filled<32>(11);
  i.old_token_until_ms = -3;
  i.plugin_type = PluginType::bk_collector;
  i.strict = true;
  i.profile_revision = 4;
  i.client_cert = filled<32>(13);
  i.created_ms = 1;
  i.updated_ms = 2;
  return i;
}

/// One encoded record, and a function that decodes and encodes again ("" and the code when it refuses).
struct Case {
  const char* name;
  std::string encoded;
  std::function<Result<std::string>(Bytes)> again;
};

template <class T, class Decode>
Case make_case(const char* name, const T& record, Decode decode) {
  Case out{name, {}, {}};
  encode(record, out.encoded);
  out.again = [decode](Bytes in) -> Result<std::string> {
    const auto record_read = decode(in);
    if (!record_read.ok()) return record_read.error();
    std::string text;
    encode(*record_read, text);
    return text;
  };
  return out;
}

std::vector<Case> every_record() {
  User user{.name = "alice",
            .role = Role::operator_,
            .salt = filled<16>(1),
            .iterations = 600'000,
            .password_hash = filled<32>(2),
            .created_ms = 3};
  ApiToken token{.name = "ci", .role = Role::admin, .created_ms = 1, .expires_ms = 2, .hash = filled<32>(4)};
  Identity identity{.appliance = filled<16>(5),
                    .store = filled<16>(6),
                    .secret = filled<32>(7),
                    .created_ms = 8,
                    .hardware = "board-1"};
  StateRecord state{
      .next_seq = 1, .next_alert = 2, .folds_from_seq = 3, .boot = 4, .evicted_events = 5, .alerts_stored = 6};
  AuditBlock block{.index = 1,
                   .epoch = 2,
                   .first_row = 3,
                   .rows = 4,
                   .sealed_ms = 5,
                   .rows_head = filled<32>(1),
                   .previous = filled<32>(2),
                   .hash = filled<32>(3)};
  Profile profile;
  profile.version = "2026.11.21";
  profile.parts = {"[]", "{}", "[1]", "[2]", "[3]"};
  return {
      make_case("alert", an_alert(), decode_alert),
      make_case("facts", some_facts(), decode_facts),
      make_case("audit row", a_row(), decode_audit_row),
      make_case("audit block", block, decode_audit_block),
      make_case("instance", an_instance(), decode_instance),
      make_case("profile", profile, decode_profile),
      make_case("user", user, decode_user),
      make_case("token", token, decode_api_token),
      make_case("identity", identity, [](Bytes in) { return decode_identity(in); }),
      make_case("state", state, decode_state),
      make_case("boot clock", BootClock{.wall_offset_ms = -5, .before = {1, 2, 3, 4, 5}}, decode_boot_clock),
  };
}

TEST(Record, ComesBackAsItWasWritten) {
  for (const Case& c : every_record()) {
    const auto again = c.again(as_bytes(c.encoded));
    ASSERT_TRUE(again.ok()) << c.name;
    EXPECT_EQ(*again, c.encoded) << c.name;
  }
}

TEST(Record, AnInstanceOfFormat1HasNoOldToken) {
  const Instance written = an_instance();
  std::string text;
  encode(written, text);
  text[0] = 1;
  text.resize(text.size() - 47 - 32);  // from the hash of the old token on
  const auto read = decode_instance(as_bytes(text));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->token_hash, written.token_hash);
  EXPECT_EQ(read->updated_ms, written.updated_ms);
  EXPECT_EQ(read->old_token_until_ms, 0);
  EXPECT_FALSE(decode_instance(as_bytes(text + '\0')).ok());
}

TEST(Record, AnInstanceOfFormat2IsBoundToNoCertificate) {
  const Instance written = an_instance();
  std::string text;
  encode(written, text);
  EXPECT_EQ(text[0], 3);
  text[0] = 2;
  text.resize(text.size() - 32);
  const auto read = decode_instance(as_bytes(text));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->old_token_hash, written.old_token_hash);
  EXPECT_EQ(read->profile_revision, written.profile_revision);
  EXPECT_FALSE(read->is_bound_to_certificate());
  EXPECT_FALSE(decode_instance(as_bytes(text + '\0')).ok());
}

TEST(Instance, TakesItsOwnCertificateAndAnyWhileItIsBoundToNone) {
  Instance i;
  const auto own = filled<32>(1);
  const auto other = filled<32>(2);
  for (const port::Digest256* shown : {static_cast<const port::Digest256*>(nullptr), &own}) {
    EXPECT_TRUE(i.takes_certificate(shown));
  }
  EXPECT_EQ(client_cert_text(i), "");
  i.client_cert = own;
  EXPECT_TRUE(i.takes_certificate(&own));
  EXPECT_FALSE(i.takes_certificate(&other));
  EXPECT_FALSE(i.takes_certificate(nullptr));
  EXPECT_EQ(client_cert_text(i).size(), 64U);
}

TEST(Record, CountersOfFormat1DoNotSayHowManyAlertsThereAre) {
  std::string text;
  encode(StateRecord{.next_seq = 7, .evicted_events = 5, .alerts_stored = 6}, text);
  text[0] = 1;
  text.resize(text.size() - 8);
  const auto read = decode_state(as_bytes(text));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->next_seq, 7U);
  EXPECT_EQ(read->evicted_events, 5U);
  EXPECT_EQ(read->alerts_stored, StateRecord::kNotCounted);
}

TEST(Record, IsRefusedWhenCutAtAnyByte) {
  for (const Case& c : every_record()) {
    for (std::size_t size = 0; size < c.encoded.size(); ++size) {
      const auto again = c.again(as_bytes(c.encoded).first(size));
      ASSERT_FALSE(again.ok()) << c.name << " cut at " << size;
      const Errc expected = std::string_view(c.name) == "facts" ? Errc::invalid_input : Errc::storage_corrupt;
      EXPECT_EQ(again.error().code, expected) << c.name << " cut at " << size;
    }
  }
}

TEST(Record, IsRefusedWithBytesLeftOver) {
  for (const Case& c : every_record()) EXPECT_FALSE(c.again(as_bytes(c.encoded + '\0')).ok()) << c.name;
}

TEST(Record, OfAnotherFormatIsUnsupported) {
  for (const Case& c : every_record()) {
    if (std::string_view(c.name) == "facts") continue;
    std::string newer = c.encoded;
    newer[0] = 99;
    const auto again = c.again(as_bytes(newer));
    ASSERT_FALSE(again.ok()) << c.name;
    EXPECT_EQ(again.error().code, Errc::unsupported) << c.name;
  }
}

// Whatever a flipped bit makes of a record, it is either refused or read as exactly the bytes that are there.
TEST(Record, HasOneEncodingOnly) {
  for (const Case& c : every_record()) {
    for (std::size_t bit = 0; bit < c.encoded.size() * 8; ++bit) {
      std::string flipped = c.encoded;
      flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
      const auto again = c.again(as_bytes(flipped));
      if (again.ok()) {
        EXPECT_EQ(*again, flipped) << c.name << " bit " << bit;
      }
    }
  }
}

TEST(Alert, KeepsEveryField) {
  const Alert a = an_alert();
  std::string encoded;
  encode(a, encoded);
  const auto b = decode_alert(as_bytes(encoded));
  ASSERT_TRUE(b.ok());
  EXPECT_EQ(b->number, 123U);
  EXPECT_EQ(b->state, AlertState::acked);
  EXPECT_EQ(b->bk_biz_id, -4);
  EXPECT_EQ(b->dedupe, a.dedupe);
  EXPECT_EQ(b->description, "磁盘已满");
  EXPECT_EQ(b->ack_message, "on it");
  EXPECT_EQ(b->end_description, "ended");
  EXPECT_EQ(b->last_event_seq, 10U);
}

TEST(Alert, TextsAreReadUpToTheirBoundAndRefusedAboveIt) {
  Alert a;
  a.plugin_id.assign(kPluginIdBytesMax, 'p');
  std::string encoded;
  encode(a, encoded);
  ASSERT_TRUE(decode_alert(as_bytes(encoded)).ok());
  // The length of plugin_id follows the fixed fields: one more byte of text, and the length that says so.
  const std::size_t at = encoded.find(std::string(kPluginIdBytesMax, 'p'));
  ASSERT_NE(at, std::string::npos);
  encoded.insert(at, 1, 'p');
  encoded[at - 4] = static_cast<char>(kPluginIdBytesMax + 1);
  const auto over = decode_alert(as_bytes(encoded));
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().code, Errc::invalid_input);
}

TEST(Alert, WritesNoTextThatCannotBeReadBack) {
  Alert a;
  a.ack_message.assign(kMessageBytesMax + 100, 'x');
  a.end_description = std::string(kNameBytesMax - 1, 'x') + "警";
  std::string encoded;
  encode(a, encoded);
  const auto b = decode_alert(as_bytes(encoded));
  ASSERT_TRUE(b.ok());
  EXPECT_EQ(b->ack_message.size(), kMessageBytesMax);
  EXPECT_EQ(b->end_description, std::string(kNameBytesMax - 1, 'x'));
}

TEST(Alert, IsAtMostFiveKibibytes) {
  Alert a;
  for (std::string* text :
       {&a.plugin_id, &a.alert_name, &a.target_type, &a.target, &a.description, &a.metric, &a.category, &a.assignee,
        &a.event_id, &a.dimensions_json, &a.ack_operator, &a.ack_message, &a.end_description}) {
    text->assign(10'000, 'x');
  }
  std::string encoded;
  encode(a, encoded);
  EXPECT_LE(encoded.size(), 5 * KiB);
}

TEST(Alert, SeverityAndStateOutsideTheirRangeAreRefused) {
  for (const int severity : {0, 4}) {
    Alert a;
    a.severity = static_cast<std::uint8_t>(severity);
    std::string encoded;
    encode(a, encoded);
    EXPECT_FALSE(decode_alert(as_bytes(encoded)).ok()) << severity;
  }
}

TEST(AlertId, IsTenDigitsOfCreationAndTheNumber) {
  Alert a;
  a.number = 123;
  a.create_ms = 1'700'000'000'999;
  EXPECT_EQ(alert_id(a), "1700000000123");
  a.create_ms = 61'000;
  EXPECT_EQ(alert_id(a), "0000000061123");
  a.create_ms = -1;
  EXPECT_EQ(alert_id(a), "0000000000123");
  a.create_ms = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(alert_id(a), "9999999999123");
}

TEST(AlertId, GivesItsNumberBackAndNothingElseDoes) {
  EXPECT_EQ(alert_number("1700000000123"), 123U);
  EXPECT_EQ(alert_number("000000000018446744073709551615"), ~std::uint64_t{0});
  for (const char* wrong : {"", "1700000000", "17000000000", "170000000001x", "x7000000001", "17000000000123",
                            "000000000018446744073709551616", "1700000000-1", "1700000000 1"}) {
    EXPECT_EQ(alert_number(wrong), 0U) << wrong;
  }
}

TEST(AlertState, ShowsAcknowledgedAsAbnormalToBlueKing) {
  EXPECT_STREQ(to_text(AlertState::acked), "ACK");
  EXPECT_STREQ(to_bk_status(AlertState::acked), "ABNORMAL");
  EXPECT_STREQ(to_bk_status(AlertState::recovered), "RECOVERED");
}

TEST(Identity, OfANewerReleaseSaysWhichFormatItHas) {
  Identity identity;
  identity.format = kStoreFormat + 1;
  std::string encoded;
  encode(identity, encoded);
  std::uint32_t newer = 0;
  const auto got = decode_identity(as_bytes(encoded + "fields this release does not know"), &newer);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Errc::unsupported);
  EXPECT_EQ(newer, kStoreFormat + 1);
}

TEST(AuditRow, HashedFormIsTheEncodingWithoutItsHash) {
  std::string whole;
  std::string hashed;
  encode(a_row(), whole);
  encode_hashed(a_row(), hashed);
  EXPECT_EQ(whole.substr(0, whole.size() - 32), hashed);
}

TEST(AuditRow, OfAnActionThisReleaseDoesNotKnowIsStillRead) {
  AuditRow row = a_row();
  row.action = static_cast<AuditAction>(60'000);
  std::string encoded;
  encode(row, encoded);
  const auto again = decode_audit_row(as_bytes(encoded));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(static_cast<std::uint16_t>(again->action), 60'000U);
  EXPECT_STREQ(to_text(again->action), "unknown");
}

}  // namespace
}  // namespace tocsin::model
