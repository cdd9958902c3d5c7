// SPDX-License-Identifier: Apache-2.0
#include "src/normalise/time_form.hpp"

#include <gtest/gtest.h>

#include "src/json/text.hpp"
#include "src/normalise/target.hpp"

namespace tocsin::normalise {
namespace {

using json::Value;

Value value_of(std::string_view text, bool as_number) {
  return as_number ? Value::number_as_written(text) : Value::text(text);
}

TEST(TimeForm, ReadsNumbersInTheUnitOfTheForm) {
  const struct {
    std::string_view form;
    std::string_view number;
    std::int64_t seconds;  // 0: no time
  } cases[] = {
      {"epoch_second", "1700000000", 1700000000},
      {"epoch_second", "1700000000.9", 1700000000},
      {"epoch_minute", "28333333", 1699999980},
      {"epoch_millis", "1700000000123", 1700000000},
      {"epoch_millisecond", "5000", 5},
      {"epoch_micros", "1700000000123456", 1700000000},
      {"epoch_nanos", "1700000000123456789", 1700000000},
      {"default", "1700000000", 1700000000},
      {"timestamp", "1700000000123", 1700000000},
      {"datetime", "1700000000123456", 1700000000},
      {"rfc3339", "1700000000123456789", 1700000000},
      {"default", "99999999999", 99999999999},
      {"default", "100000000000", 100000000},
      {"epoch_second", "0", 0},
      {"epoch_second", "0.5", 0},
      {"epoch_second", "-5", 0},
      {"epoch_second", "253402300799", 253402300799},
      {"epoch_second", "253402300800", 0},
      {"epoch_millis", "1e300", 0},
  };
  for (const auto& c : cases) {
    const auto form = time_form_of(c.form);
    ASSERT_TRUE(form.has_value()) << c.form;
    for (const bool as_number : {true, false}) {
      EXPECT_EQ(epoch_seconds(value_of(c.number, as_number), {*form, 0}).value_or(0), c.seconds) << c.form << c.number;
    }
  }
}

TEST(TimeForm, ReadsTexts) {
  constexpr std::int64_t kAt = 1616059807;  // 2021-03-18T09:30:07Z
  const struct {
    std::string_view form;
    std::string_view text;
    int offset_minutes;
    std::int64_t seconds;
  } cases[] = {
      {"datetime", "2021-03-18 17:30:07", 480, kAt},
      {"datetime", "2021-03-18 09:30:07", 0, kAt},
      {"datetime", "2021.03.18 09:30:07", 0, kAt},
      {"datetime", "2021/3/18 9:30:07", 0, kAt},
      {"datetime", " 2021-03-18 09:30:07 ", 0, kAt},
      {"rfc3339", "2021-03-18T09:30:07Z", 480, kAt},
      {"rfc3339", "2021-03-18T17:30:07+08:00", 0, kAt},
      {"rfc3339", "2021-03-18T17:30:07+0800", 0, kAt},
      {"rfc3339_nano", "2021-03-18T04:00:07.123456789-05:30", 0, kAt},
      {"default", "2021-03-18 17:30:07 +08:00", 0, kAt},
      {"default", "2021-03-18 09:30:07 UTC", 480, kAt},
      {"default", "2021-03-18 09:30", 0, kAt - 7},
      {"date", "2021-03-18", 0, 1616025600},
      {"date", "2021-03-18", 480, 1616025600 - 8 * 3600},
      {"rfc822", "18 Mar 21 09:30 GMT", 0, kAt - 7},
      {"rfc822", "18 Mar 21 17:30 +0800", 0, kAt - 7},
      {"rfc822", "Thu, 18 Mar 2021 09:30:07 UTC", 0, kAt},
      {"default", "Thu, 18 Mar 2021 17:30:07 +0800", 0, kAt},
      {"rfc822", "18 Mar 21 17:30", 480, kAt - 7},
      {"default", "2023-10-01T12:00:00Z", 0, 1696161600},
      {"default", "2016-12-31T23:59:60Z", 0, 1483228799},
      {"default", "2024-02-29", 0, 1709164800},
      {"default", "2023-02-29", 0, 0},
      {"default", "0001-01-01T00:00:00Z", 0, 0},
      {"default", "1969-12-31T23:59:59Z", 0, 0},
      {"default", "2021-13-01", 0, 0},
      {"default", "2021-03-18T24:00:00Z", 0, 0},
      {"default", "2021-03/18", 0, 0},
      {"default", "2021-03-18T09:30:07 CST", 0, 0},
      {"rfc822", "18 Mar 021 09:30 GMT", 0, 0},
      {"rfc822", "18 Abc 21 09:30 GMT", 0, 0},
      {"rfc822", "2021-03-18", 0, 0},
      {"datetime", "18 Mar 21 09:30 GMT", 0, 0},
      {"default", "yesterday", 0, 0},
      {"default", "", 0, 0},
      {"default", "2021-03-18 09:30:07.", 0, 0},
      {"default", "2021-03-18 09:30:07 +15:00", 0, 0},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(epoch_seconds(Value::text(c.text), {*time_form_of(c.form), c.offset_minutes}).value_or(0), c.seconds)
        << c.form << " " << c.text;
  }
  EXPECT_FALSE(epoch_seconds(Value::boolean(true), {}).has_value());
  EXPECT_FALSE(epoch_seconds(Value{}, {}).has_value());
  const std::string fraction = "2021-03-18T09:30:07." + std::string(44, '1');
  EXPECT_EQ(fraction.size(), 64U);
  EXPECT_TRUE(epoch_seconds(Value::text(fraction), {}).has_value());
  EXPECT_FALSE(epoch_seconds(Value::text(fraction + "1"), {}).has_value());
}

TEST(TimeForm, TimeZonesAreHours) {
  const struct {
    std::string_view zone;
    bool as_number;
    int minutes;  // 9999: none
  } cases[] = {
      {"8", true, 480},    {"8", false, 480},      {"-5", true, -300},
      {"5.5", true, 330},  {"5.75", true, 345},    {"0", true, 0},
      {"14", true, 840},   {"+08:00", false, 480}, {"-0330", false, -210},
      {"UTC", false, 0},   {"Z", false, 0},        {"15", true, 9999},
      {"0.1", true, 9999}, {"CST", false, 9999},   {"Asia/Shanghai", false, 9999},
      {"", false, 9999},   {"1e400", false, 9999},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(time_zone_of(value_of(c.zone, c.as_number)).value_or(9999), c.minutes) << c.zone;
  }
  EXPECT_FALSE(time_zone_of(Value{}).has_value());
}

TEST(RewriteCloud, ChangesHostsOfCloudZeroOnly) {
  const struct {
    std::string_view target;
    std::string_view wanted;  // empty: left alone
  } cases[] = {
      {"0:192.168.0.1", "7:192.168.0.1"},
      {"192.168.0.1|0", "192.168.0.1|7"},
      {"fe80::1|0", "fe80::1|7"},
      {"::ffff:10.0.0.1|0", "::ffff:10.0.0.1|7"},
      {"1:192.168.0.1", ""},
      {"192.168.0.1|10", ""},
      {"192.168.0.1", ""},
      {"0:0:0:0:0:0:0:1", ""},
      {"0:host", ""},
      {"host|0", ""},
      {"0:256.0.0.1", ""},
      {"0:1.2.3", ""},
      {"0:1.2.3.4.5", ""},
      {"0:1.2.3.4 ", ""},
      {"0:", ""},
      {"|0", ""},
      {"", ""},
  };
  for (const auto& c : cases) {
    std::string out;
    EXPECT_EQ(rewrite_cloud(c.target, 7, out), !c.wanted.empty()) << c.target;
    EXPECT_EQ(out, c.wanted);
  }
}

}  // namespace
}  // namespace tocsin::normalise
