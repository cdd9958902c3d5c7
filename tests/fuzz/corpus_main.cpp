// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: every seed of the folder in argv[1] is a test, fed whole and cut short at every
// length. A target without seeds fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace tocsin::fuzz {
namespace {

constexpr std::size_t kPrefixesMax = 1'024;  // of one seed; a longer one is cut at that many lengths, evenly

class Seed : public ::testing::Test {
 public:
  explicit Seed(std::filesystem::path path) : path_(std::move(path)) {}
  void TestBody() override {
    std::ifstream file(path_, std::ios::binary);
    ASSERT_TRUE(file.good()) << path_;
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t step = bytes.size() / kPrefixesMax + 1;
    for (std::size_t size = 0; size < bytes.size(); size += step) feed(bytes, size);
    feed(bytes, bytes.size());
  }

 private:
  /// A block of its own of exactly that size, so that one byte too far is outside of it.
  static void feed(const std::vector<char>& bytes, std::size_t size) {
    const std::vector<std::uint8_t> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    LLVMFuzzerTestOneInput(part.data(), part.size());
  }
  std::filesystem::path path_;
};

int run(const char* folder) {
  std::vector<std::filesystem::path> seeds;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) seeds.push_back(entry.path());
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", folder);
    return 1;
  }
  std::sort(seeds.begin(), seeds.end());
  for (const auto& path : seeds) {
    ::testing::RegisterTest("Seed", path.filename().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [path]() -> ::testing::Test* { return new Seed(path); });
  }
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace tocsin::fuzz

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  return tocsin::fuzz::run(argv[1]);
}
