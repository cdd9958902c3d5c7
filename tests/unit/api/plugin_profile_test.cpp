// SPDX-License-Identifier: Apache-2.0
#include "src/api/routes.hpp"
#include "tests/unit/api/fakes.hpp"

namespace tocsin::api {
namespace {

using model::ProfilePart;

class PluginProfile : public ApiTest {
 protected:
  static std::string said(const core::ChangeInstance& change, ProfilePart part) {
    if (change.profile == nullptr) return "nothing";
    return change.profile->parts[static_cast<std::size_t>(part)].value_or("nothing");
  }
  void expect_refused(const port::HttpResponse& reply, std::uint16_t status, std::string_view why) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_NE(reply.body.find(R"("message":")" + std::string(why)), std::string::npos) << reply.body;
    EXPECT_TRUE(daemon.inputs.empty());
  }
  void put(const model::Profile& profile) {
    auto txn = daemon.store.begin_write();
    ASSERT_TRUE(registry::put_profile(**txn, 1500001, profile).ok());
    ASSERT_TRUE((*txn)->commit().ok());
  }
};

TEST_F(PluginProfile, IsKeptAsCompactJson) {
  (void)post("/api/v1/plugins", R"({ "plugin_id" : "a", "version": "2026.1", "strict": true, "rewrite_cloud": true,
    "ingest_config": { "source_format" : "x\u006dl" , "events_path": "a . b" }, "alert_config": [ ],
    "clean\u005fconfigs": [ {"normalization_config": [ ] } ] })");
  const auto& change = last<core::ChangeInstance>();
  EXPECT_TRUE(change.instance.strict && change.instance.rewrite_cloud);
  ASSERT_NE(change.profile, nullptr);
  EXPECT_EQ(change.profile->version, "2026.1");
  EXPECT_EQ(said(change, ProfilePart::ingest_config), R"({"source_format":"x\u006dl","events_path":"a . b"})");
  EXPECT_EQ(said(change, ProfilePart::clean_configs), R"([{"normalization_config":[]}])");
  EXPECT_EQ(said(change, ProfilePart::alert_config), "") << "the empty list is what is there without it";
  EXPECT_EQ(said(change, ProfilePart::config_params), "nothing");
}

TEST_F(PluginProfile, IsNotMentionedWhenNothingIsSaid) {
  (void)post("/api/v1/plugins", R"({"plugin_id":"a"})");
  EXPECT_EQ(last<core::ChangeInstance>().profile, nullptr);
  (void)post("/api/v1/plugins/demo", R"({"strict":true})");
  EXPECT_EQ(last<core::ChangeInstance>().profile, nullptr);
  EXPECT_TRUE(last<core::ChangeInstance>().instance.strict);
}

TEST_F(PluginProfile, HasRoomFor16KiBInAllAndNotMore) {
  const auto of = [](std::size_t bytes) {
    const std::string head = R"([{"field":"f","value":")";
    const std::string foot = R"("}])";
    return R"({"plugin_id":"a","config_params":)" + head + std::string(bytes - head.size() - foot.size(), 'v') + foot +
           "}";
  };
  EXPECT_EQ(post("/api/v1/plugins", of(model::kProfileBytesMax)).status, 0);
  daemon.inputs.clear();
  expect_refused(post("/api/v1/plugins", of(model::kProfileBytesMax + 1)), 400,
                 "config_params, ingest_config, normalization_config, clean_configs and alert_config: together at most "
                 "16384 bytes");
  EXPECT_EQ(post("/api/v1/plugins", std::string(kPluginBodyBytesMax + 1, ' ')).status, 413);
}

TEST_F(PluginProfile, IsRefusedWithMemberAndRule) {
  expect_refused(post("/api/v1/plugins/demo", R"({"alert_config":[{"name":"a","rules":[{"key":"k","value":[],)"
                                              R"("method":"like"}]}]})"),
                 400, R"(alert_config[0].rules[0].method: must be one of \"eq\" \"neq\" \"reg\")");
  expect_refused(post("/api/v1/plugins/demo", R"({"version":1})"), 400, "version: must be a string of 0 to 64 bytes");
  expect_refused(post("/api/v1/plugins/demo", R"({"plugin_type":"ftp"})"), 400, "plugin_type: must be one of");
}

TEST_F(PluginProfile, OfAPullTypeIsTakenAndNeverEnabled) {
  (void)post("/api/v1/plugins", R"({"plugin_id":"a","plugin_type":"http_pull","ingest_config":{"url":"http://x"}})");
  EXPECT_EQ(last<core::ChangeInstance>().instance.plugin_type, model::PluginType::http_pull);
  daemon.inputs.clear();
  expect_refused(post("/api/v1/plugins", R"({"plugin_id":"a","plugin_type":"email_pull","enabled":true})"), 400,
                 "enabled: a plugin of a pull type is not run on this box");
}

TEST_F(PluginProfile, IsShownWithItsInstanceAndSecretsToAdminsOnly) {
  model::Profile profile;
  profile.version = "7";
  profile.parts[0] = R"([{"field":"password","value":"geheim"}])";
  profile.parts[4] = R"([{"name":"a"}])";
  put(profile);
  const std::string shown = get("/api/v1/plugins/demo").body;
  EXPECT_NE(shown.find(R"("version":"7","config_params":[{"field":"password","value":"geheim"}],"ingest_config":{},)"
                       R"("normalization_config":[],"clean_configs":[],"alert_config":[{"name":"a"}],)"),
            std::string::npos)
      << shown;
  FakeRequest viewer(port::Listener::admin, port::Method::get, "/api/v1/plugins/demo");
  const auto seen = call(viewer.with("Authorization", "Bearer viewer-token"));
  EXPECT_EQ(seen.status, 200) << seen.body;
  EXPECT_NE(seen.body.find(R"("config_params":null,"ingest_config":{},)"), std::string::npos) << seen.body;
  EXPECT_EQ(get("/api/v1/plugins").body.find("geheim"), std::string::npos);
}

TEST_F(PluginProfile, ThatIsDamagedIsSaidSo) {
  auto txn = daemon.store.begin_write();
  ASSERT_TRUE((*txn)->put(model::profile_key(1500001), as_bytes(std::string_view("????????"))).ok());
  ASSERT_TRUE((*txn)->commit().ok());
  const auto reply = get("/api/v1/plugins/demo");
  EXPECT_EQ(reply.status, 500);
  EXPECT_NE(reply.body.find("the profile of this instance cannot be read"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace tocsin::api
