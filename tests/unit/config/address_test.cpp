// SPDX-License-Identifier: Apache-2.0
#include "src/config/address.hpp"

#include <gtest/gtest.h>

namespace tocsin::config {
namespace {

TEST(ListenAddress, NumericAddressesAreTaken) {
  const auto v4 = parse_listen("0.0.0.0:10205");
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->host, "0.0.0.0");
  EXPECT_EQ(v4->port, 10205);
  EXPECT_FALSE(v4->is_loopback);
  const auto v6 = parse_listen("[::1]:0");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_TRUE(v6->is_ipv6);
  EXPECT_TRUE(v6->is_loopback);
  EXPECT_TRUE(parse_listen("127.255.0.1:1")->is_loopback);
  for (const char* good : {"[::]:1", "[fe80::1:2]:1", "[1:2:3:4:5:6:7:8]:1", "[::ffff:1.2.3.4]:1", "[1::]:65535"}) {
    EXPECT_TRUE(parse_listen(good).ok()) << good;
  }
}

TEST(ListenAddress, EverythingElseIsRefused) {
  for (const char* bad : {"",
                          ":",
                          ":1",
                          "1.2.3.4",
                          "1.2.3.4:",
                          "1.2.3.4:65536",
                          "1.2.3.4:x",
                          "1.2.3.4:-1",
                          "1.2.3.4:01",
                          "localhost:1",
                          "1.2.3:1",
                          "1.2.3.4.5:1",
                          "1.2.3.256:1",
                          "01.2.3.4:1",
                          "::1:1",
                          "[::1]",
                          "[::1]1",
                          "[::1:1",
                          "[]:1",
                          "[1:2:3:4:5:6:7]:1",
                          "[1:2:3:4:5:6:7:8:9]:1",
                          "[1::2::3]:1",
                          "[::12345]:1",
                          "[1.2.3.4]:1",
                          "[1:]:1",
                          "[1:2:3:4:5:6:7::8]:1x",
                          "*:1",
                          "1.2.3.4 :1",
                          "[::g]:1"}) {
    EXPECT_FALSE(parse_listen(bad).ok()) << bad;
  }
}

TEST(MessageListen, TheSchemeSaysWhatKindOfSocketItIs) {
  const auto udp = parse_message_listen("udp://0.0.0.0:514");
  ASSERT_TRUE(udp.ok());
  EXPECT_FALSE(udp->is_stream);
  EXPECT_EQ(udp->address.host, "0.0.0.0");
  EXPECT_EQ(udp->address.port, 514);
  const auto tcp = parse_message_listen("tcp://[::1]:6514");
  ASSERT_TRUE(tcp.ok());
  EXPECT_TRUE(tcp->is_stream);
  EXPECT_EQ(tcp->address.host, "::1");
  const auto datagrams = parse_message_listen("unix:///run/log");
  ASSERT_TRUE(datagrams.ok());
  EXPECT_FALSE(datagrams->is_stream);
  EXPECT_EQ(datagrams->unix_path, "/run/log");
  EXPECT_TRUE(parse_message_listen("unix-stream:///run/log")->is_stream);
  EXPECT_TRUE(parse_message_listen("unix:///" + std::string(106, 'x')).ok());
}

TEST(MessageListen, EverythingElseIsRefused) {
  for (const std::string& bad :
       {std::string{}, std::string{"0.0.0.0:514"}, std::string{"udp://"}, std::string{"udp://host:514"},
        std::string{"udp://0.0.0.0"}, std::string{"tls://0.0.0.0:6514"}, std::string{"unix://run/log"},
        std::string{"unix:///run/"}, std::string{"unix://"}, std::string{"unix:/run/log"},
        "unix:///" + std::string(107, 'x')}) {
    EXPECT_FALSE(parse_message_listen(bad).ok()) << bad;
  }
}

TEST(ServerUrl, SchemeDecidesPortAndTls) {
  const auto plain = parse_server("mqtt://broker.example.com");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "broker.example.com");
  EXPECT_EQ(plain->port, 1883);
  EXPECT_FALSE(plain->is_tls);
  const auto tls = parse_server("mqtts://[fd00::1]");
  ASSERT_TRUE(tls.ok());
  EXPECT_EQ(tls->host, "fd00::1");
  EXPECT_EQ(tls->port, 8883);
  EXPECT_TRUE(tls->is_tls);
  EXPECT_EQ(parse_server("mqtts://10.0.0.1:1")->port, 1);
}

TEST(ServerUrl, EverythingElseIsRefused) {
  for (const char* bad : {"",           "broker",       "tcp://b",          "mqtt:/b",
                          "mqtt://",    "mqtt://:1",    "mqtt://b:0",       "mqtt://b:65536",
                          "mqtt://b:",  "mqtt://b/",    "mqtt://u:p@b",     "mqtt://b?x",
                          "mqtt://b c", "mqtt://-b",    "mqtt://b-",        "mqtt://a..b",
                          "mqtt://.b",  "mqtt://1.2.3", "mqtt://256.1.1.1", "mqtt://[::1",
                          "mqtt://[x]", "MQTT://b",     "mqtt://b:1:2"}) {
    EXPECT_FALSE(parse_server(bad).ok()) << bad;
  }
  EXPECT_TRUE(parse_server("mqtt://" + std::string(253, 'a')).ok());
  EXPECT_FALSE(parse_server("mqtt://" + std::string(254, 'a')).ok());
}

TEST(ConfigAddress, KafkaServersHaveNoScheme) {
  EXPECT_EQ(parse_kafka_server("b.example")->port, 9092);
  EXPECT_EQ(parse_kafka_server("b.example:9093")->port, 9093);
  EXPECT_EQ(parse_kafka_server("[::1]:9093")->host, "::1");
  for (const char* bad : {"", "kafka://b", "b:0", "b:x", "u@b", "b/x", "300.1.1.1"})
    EXPECT_FALSE(parse_kafka_server(bad).ok()) << bad;
}

TEST(ConfigAddress, TopicFiltersMayNameTheirLevels) {
  for (const char* good : {"a", "/", "a/b", "+/a/#", "#", "{site}/{device_1}/alarm", "a//b"})
    EXPECT_EQ(check_topic_filter(good), "") << good;
  for (const char* bad : {"a+/b", "#/a", "a#", "{}/a", "{Site}", "{a}b", "a{", "{a}/{a}", "{1}", "$share/g/a", "a\nb"})
    EXPECT_NE(check_topic_filter(bad), "") << bad;
  EXPECT_EQ(check_topic_filter("{" + std::string(32, 'a') + "}"), "");
  EXPECT_NE(check_topic_filter("{" + std::string(33, 'a') + "}"), "");
  EXPECT_EQ(plain_filter("{site}/{device}/alarm/#"), "+/+/alarm/#");
  EXPECT_EQ(plain_filter("a//+"), "a//+");
}

}  // namespace
}  // namespace tocsin::config
