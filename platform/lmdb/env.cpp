// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/env.hpp"

#include <fcntl.h>

#include "platform/lmdb/errors.hpp"

namespace tocsin::lmdb {

Result<Env> Env::open(const std::string& path, const EnvOptions& options) {
  MDB_env* raw = nullptr;
  if (const int rc = mdb_env_create(&raw); rc != 0) return from_lmdb(rc, "making the environment");
  Env env{raw};
  if (const int rc = mdb_env_set_mapsize(raw, static_cast<std::size_t>(options.map_bytes)); rc != 0) {
    return from_lmdb(rc, "setting the map size");
  }
  if (const int rc = mdb_env_set_maxreaders(raw, options.readers_max); rc != 0) {
    return from_lmdb(rc, "setting the number of readers");
  }
  if (const int rc = mdb_env_open(raw, path.c_str(), options.flags, 0600); rc != 0) {
    return from_lmdb(rc, "opening the environment");
  }
  int fd = -1;  // the one descriptor that the library leaves inheritable
  if (mdb_env_get_fd(raw, &fd) == 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  MDB_txn* txn = nullptr;  // opening the table once gives it its order of keys
  if (const int rc = mdb_txn_begin(raw, nullptr, MDB_RDONLY, &txn); rc != 0) return from_lmdb(rc, "opening the table");
  MDB_dbi table = 0;
  const int rc = mdb_dbi_open(txn, nullptr, 0, &table);
  mdb_txn_abort(txn);
  if (rc != 0) return from_lmdb(rc, "opening the table");
  return env;
}

}  // namespace tocsin::lmdb
