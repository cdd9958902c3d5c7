// SPDX-License-Identifier: Apache-2.0
// Nothing that a profile or a document says can make a normalisation long or large.
#include <gtest/gtest.h>

#include <new>

#include "tests/unit/normalise/support.hpp"

namespace tocsin::normalise {
namespace {

constexpr std::string_view kProfile = R"j({
  "ingest_config": {"multiple_events":true,"events_path":"e"},
  "clean_configs": [{"rules":[{"key":"n","value":["^x.*y$"],"method":"reg"}],"normalization_config":[]}],
  "normalization_config": [{"field":"alert_name","expr":"regex_extract(n, '^(.)')[1]"},
                           {"field":"description","expr":"to_string(@)"},
                           {"field":"tags","expr":"@"},{"field":"dimensions","expr":"{n: n}"}]})j";
constexpr std::string_view kDocument = R"({"e":[{"n":"alpha","v":1},{"n":"beta","v":2}]})";

std::string numbered(std::size_t count, std::string_view before, std::string_view behind) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out.append(i > 0 ? "," : "").append(before).append(std::to_string(i)).append(behind);
  }
  return out;
}

TEST(NormaliseBounds, StopAtTheLastStep) {
  Bench bench;
  ASSERT_EQ(bench.use(kProfile), "");
  const std::string wanted = bench.run(kDocument);
  ASSERT_EQ(wanted.front(), '[') << wanted;
  EXPECT_EQ(bench.events, 2U);
  for (bench.limits.steps_max = 0;; ++bench.limits.steps_max) {
    const std::string out = bench.run(kDocument);
    if (out == wanted) break;
    ASSERT_TRUE(out.starts_with("!normalisation_steps ")) << out;
    ASSERT_LT(bench.limits.steps_max, 2'000U);
  }
  EXPECT_GT(bench.limits.steps_max, 40U);
}

TEST(NormaliseBounds, StopAtTheLastStepOfAnExpression) {
  Bench bench;
  ASSERT_EQ(bench.use(kProfile), "");
  const std::string wanted = bench.run(kDocument);
  for (bench.limits.expression_steps_max = 0;; ++bench.limits.expression_steps_max) {
    const std::string out = bench.run(kDocument);
    if (out == wanted) break;
    ASSERT_TRUE(out.starts_with("!normalisation_steps expression ")) << out;
    ASSERT_LT(bench.limits.expression_steps_max, 500U);
  }
  EXPECT_GT(bench.limits.expression_steps_max, 5U);
}

TEST(NormaliseBounds, StopAtTheLastByteOfOutput) {
  Bench bench;
  ASSERT_EQ(bench.use(kProfile), "");
  const std::string wanted = bench.run(kDocument);
  bench.limits.output_bytes_max = wanted.size();
  EXPECT_EQ(bench.run(kDocument), wanted);
  for (std::size_t less = 1; less <= wanted.size(); ++less) {
    bench.limits.output_bytes_max = wanted.size() - less;
    ASSERT_TRUE(bench.run(kDocument).starts_with("!normalisation_output events: longer than "));
  }
}

TEST(NormaliseBounds, StopAtTheLastByteOfMemory) {
  Bench bench;
  ASSERT_EQ(bench.use(R"j({"normalization_config":[{"field":"alert_name","expr":"join('', reverse(n))"}]})j"), "");
  const std::string document = R"({"n":[)" + numbered(400, "\"", "\"") + "]}";
  const std::string wanted = bench.run(document);
  ASSERT_EQ(wanted.front(), '[');
  for (bench.bytes_max = 0;; bench.bytes_max += 512) {
    ASSERT_LT(bench.bytes_max, 64 * KiB);
    const std::string out = bench.run(document);
    if (out == wanted) break;
    ASSERT_TRUE(out.starts_with("!out_of_memory ")) << out;
  }
  EXPECT_GT(bench.bytes_max, 0U);
}

TEST(NormaliseBounds, EventsAndOfAnyNumberTheMemoryOfOne) {
  Bench bench;
  ASSERT_EQ(bench.use(R"({"ingest_config":{"multiple_events":true},
                          "normalization_config":[{"field":"alert_name","expr":"n"}]})"),
            "");
  bench.headers = {{"Host", "h"}};
  bench.bytes_max = 4 * KiB;
  EXPECT_EQ(bench.run("[" + numbered(1000, R"({"n":")", R"("})") + "]").front(), '[');
  EXPECT_EQ(bench.events, 1000U);
  EXPECT_EQ(bench.run("[" + numbered(1001, R"({"n":")", R"("})") + "]"),
            "!events_too_many body: more than 1000 events");
}

