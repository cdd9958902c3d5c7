// SPDX-License-Identifier: Apache-2.0
// The files an operator sees: each must parse, and the reference page must be that of the key table.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "src/config/explain.hpp"
#include "src/config/keys.hpp"

namespace tocsin::config {
namespace {

const std::filesystem::path kConf = std::filesystem::path(TOCSIN_SOURCE_DIR) / "conf";

std::string read(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(ConfFolder, EveryExampleParses) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConf / "examples")) {
    if (entry.path().extension() != ".toml") continue;
    ++seen;
    const auto loaded = load(read(entry.path()), entry.path().filename().string(), kBoard);
    EXPECT_TRUE(loaded) << (loaded ? "" : to_text(loaded.error()[0]));
    EXPECT_TRUE(!loaded || !loaded->config.upstreams.empty()) << entry.path();
  }
  EXPECT_GE(seen, 4);
}

TEST(ConfFolder, TheShippedFileParsesAlsoWithEveryCommentedKey) {
  const std::string text = read(kConf / "tocsin.toml");
  ASSERT_TRUE(load(text, "tocsin.toml", kBoard));
  std::istringstream lines(text);
  std::string uncommented;
  for (std::string line; std::getline(lines, line);) {
    const bool is_key = line.starts_with("# ") && (line.find(" = ") != std::string::npos || line.starts_with("# ["));
    uncommented += (is_key ? line.substr(2) : line) + "\n";
  }
  const auto loaded = load(uncommented, "tocsin.toml", kBoard);
  ASSERT_TRUE(loaded) << to_text(loaded.error()[0]);
  EXPECT_EQ(loaded->config.upstreams.size(), 1U);
  EXPECT_EQ(loaded->config.syslogs.size(), 1U);
  const Config board = defaults(kBoard);
  for (const Key<Config>& key : config_keys()) {
    if (key.board_default != nullptr) continue;
    EXPECT_EQ(value_text(key, loaded->config), value_text(key, board))
        << "the comment does not show the default of " << key.name;
  }
}

TEST(ConfFolder, TheReferencePageIsCurrent) {
  EXPECT_EQ(read(kConf / "REFERENCE.md"), reference_page()) << "make it again: ninja -C BUILD config-reference";
}

TEST(Explain, NamesTheLayerOfEveryValue) {
  const auto loaded =
      load("[store]\nretention_hours = 5\n[upstream.a]\nkind = \"mqtt\"\nservers = [\"mqtt://b\"]\n", "t.toml", kBoard);
  ASSERT_TRUE(loaded);
  const auto all = explain(*loaded);
  EXPECT_EQ(all.size(), config_keys().size() + upstream_keys().size());
  const auto one = explain(*loaded, "store.retention_hours");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].value, "5");
  EXPECT_EQ(one[0].layer, Layer::file);
  EXPECT_EQ(one[0].line, 2U);
  EXPECT_EQ(explain(*loaded, "store.quota_bytes").at(0).layer, Layer::board);
  EXPECT_EQ(explain(*loaded, "control.socket").at(0).layer, Layer::built_in);
  EXPECT_EQ(explain(*loaded, "upstream.a.servers").at(0).value, "[\"mqtt://b\"]");
  EXPECT_EQ(explain(*loaded, "store").size(), 3U);
  EXPECT_EQ(explain(*loaded, "upstream.a").size(), upstream_keys().size());
  EXPECT_TRUE(explain(*loaded, "sto").empty());
}

TEST(Board, LedgerAndLimitsFit) {
  EXPECT_TRUE(fits(kBoard));
  EXPECT_LE(sum_bytes(kBoard.ledger), kBoard.memory_limit_bytes);
  EXPECT_EQ(kBoard.memory_limit_bytes, 8'388'608);
}

}  // namespace
}  // namespace tocsin::config
