// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/store_worlds.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "platform/lmdb/store.hpp"
#include "platform/sim/store.hpp"

namespace tocsin::test {
namespace {

class LmdbWorld final : public StoreWorld {
 public:
  explicit LmdbWorld(std::uint64_t quota_bytes) : quota_bytes_(quota_bytes) {
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;  // thousands of commits: flushes are not what is tested
    const auto base = in_memory ? std::filesystem::path{"/dev/shm"} : std::filesystem::temp_directory_path();
    std::string name = (base / "tocsin-store-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) dir_ = name;
    restart();
  }
  ~LmdbWorld() override {
    store_.reset();
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }
  port::Store& store() override { return *store_; }
  void restart() override {
    store_.reset();
    auto opened = lmdb::LmdbStore::open({dir_, quota_bytes_, std::uint64_t{256} * MiB});
    if (!opened.ok()) {
      ADD_FAILURE() << "the store does not open: " << to_text(opened.error().code);
      return;
    }
    store_ = std::move(*opened);
    EXPECT_FALSE(store_->report().salvaged) << "a healthy store was taken for damaged: " << store_->report().fault;
    EXPECT_EQ(store_->report().leaked_pages, 0U);
  }

 private:
  std::uint64_t quota_bytes_;
  std::string dir_;
  std::unique_ptr<lmdb::LmdbStore> store_;
};

class SimWorld final : public StoreWorld {
 public:
  explicit SimWorld(std::uint64_t quota_bytes) : store_(quota_bytes) {}
  port::Store& store() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  sim::SimStore store_;
};

constexpr std::array<StoreMaker, 2> kMakers{{
    {"Lmdb", [](std::uint64_t quota) -> std::unique_ptr<StoreWorld> { return std::make_unique<LmdbWorld>(quota); }},
    {"Sim", [](std::uint64_t quota) -> std::unique_ptr<StoreWorld> { return std::make_unique<SimWorld>(quota); }},
}};

}  // namespace

const StoreMaker* store_makers_begin() { return kMakers.data(); }
const StoreMaker* store_makers_end() { return kMakers.data() + kMakers.size(); }

}  // namespace tocsin::test
