// SPDX-License-Identifier: Apache-2.0
#include "platform/gnutls/records.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

namespace tocsin::gnutls {
namespace {

std::string record(std::size_t body_bytes, char type = 22) {
  std::string out{type, 3, 3, static_cast<char>(body_bytes >> 8U), static_cast<char>(body_bytes & 0xFFU)};
  for (std::size_t i = 0; i < body_bytes; ++i) out += static_cast<char>(i);
  return out;
}

class Records : public ::testing::Test {
 protected:
  Records() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    ours_ = pair[0];
    theirs_ = pair[1];
    const int room = 256 * 1024;
    ::setsockopt(theirs_, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    reader = std::make_unique<RecordReader>(ours_);
  }
  ~Records() override {
    ::close(ours_);
    if (theirs_ >= 0) ::close(theirs_);
  }
  void send(const std::string& text) {
    ASSERT_EQ(::send(theirs_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void end() { ::close(std::exchange(theirs_, -1)); }
  /// What a read of that size gives; empty and `number`: nothing.
  std::string read(std::size_t size) {
    std::string out(size, '\0');
    const ssize_t got = reader->read(out.data(), size);
    number = got < 0 ? errno : 0;
    has_ended = got == 0;
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }
  /// As GnuTLS reads a record.
  std::string read_record() {
    std::string out = read(5);
    if (out.size() != 5) return out;
    return out + read(static_cast<unsigned char>(out[3]) * 256U + static_cast<unsigned char>(out[4]));
  }

  std::unique_ptr<RecordReader> reader;
  int number = 0;
  bool has_ended = false;

 private:
  int ours_ = -1;
  int theirs_ = -1;
};

TEST_F(Records, NothingIsGivenOfARecordThatIsNotWhole) {
  const std::string whole = record(300);
  for (const char c : whole.substr(0, whole.size() - 1)) {
    send({c});
    EXPECT_EQ(read(5), "");
    ASSERT_EQ(number, EAGAIN);
  }
  send({whole.back()});
  EXPECT_EQ(read_record(), whole);
  EXPECT_EQ(read(5), "");
  EXPECT_EQ(number, EAGAIN);
}

TEST_F(Records, RecordsThatComeTogetherAreGivenOneByOne) {
  send(record(1) + record(2) + record(3, 23));
  EXPECT_EQ(read_record(), record(1));
  EXPECT_EQ(read(5).size(), 5U);
  EXPECT_EQ(read(1).size() + read(9).size(), 2U);  // never into the next record
  EXPECT_EQ(read_record(), record(3, 23));
}

TEST_F(Records, TheEndIsTold) {
  send(record(9).substr(0, 7));
  end();
  EXPECT_EQ(read(5), "");
  EXPECT_TRUE(has_ended);
}

class NotTls : public Records, public ::testing::WithParamInterface<std::string> {};

TEST_P(NotTls, IsRefusedAtItsFirstBytesAndStaysRefused) {
  send(GetParam());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(read(5), "");
    EXPECT_EQ(number, EPROTO);
  }
}

INSTANTIATE_TEST_SUITE_P(Records, NotTls,
                         ::testing::Values(std::string("GET / HTTP/1.1\r\n"), std::string("\x80\x2e\x01\x03\x01"),
                                           std::string("\x16\x02\x01\x00\x01", 5),
                                           std::string("\x16\x03\x01\x00\x00", 5)));

TEST_F(Records, ARecordMayBeAsLargeAsTlsAllowsAndNoLarger) {
  reader->handshake_is_over();
  send(record(RecordReader::kRecordBytesMax, 23));
  EXPECT_EQ(read_record().size(), 5 + RecordReader::kRecordBytesMax);
  reader->progressed();
  send(record(RecordReader::kRecordBytesMax + 1, 23));
  EXPECT_EQ(read(5), "");
  EXPECT_EQ(number, EPROTO);
}

TEST_F(Records, AHandshakeIsBounded) {
  const std::string part = record(1019);  // 1,024 bytes
  for (std::size_t i = 0; i < RecordReader::kHandshakeBytesMax / part.size(); ++i) {
    send(part);
    ASSERT_EQ(read_record(), part);
  }
  send(record(1));
  EXPECT_EQ(read(5), "");
  EXPECT_EQ(number, EMSGSIZE);
}

TEST_F(Records, SoIsWhatComesWithoutProgress) {
  reader->handshake_is_over();
  const std::string part = record(1019, 23);
  const auto send_all = [&](std::size_t bytes) {
    for (std::size_t i = 0; i < bytes / part.size(); ++i) {
      send(part);
      ASSERT_EQ(read_record(), part);
    }
  };
  send_all(RecordReader::kUnheardBytesMax);
  reader->progressed();
  send_all(RecordReader::kUnheardBytesMax);
  send(record(1, 23));
  EXPECT_EQ(read(5), "");
  EXPECT_EQ(number, EMSGSIZE);
}

}  // namespace
}  // namespace tocsin::gnutls
