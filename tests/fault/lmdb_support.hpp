// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/lmdb/store.hpp"

namespace tocsin::test {

/// A directory that is removed at the end; in memory when the machine has such a place.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline constexpr std::uint64_t kFaultQuota = std::uint64_t{8} * MiB;

[[nodiscard]] Result<std::unique_ptr<lmdb::LmdbStore>> open_store(const std::string& dir,
                                                                  std::uint64_t quota_bytes = kFaultQuota);

/// A value that proves itself: a checksum over key and payload stands before the payload.
[[nodiscard]] std::string sealed(const std::string& key, const std::string& payload);
[[nodiscard]] bool is_sealed(Bytes key, Bytes value);

using Content = std::map<std::string, std::string>;

/// A store with branches, small and large values, and a free list; what it holds is returned. The store is closed.
/// `before` becomes what it held before its last commit.
[[nodiscard]] Content populate(const std::string& dir, Content* before = nullptr);

struct Found {
  std::uint64_t right = 0;
  std::uint64_t caught = 0;   ///< entries whose checksum does not hold
  std::uint64_t wrong = 0;    ///< entries whose checksum holds but which were never written
  std::uint64_t missing = 0;  ///< keys that were written and cannot be found
  std::uint64_t errors = 0;
};
[[nodiscard]] Found compare(port::Store& store, const Content& content);

[[nodiscard]] std::vector<std::byte> read_file(const std::string& path);
void write_file(const std::string& path, Bytes bytes);

/// TOCSIN_SEED or the given one.
[[nodiscard]] std::uint64_t seed_or(std::uint64_t seed);

}  // namespace tocsin::test
