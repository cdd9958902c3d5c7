// SPDX-License-Identifier: Apache-2.0
// Both ends of a connection in one thread: ours as a listener uses it, and a client of the same library.
#include "platform/gnutls/server_tls.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <string>

#include "platform/gnutls/crypto.hpp"
#include "platform/gnutls/self_signed.hpp"

namespace tocsin::gnutls {
namespace {

constexpr std::int64_t kNowS = 1'795'000'000;
constexpr std::int64_t kDayS = 24 * 3600;

/// A certificate with its key, made by `issuer` (null: by itself).
struct Issued {
  PrivateKey key = new_private_key();
  Certificate certificate = new_certificate();

  Issued(const char* name, const Issued* issuer, bool is_ca, const char* purpose = GNUTLS_KP_TLS_WWW_CLIENT,
         std::int64_t until_s = kNowS + kDayS) {
    EXPECT_EQ(
        gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
        0);
    gnutls_x509_crt_t crt = certificate.get();
    const unsigned char serial = 7;
    EXPECT_EQ(gnutls_x509_crt_set_version(crt, 3), 0);
    EXPECT_EQ(gnutls_x509_crt_set_serial(crt, &serial, 1), 0);
    EXPECT_EQ(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                            static_cast<unsigned>(std::string_view(name).size())),
              0);
    EXPECT_EQ(gnutls_x509_crt_set_activation_time(crt, static_cast<std::time_t>(kNowS - kDayS)), 0);
    EXPECT_EQ(gnutls_x509_crt_set_expiration_time(crt, static_cast<std::time_t>(until_s)), 0);
    EXPECT_EQ(gnutls_x509_crt_set_basic_constraints(crt, is_ca ? 1 : 0, -1), 0);
    if (!is_ca) {
      EXPECT_EQ(gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0), 0);
    }
    EXPECT_EQ(gnutls_x509_crt_set_key(crt, key.get()), 0);
    const Issued& by = issuer != nullptr ? *issuer : *this;
    EXPECT_EQ(gnutls_x509_crt_sign2(crt, by.certificate.get(), by.key.get(), GNUTLS_DIG_SHA256, 0), 0);
  }
  [[nodiscard]] std::string pem() const {
    gnutls_datum_t data{};
    EXPECT_EQ(gnutls_x509_crt_export2(certificate.get(), GNUTLS_X509_FMT_PEM, &data), 0);
    const OwnedBytes owner(data.data);
    return {reinterpret_cast<const char*>(data.data), data.size};
  }
  [[nodiscard]] port::Digest256 fingerprint() const {
    port::Digest256 out{};
    std::size_t size = out.size();
    EXPECT_EQ(gnutls_x509_crt_get_fingerprint(certificate.get(), GNUTLS_DIG_SHA256, out.data(), &size), 0);
    return out;
  }
};

ServerTlsOptions server_options(AskClient ask = AskClient::never) {
  const auto made = make_self_signed({.name = "box",
                                      .dns_names = {"box"},
                                      .addresses = {"127.0.0.1"},
                                      .from_unix_s = kNowS - kDayS,
                                      .until_unix_s = kNowS + kDayS});
  EXPECT_TRUE(made.ok());
  return {.certificate_pem = made->certificate_pem, .key_pem = made->key_pem, .ask = ask};
}

struct End {
  gnutls_session_t session = nullptr;
  int result = GNUTLS_E_AGAIN;
  explicit End(unsigned flags) { EXPECT_EQ(gnutls_init(&session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), 0); }
  End(const End&) = delete;
  ~End() { gnutls_deinit(session); }
  void step() {
    if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) result = gnutls_handshake(session);
  }
};

class ServerTlsTest : public ::testing::Test {
 protected:
  struct Outcome {
    int server = 0;
    int client = 0;
    gnutls_protocol_t version = GNUTLS_VERSION_UNKNOWN;
    std::optional<port::Digest256> shown;
  };

