// SPDX-License-Identifier: Apache-2.0
#include "src/audit/text.hpp"

#include <gtest/gtest.h>

namespace tocsin::audit {
namespace {

model::AuditRow a_row() {
  model::AuditRow row;
  row.index = 12;
  row.action = model::AuditAction::alert_acked;
  row.boot = 3;
  row.wall_ms = 1'700'000'000'250;
  row.mono_ms = 99;
  row.wall_trusted = true;
  row.actor = "user:alice";
  row.object = "alert:17000000001";
  row.detail = "on \"it\"";
  return row;
}

TEST(AuditRowText, IsOneJsonObject) {
  std::string out;
  append_json(a_row(), out);
  EXPECT_EQ(out, R"({"index":12,"action":"alert_acked","actor":"user:alice","object":"alert:17000000001",)"
                 R"("detail":"on \"it\"","time_ms":1700000000250,"time_text":"2023-11-14T22:13:20.250Z",)"
                 R"("time_trusted":true,"boot":3,"mono_ms":99,)"
                 R"("hash":"0000000000000000000000000000000000000000000000000000000000000000"})");
}

TEST(AuditRowText, IsOneLineForPeople) {
  EXPECT_EQ(to_line(a_row()), "2023-11-14T22:13:20.250Z  12  alert_acked  user:alice  alert:17000000001  on \"it\"");
}

TEST(AuditRowText, MarksATimeThatNobodyVouchedForAndAnEmptyText) {
  model::AuditRow row = a_row();
  row.wall_ms = 0;
  row.wall_trusted = false;
  row.detail.clear();
  EXPECT_EQ(to_line(row), "1970-01-01T00:00:00.000Z?  12  alert_acked  user:alice  alert:17000000001  -");
}

}  // namespace
}  // namespace tocsin::audit