TEST(NormaliseBounds, TagsAndDimensions) {
  Bench bench;
  ASSERT_EQ(bench.use(R"({"normalization_config":[{"field":"alert_name","expr":"'n'"},{"field":"tags","expr":"t"},
                                                  {"field":"dimensions","expr":"d"}]})"),
            "");
  const auto document = [](std::size_t tags, std::size_t dimensions) {
    return R"({"t":{)" + numbered(tags, "\"t", "\":1") + R"(},"d":{)" + numbered(dimensions, "\"d", "\":1") + "}}";
  };
  EXPECT_EQ(bench.run(document(224, 32)).front(), '[');
  EXPECT_EQ(bench.run(document(225, 32)), "!normalisation_tags tags: more than 256 (event 0)");
  EXPECT_EQ(bench.run(document(0, 33)), "!normalisation_tags dimensions: more than 32 (event 0)");
}

// What is made is not parsed again, so its levels are counted here.
TEST(NormaliseBounds, LevelsOfWhatIsMade) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  const auto answer = [&](Bench& bench, std::size_t levels) {
    const std::string out = bench.run(R"({"alert_name":"a","t":{"k":)" + nested(levels) + "}}");
    if (out.front() != '[') return out;
    const json::Padded event{out.substr(1, out.size() - 2)};  // the list around it is not stored
    return json::Parser{}.check(event.text()) ? std::string("taken") : out;
  };
  Bench plain;
  ASSERT_EQ(plain.use(model::Profile{}), "");
  EXPECT_EQ(answer(plain, json::kDepthMax - 2), "taken") << "as deep as a document may be";
  Bench tags;
  ASSERT_EQ(
      tags.use(R"({"normalization_config":[{"field":"alert_name","expr":"alert_name"},{"field":"tags","expr":"t"}]})"),
      "");
  EXPECT_EQ(answer(tags, json::kDepthMax - 3), "taken");
  EXPECT_EQ(answer(tags, json::kDepthMax - 2), "!json_invalid tags: nested deeper than 32 levels (event 0)");
}

TEST(NormaliseBounds, RegularExpressions) {
  Bench bench;
  ASSERT_EQ(bench.use(R"({"normalization_config":[{"field":"alert_name","expr":"'n'"},
                          {"field":"tags","expr":"{a: p[].regex_extract('abc', @)[0]}"}]})"),
            "");
  const auto document = [](std::size_t patterns) { return R"({"p":[)" + numbered(patterns, "\"", ".\"") + "]}"; };
  EXPECT_EQ(bench.run(document(16)).front(), '[');
  EXPECT_TRUE(bench.run(document(17)).starts_with("!normalisation_regex expression {a: p[]"));
  bench.limits.regex_searches_max = 16;
  EXPECT_EQ(bench.run(document(16)).front(), '[');
  bench.limits.regex_searches_max = 15;
  EXPECT_TRUE(bench.run(document(16)).starts_with("!normalisation_regex "));
  ASSERT_EQ(bench.use(R"({"alert_config":[{"name":"n","rules":[{"key":"k","value":["1","2","3"],"method":"reg"}]}],
                          "normalization_config":[{"field":"target","expr":"k"}]})"),
            "");
  bench.limits.regex_searches_max = 3;
  EXPECT_EQ(bench.run(R"({"k":"3"})").front(), '[');
  bench.limits.regex_searches_max = 2;
  EXPECT_TRUE(bench.run(R"({"k":"3"})").starts_with("!normalisation_regex rules: "));
  bench.limits.regex_searches_max = 3;
  const std::string subject = std::string(16'000, 'x') + "3";  // 1,000 steps for the key, 4,000 for each pattern
  bench.limits.steps_max = 16'000;
  EXPECT_EQ(bench.run(R"({"k":")" + subject + "\"}").front(), '[');
  bench.limits.steps_max = 12'000;
  EXPECT_TRUE(bench.run(R"({"k":")" + subject + "\"}").starts_with("!normalisation_steps the normalisation of one"));
}