  /// One connection; `own`: what the client shows, null: nothing.
  Outcome connect(ServerTls& tls, const Issued* own = nullptr, const char* priorities = "NORMAL") {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    const Credentials server_credentials = credentials_of(tls);
    const Credentials client_credentials = new_credentials();
    if (own != nullptr) {
      gnutls_x509_crt_t chain = own->certificate.get();
      EXPECT_EQ(gnutls_certificate_set_x509_key(client_credentials.get(), &chain, 1, own->key.get()), 0);
      gnutls_certificate_set_flags(client_credentials.get(), GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    }
    std::unique_ptr<port::TlsConnection> connection;
    Outcome out;
    {
      End server{GNUTLS_SERVER};
      End client{GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT};
      EXPECT_EQ(gnutls_priority_set_direct(server.session, tls.priorities(), nullptr), 0);
      EXPECT_EQ(gnutls_priority_set_direct(client.session, priorities, nullptr), 0);
      EXPECT_EQ(gnutls_credentials_set(server.session, GNUTLS_CRD_CERTIFICATE, server_credentials.get()), 0);
      EXPECT_EQ(gnutls_credentials_set(client.session, GNUTLS_CRD_CERTIFICATE, client_credentials.get()), 0);
      gnutls_transport_set_int(server.session, fds[0]);
      gnutls_transport_set_int(client.session, fds[1]);
      connection = tls.accept(server.session, fds[0]);
      EXPECT_NE(connection, nullptr);
      for (int i = 0; i < 20; ++i) {
        client.step();
        server.step();
      }
      out = {server.result, client.result, gnutls_protocol_get_version(server.session), std::nullopt};
      if (server.result == GNUTLS_E_SUCCESS) out.shown = connection->client_certificate();
    }
    ::close(fds[0]);
    ::close(fds[1]);
    return out;
  }
  static Credentials credentials_of(const ServerTls& tls) {
    Credentials out = new_credentials();
    const auto datum = [](const char* text) {
      return gnutls_datum_t{reinterpret_cast<unsigned char*>(const_cast<char*>(text)),
                            static_cast<unsigned>(std::string_view(text).size())};
    };
    const gnutls_datum_t certificate = datum(tls.certificate_pem());
    const gnutls_datum_t key = datum(tls.key_pem());
    EXPECT_EQ(gnutls_certificate_set_x509_key_mem(out.get(), &certificate, &key, GNUTLS_X509_FMT_PEM), 0);
    return out;
  }
  std::unique_ptr<ServerTls> asking(AskClient ask) {
    ServerTlsOptions options = server_options(ask);
    options.client_ca_pem = ca.pem();
    options.wall = [this] { return now; };
    auto made = ServerTls::make(std::move(options));
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  Issued ca{"test ca", nullptr, true};
  Wall now{kNowS * 1000, true};
};

TEST_F(ServerTlsTest, SpeaksTls12And13AndNothingElse) {
  auto tls = ServerTls::make(server_options());
  ASSERT_TRUE(tls.ok());
  EXPECT_EQ(connect(**tls).version, GNUTLS_TLS1_3);
  const auto older = connect(**tls, nullptr, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
  EXPECT_EQ(older.server, GNUTLS_E_SUCCESS);
  EXPECT_EQ(older.version, GNUTLS_TLS1_2);
  for (const char* refused :
       {"NORMAL:-VERS-ALL:+VERS-TLS1.1", "NORMAL:-VERS-ALL:+VERS-TLS1.0", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC"})
    EXPECT_LT(connect(**tls, nullptr, refused).server, 0) << refused;
}

TEST_F(ServerTlsTest, NobodyIsAskedUnlessSo) {
  auto tls = ServerTls::make(server_options());
  ASSERT_TRUE(tls.ok());
  const Issued client{"client", &ca, false};
  const auto got = connect(**tls, &client);
  EXPECT_EQ(got.server, GNUTLS_E_SUCCESS);
  EXPECT_FALSE(got.shown);
}

TEST_F(ServerTlsTest, TheFingerprintOfAGoodCertificateIsKnown) {
  const Issued client{"client", &ca, false};
  for (const char* priorities : {"NORMAL", "NORMAL:-VERS-ALL:+VERS-TLS1.2"}) {
    for (const AskClient ask : {AskClient::optional, AskClient::required}) {
      const auto got = connect(*asking(ask), &client, priorities);
      EXPECT_EQ(got.server, GNUTLS_E_SUCCESS) << priorities;
      EXPECT_EQ(got.shown, client.fingerprint()) << priorities;
    }
  }
}

TEST_F(ServerTlsTest, WhoShowsNoneMayComeInOnlyWhenThatIsOptional) {
  EXPECT_EQ(connect(*asking(AskClient::optional)).server, GNUTLS_E_SUCCESS);
  EXPECT_FALSE(connect(*asking(AskClient::optional)).shown);
  EXPECT_LT(connect(*asking(AskClient::required)).server, 0);
}

TEST_F(ServerTlsTest, ABadCertificateIsRefusedAlsoWhereNoneIsNeeded) {
  const Issued stranger_ca{"another ca", nullptr, true};
  const Issued stranger{"client", &stranger_ca, false};
  const Issued alone{"client", nullptr, false};
  const Issued for_servers{"client", &ca, false, GNUTLS_KP_TLS_WWW_SERVER};
  for (const AskClient ask : {AskClient::optional, AskClient::required}) {
    for (const Issued* bad : {&stranger, &alone, &for_servers})
      EXPECT_EQ(connect(*asking(ask), bad).server, GNUTLS_E_CERTIFICATE_ERROR);
  }
}

TEST_F(ServerTlsTest, DatesCountWhileTheClockIsTrusted) {
  const Issued expired{"client", &ca, false, GNUTLS_KP_TLS_WWW_CLIENT, kNowS - 3600};
  const Issued good{"client", &ca, false};
  const auto tls = asking(AskClient::required);
  EXPECT_EQ(connect(*tls, &expired).server, GNUTLS_E_CERTIFICATE_ERROR);
  EXPECT_EQ(connect(*tls, &good).server, GNUTLS_E_SUCCESS);
  now = {0, true};
  EXPECT_EQ(connect(*tls, &good).server, GNUTLS_E_CERTIFICATE_ERROR) << "not valid yet";
  now = {0, false};
  EXPECT_EQ(connect(*tls, &good).server, GNUTLS_E_SUCCESS) << "it is not 1970, whatever the clock says";
  EXPECT_EQ(connect(*tls, &expired).server, GNUTLS_E_SUCCESS);
}

TEST_F(ServerTlsTest, WhatDoesNotFitIsToldWhenItIsMade) {
  const auto refusal = [](ServerTlsOptions options) {
    const auto made = ServerTls::make(std::move(options));
    return made.ok() ? std::string("taken") : std::string(made.error().context[0]);
  };
  ServerTlsOptions mixed = server_options();
  mixed.key_pem = server_options().key_pem;
  EXPECT_EQ(refusal(mixed), "certificate and key do not belong together");
  ServerTlsOptions garbage = server_options();
  garbage.key_pem = "-----BEGIN RUBBISH-----";
  EXPECT_EQ(refusal(garbage), "the certificate or the key is not in PEM, or not of a known kind");
  EXPECT_EQ(refusal(server_options(AskClient::optional)), "the CA file of the clients has no certificate in PEM");
}

TEST(SelfSignedCertificate, IsWhatItSaysAndDiffersEachTime) {
  const SelfSignedOptions options{.name = "edge-01",
                                  .dns_names = {"edge-01", "localhost"},
                                  .addresses = {"192.0.2.7", "2001:db8::1"},
                                  .from_unix_s = kNowS,
                                  .until_unix_s = kNowS + 3652 * kDayS};
  const auto made = make_self_signed(options);
  ASSERT_TRUE(made.ok());
  EXPECT_NE(make_self_signed(options)->fingerprint, made->fingerprint);
  const Certificate certificate = new_certificate();
  const gnutls_datum_t pem{reinterpret_cast<unsigned char*>(const_cast<char*>(made->certificate_pem.data())),
                           static_cast<unsigned>(made->certificate_pem.size())};
  ASSERT_EQ(gnutls_x509_crt_import(certificate.get(), &pem, GNUTLS_X509_FMT_PEM), 0);
  for (const char* name : {"edge-01", "localhost", "192.0.2.7", "2001:db8::1"})
    EXPECT_NE(gnutls_x509_crt_check_hostname(certificate.get(), name), 0U) << name;
  EXPECT_EQ(gnutls_x509_crt_check_hostname(certificate.get(), "192.0.2.8"), 0U);
  EXPECT_EQ(std::int64_t{gnutls_x509_crt_get_activation_time(certificate.get())}, kNowS);
  EXPECT_EQ(std::int64_t{gnutls_x509_crt_get_expiration_time(certificate.get())}, kNowS + 3652 * kDayS);
  EXPECT_EQ(gnutls_x509_crt_get_pk_algorithm(certificate.get(), nullptr), GNUTLS_PK_ECDSA);
}

TEST(SelfSignedCertificate, AnAddressThatIsNoneIsRefused) {
  EXPECT_EQ(make_self_signed({.name = "x", .dns_names = {}, .addresses = {"box"}}).error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace tocsin::gnutls
