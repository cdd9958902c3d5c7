// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/lmdb_support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "src/base/crc32c.hpp"

namespace tocsin::test {
namespace fs = std::filesystem;

TempDir::TempDir() {
  const char* memory = "/dev/shm";
  const fs::path base = ::access(memory, W_OK) == 0 ? fs::path{memory} : fs::temp_directory_path();
  std::string name = (base / "tocsin-fault-XXXXXX").string();
  if (::mkdtemp(name.data()) != nullptr) path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<std::unique_ptr<lmdb::LmdbStore>> open_store(const std::string& dir, std::uint64_t quota_bytes) {
  return lmdb::LmdbStore::open({dir, quota_bytes, std::uint64_t{256} * MiB});
}

std::string sealed(const std::string& key, const std::string& payload) {
  std::string out(4, '\0');
  store(reinterpret_cast<std::byte*>(out.data()), crc32c(as_bytes(payload), crc32c(as_bytes(key))));
  return out + payload;
}

bool is_sealed(Bytes key, Bytes value) {
  return value.size() >= 4 && load<std::uint32_t>(value.data()) == crc32c(value.subspan(4), crc32c(key));
}

Content populate(const std::string& dir, Content* before) {
  Content content;
  auto opened = open_store(dir);
  if (!opened.ok()) return content;
  port::Store& store = **opened;
  const auto name = [](std::uint64_t number) {
    std::string key = number % 3 == 0 ? "B" : "A";
    key += std::to_string(10'000 + number);
    return key;
  };
  for (std::uint64_t i = 0; i < 900;) {
    auto txn = store.begin_write();
    if (!txn.ok()) return {};
    if (before != nullptr) *before = content;
    for (std::uint64_t last = i + 15; i < last; ++i) {
      const std::string key = name(i);
      const std::string value =
          sealed(key, std::string(i % 29 == 0 ? 9'000 : 20 + i % 300, static_cast<char>('a' + i % 26)));
      if (!(*txn)->put(as_bytes(key), as_bytes(value)).ok()) return {};
      content[key] = value;
      if (i > 100 && i % 7 == 0) {
        const std::string gone = name(i - 70);
        if (content.erase(gone) > 0 && !(*txn)->erase(as_bytes(gone)).ok()) return {};
      }
    }
    if (!(*txn)->commit().ok()) return {};
  }
  return content;
}

Found compare(port::Store& store, const Content& content) {
  Found found;
  auto txn = store.begin_read();
  if (!txn.ok()) return {0, 0, 0, content.size(), 1};
  std::string at;
  for (std::size_t steps = 0; steps < 2 * content.size() + 10; ++steps) {
    const auto entry = (*txn)->at_or_after(as_bytes(at));
    if (!entry.ok()) {
      ++found.errors;
      break;
    }
    if (!*entry) break;
    const std::string key{as_text((*entry)->key)};
    const auto expected = content.find(key);
    if (!is_sealed((*entry)->key, (*entry)->value)) {
      ++found.caught;
    } else if (expected == content.end() || expected->second != as_text((*entry)->value)) {
      ++found.wrong;
    } else {
      ++found.right;
    }
    if (key.size() == port::kKeyBytesMax) break;
    at = key + '\0';
  }
  for (const auto& [key, value] : content) {
    const auto got = (*txn)->get(as_bytes(key));
    if (!got.ok()) ++found.errors;
    if (got.ok() && !*got) ++found.missing;
  }
  return found;
}

std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

void write_file(const std::string& path, Bytes bytes) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

std::uint64_t seed_or(std::uint64_t seed) {
  const char* wished = std::getenv("TOCSIN_SEED");
  return wished != nullptr ? std::strtoull(wished, nullptr, 10) : seed;
}

}  // namespace tocsin::test