TEST(NormaliseBounds, HttpParts) {
  std::vector<std::string> names;
  std::vector<HttpPart> parts;
  for (std::size_t i = 0; i <= kHttpPartsMax; ++i) names.push_back("N" + std::to_string(i));
  for (const std::string& name : names) parts.push_back({name, "v"});
  std::pmr::monotonic_buffer_resource kept;
  EXPECT_EQ(header_object(parts, kept).members().size(), kHttpPartsMax);
  EXPECT_EQ(query_object(parts, kept).members().size(), kHttpPartsMax);
  EXPECT_EQ(header_object(parts, kept).find(names.back()), nullptr);
}

TEST(NormaliseBounds, PartsOfAProfile) {
  const auto fields = [](std::size_t expressions, std::size_t parts) {
    std::string expr = "a";
    for (std::size_t i = 1; i < parts; ++i) expr += ".a";
    return R"({"normalization_config":[)" + numbered(expressions, R"({"field":"f)", R"(","expr":")" + expr + "\"}") +
           "]}";
  };
  Bench bench;
  EXPECT_EQ(bench.use(fields(1, 100)), "");
  std::string wrong;
  std::size_t expressions = 1;
  while (wrong.empty() && expressions < 200) wrong = bench.use(fields(expressions += 10, 40));
  EXPECT_TRUE(wrong.ends_with("more than 4096 parts together")) << wrong;

  const auto patterns = [](std::size_t count) {
    return R"({"alert_config":[{"name":"n","rules":[{"key":"k","method":"reg","value":[)" +
           numbered(count, "\"", "\"") + "]}]}]}";
  };
  EXPECT_EQ(bench.use(patterns(kPatternsMax)), "");
  EXPECT_EQ(bench.use(patterns(kPatternsMax + 1)),
            "alert_config[0].rules[0].value[32]: more than 32 patterns in this profile");

  const auto configs = [](std::size_t count) {
    std::string out = R"({"clean_configs":[)";
    for (std::size_t i = 0; i < count; ++i) out.append(i > 0 ? "," : "").append(R"({"normalization_config":[]})");
    return out + "]}";
  };
  EXPECT_EQ(bench.use(configs(64)), "");
  EXPECT_EQ(bench.use(configs(65)), "clean_configs: more than 64 entries");

  model::Profile profile;
  profile.parts[2] = "[" + std::string(model::kProfileBytesMax - 2, ' ') + "]";
  EXPECT_EQ(bench.use(profile), "");
  profile.parts[4] = " ";
  EXPECT_EQ(bench.use(profile), "profile: larger than 16 KiB");
}

// The densest expressions, the most rules, the most configurations.
TEST(NormaliseBounds, MemoryOfAProfile) {
  Bench bench;
  std::string wrong;
  std::size_t expressions = 0;
  std::size_t used = 0;
  while (wrong.empty()) {
    used = std::max(used, bench.memory.used_bytes());
    wrong =
        bench.use(R"({"normalization_config":[)" +
                  numbered(expressions += 15, R"({"field":"f)", R"(","expr":"a||a||a||a||a||a||a||a||a||a"})") + "]}");
  }
  EXPECT_GT(expressions, 100U);
  const std::size_t rules =
      model::kProfileBytesMax / std::string_view{R"({"key":"a","value":[],"method":"eq"},)"}.size();
  EXPECT_LT(used + rules * sizeof(Rule) + 64 * sizeof(Config), kCompiledBytesMax);
  EXPECT_LT(used, 256 * KiB);
  bench.compiled.reset();
  EXPECT_EQ(bench.memory.used_bytes(), 0U);
}

}  // namespace
}  // namespace tocsin::normalise
