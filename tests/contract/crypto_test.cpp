// SPDX-License-Identifier: Apache-2.0
// The crypto port's contract: published vectors. Any other implementation must pass the same file.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "platform/gnutls/crypto.hpp"

namespace tocsin {
namespace {

std::string hex(Bytes bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15U];
  }
  return out;
}

const gnutls::Crypto kGnutls;
const port::Crypto& crypto() { return kGnutls; }

TEST(CryptoContract, HashesAsFips180Says) {
  EXPECT_EQ(hex(crypto().sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(crypto().sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

struct Mac {
  std::string key, data;
  const char* want;
};

TEST(CryptoContract, AuthenticatesAsRfc4231Says) {
  const Mac rows[] = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const Mac& row : rows) EXPECT_EQ(hex(crypto().hmac_sha256(as_bytes(row.key), as_bytes(row.data))), row.want);
}

TEST(CryptoContract, TakesAnEmptyKey) {
  EXPECT_EQ(hex(crypto().hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(CryptoContract, HashesAsRfc1321Says) {
  EXPECT_EQ(hex(crypto().md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(crypto().md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex(crypto().md5(as_bytes("abcdefghijklmnopqrstuvwxyz"))), "c3fcd3d76192e4007dfb496cca67e13b");
}

TEST(CryptoContract, StretchesAsRfc7914Says) {
  EXPECT_EQ(hex(crypto().pbkdf2("passwd", as_bytes("salt"), 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
  EXPECT_EQ(hex(crypto().pbkdf2("Password", as_bytes("NaCl"), 80'000)),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

TEST(CryptoContract, ComparesEveryByte) {
  const auto digest = crypto().sha256(as_bytes("abc"));
  for (std::size_t i = 0; i < digest.size(); ++i) {
    auto other = digest;
    other[i] ^= std::byte{1};
    EXPECT_FALSE(port::equal_constant_time(digest, other)) << i;
  }
  EXPECT_TRUE(port::equal_constant_time(digest, digest));
}

}  // namespace
}  // namespace tocsin
