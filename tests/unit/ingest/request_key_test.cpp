// SPDX-License-Identifier: Apache-2.0
#include "src/ingest/request_key.hpp"

#include <gtest/gtest.h>

#include "platform/gnutls/crypto.hpp"

namespace tocsin::ingest {
namespace {

constexpr std::int32_t kKeyDataId = 1500006;

std::string refusal_of(std::string_view key) {
  const auto good = check_request_key(key);
  return good ? "" : std::to_string(good.error().http_status) + " " + good.error().code.text();
}

TEST(RequestKey, HasOneTo255VisibleCharacters) {
  EXPECT_EQ(refusal_of(""), "400 idempotency_key_empty");
  EXPECT_EQ(refusal_of("!"), "");
  EXPECT_EQ(refusal_of("~"), "");
  EXPECT_EQ(refusal_of(R"("8e03978e-40d5-43dd-bc93-6894a57f9324")"), "");
  EXPECT_EQ(refusal_of(std::string(kRequestKeyBytesMax, 'k')), "");
  EXPECT_EQ(refusal_of(std::string(kRequestKeyBytesMax + 1, 'k')), "400 idempotency_key_too_long");
  for (const std::string_view odd : {"a b", "\x7F", "\x1F", "a\tb", "\x80", "sch\xC3\xB6n"}) {
    EXPECT_EQ(refusal_of(odd), "400 idempotency_key_characters") << odd;
  }
}

class RequestKeyMade : public ::testing::Test {
 protected:
  RequestKey make(std::string_view key, std::string_view body, std::int32_t data_id = kKeyDataId,
                  std::byte secret = std::byte{7}) {
    return make_request_key(crypto_, port::Digest256{secret}, data_id, key, as_bytes(body));
  }

 private:
  gnutls::Crypto crypto_;
};

TEST_F(RequestKeyMade, TheSameRequestIsKnownAgain) {
  const auto first = make("k", "body");
  const auto again = make("k", "body");
  EXPECT_EQ(first.request_id, again.request_id);
  EXPECT_EQ(first.id_hash, again.id_hash);
}

TEST_F(RequestKeyMade, AnotherBodyDiffersInItsOwnBitsOnly) {
  const auto first = make("k", "body");
  const auto other = make("k", "bodx");
  EXPECT_EQ(first.request_id, other.request_id);
  EXPECT_NE(first.id_hash, other.id_hash);
  EXPECT_EQ((first.id_hash ^ other.id_hash) & kKeyPart, 0U);
}

TEST_F(RequestKeyMade, KeyDataIdAndSecretEachMakeAnother) {
  const auto first = make("k", "body");
  for (const auto& other : {make("K", "body"), make("k", "body", kKeyDataId + 1), make("k", "body", kKeyDataId, {})}) {
    EXPECT_NE(first.request_id, other.request_id);
    EXPECT_NE((first.id_hash ^ other.id_hash) & kKeyPart, 0U);
  }
  // Data id and key do not run into each other.
  EXPECT_NE(make("1", "body", 15).request_id, make("", "body", 151).request_id);
}

TEST_F(RequestKeyMade, IsAUuidAndAnIdOf56BitsThatIsNeverZero) {
  for (int i = 0; i < 64; ++i) {
    const auto made = make(std::to_string(i), "");
    EXPECT_EQ(made.id_hash & 1U, 1U);
    EXPECT_EQ(made.id_hash >> 56U, 0U);
    EXPECT_EQ(made.request_id[6] & std::byte{0xF0}, std::byte{0x80});
    EXPECT_EQ(made.request_id[8] & std::byte{0xC0}, std::byte{0x80});
  }
}

}  // namespace
}  // namespace tocsin::ingest
