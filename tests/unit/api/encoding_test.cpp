// SPDX-License-Identifier: Apache-2.0
// Compressed bodies on the ways in.
#include "src/api/encoding.hpp"

#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using port::Coding;
using port::Listener;
using port::Method;
using sim::stored_stream;

class Encoded : public ApiTest {
 protected:
  ~Encoded() override { EXPECT_EQ(body_pool.used_bytes(), 0U); }
  /// A push of `size` bytes.
  static std::string push_body(std::size_t size = 200) {
    std::string out = R"({"data_id":1500001,"access_token":"demo-token","data":[{"event_name":"e","target":"t",)"
                      R"("event":{"content":"c"}}]})";
    if (out.size() < size) out.insert(1, R"("x":")" + std::string(size - out.size() - 7, 'x') + R"(",)");
    return out;
  }
  Reply push(std::string encoding, std::string body) {
    return send(FakeRequest(Listener::push, Method::post, "/v2/push/").with("Content-Encoding", std::move(encoding)),
                std::move(body));
  }
  void expect_refused(const Reply& reply, std::uint16_t status, std::string_view message) {
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, status);
    EXPECT_EQ(without_id(reply->body), R"({"code":")" + std::to_string(status) + R"(","message":")" +
                                           std::string(message) + R"(","request_id":"ID","result":"false"})");
    EXPECT_TRUE(daemon.inputs.empty());
    EXPECT_EQ(intake.used_bytes(), 0U);
  }
};

TEST_F(Encoded, BodiesAreInflatedByEveryNameOfTheirCoding) {
  for (const char* name : {"gzip", "GZIP", "x-gzip"}) {
    EXPECT_FALSE(push(name, stored_stream(Coding::gzip, push_body()))) << name;
  }
  EXPECT_FALSE(push("deflate", stored_stream(Coding::deflate, push_body())));
  EXPECT_FALSE(push("identity", push_body()));
  ASSERT_EQ(daemon.inputs.size(), 5U);
  for (const auto& input : daemon.inputs) EXPECT_EQ(std::get<core::Push>(input.what).batch.items.size(), 1U);
}

TEST_F(Encoded, StandardEventsToo) {
  FakeRequest request(Listener::push, Method::post, "/api/v1/events");
  request.with("X-BK-TOKEN", "demo-token").with("Content-Encoding", "gzip");
  EXPECT_FALSE(send(request, stored_stream(Coding::gzip, R"({"alert_name":"cpu","target":"a","description":"d"})")));
  EXPECT_EQ(daemon.inputs.size(), 1U);
}

TEST_F(Encoded, AForeignEncodingIsRefusedAtTheHead) {
  for (const char* name : {"br", "gzip, gzip", "gzip,deflate", "gzip;q=1", "zlib", " "}) {
    FakeRequest request(Listener::push, Method::post, "/v2/push/");
    request.with("Content-Encoding", name).with("Content-Length", "10");
    std::size_t bytes_max = 0;
    expect_refused(api->on_head(request, bytes_max), 415, kForeignEncoding);
    EXPECT_EQ(bytes_max, 0U);
  }
}

TEST_F(Encoded, TheLimitIsThatOfTheInflatedBody) {
  EXPECT_FALSE(push("gzip", stored_stream(Coding::gzip, push_body(19'950))));
  daemon.inputs.clear();
  // Each member is within the limit, both are not.
  std::string whole = stored_stream(Coding::gzip, std::string(9'950, ' '));
  whole += stored_stream(Coding::gzip, std::string(10'051, ' '));
  FakeRequest request(Listener::push, Method::post, "/v2/push/");
  request.with("Content-Encoding", "gzip");
  const std::size_t size = whole.size();
  whole.resize(size + json::kPaddingBytes);
  expect_refused(api->on_request(request, {++next_slot, 1}, std::as_writable_bytes(std::span(whole)).first(size)), 413,
                 "the gzip body is larger than 20000 bytes when inflated");
}

TEST_F(Encoded, WhatIsNoStreamIs400) {
  const std::string good = stored_stream(Coding::gzip, push_body());
  expect_refused(push("gzip", push_body()), 400, "the gzip body is corrupt");
  expect_refused(push("deflate", good), 400, "the deflate body is corrupt");
  expect_refused(push("gzip", good.substr(0, good.size() - 1)), 400, "the gzip body ends too early");
  expect_refused(push("gzip", good + "xy"), 400, "the gzip body is corrupt");
}

TEST_F(Encoded, EmptyBodiesAreEmptyWithAndWithoutCoding) {
  expect_refused(push("gzip", ""), 400, "empty request body not allowed, ip=10.0.0.7");
  expect_refused(push("gzip", stored_stream(Coding::gzip, "")), 400, "empty request body not allowed, ip=10.0.0.7");
}

TEST_F(Encoded, APoolWithoutRoomIs503AndTriedAgain) {
  const std::string good = stored_stream(Coding::gzip, push_body());
  const std::size_t taken = body_pool.limit_bytes() - port::kInflateBytesMax;
  ASSERT_TRUE(body_pool.try_charge(taken));
  const auto reply = push("gzip", good);
  expect_refused(reply, 503, "no memory for the body now");
  EXPECT_EQ(reply->retry_after_s, 1);
  body_pool.release(taken);
  EXPECT_FALSE(push("gzip", good));
}

TEST_F(Encoded, WhatThePoolCouldNeverHoldTwiceIs413) {
  Budget small("body_pool", port::kMeasureBytesMax);
  const std::string body(30'000, ' ');
  const std::string stream = stored_stream(Coding::gzip, body);
  std::pmr::vector<std::byte> out(&small);
  const auto fault = inflate_body(Encoding::gzip, as_bytes(stream), 40'000, inflater, small, out);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->status, 413);
  EXPECT_EQ(fault->message, "the body is too large to be inflated here: " + std::to_string(stream.size()) +
                                " bytes compressed and 30000 inflated; send it without compression or in parts");
  EXPECT_EQ(small.used_bytes(), 0U);
}

}  // namespace
}  // namespace tocsin::api
