// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lmdb.h>

#include <string>
#include <utility>

#include "src/base/bytes.hpp"
#include "src/base/result.hpp"

namespace tocsin::lmdb {

struct EnvOptions {
  std::uint64_t map_bytes = 0;
  unsigned flags = 0;  ///< of mdb_env_open
  unsigned readers_max = 8;
};

/// Owns an open environment; closed at destruction, which needs every transaction to have ended.
class Env {
 public:
  Env() = default;
  [[nodiscard]] static Result<Env> open(const std::string& path, const EnvOptions& options);
  Env(Env&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Env& operator=(Env&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Env() { close(); }
  void close() noexcept { mdb_env_close(std::exchange(raw_, nullptr)); }
  [[nodiscard]] MDB_env* get() const noexcept { return raw_; }

 private:
  explicit Env(MDB_env* raw) noexcept : raw_(raw) {}
  MDB_env* raw_ = nullptr;
};

/// The unnamed table's handle; the library gives it this number in every environment.
inline constexpr MDB_dbi kMainTable = 1;
inline constexpr MDB_dbi kFreeTable = 0;

[[nodiscard]] inline MDB_val val_of(Bytes bytes) noexcept {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};  // NOLINT: the library does not write through it
}
[[nodiscard]] inline Bytes bytes_of(const MDB_val& val) noexcept {
  return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

}  // namespace tocsin::lmdb
