// SPDX-License-Identifier: Apache-2.0
#include "platform/lmdb/errors.hpp"

#include <lmdb.h>

#include <cerrno>

namespace tocsin::lmdb {

Error from_errno(int os_errno, Where where) noexcept {
  switch (os_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return error(Errc::storage_full, where, os_errno);
    case ENOMEM: return error(Errc::out_of_budget, where, os_errno);
    default: return error(Errc::io_failed, where, os_errno);
  }
}

Error from_lmdb(int code, Where where) noexcept {
  switch (code) {
    case MDB_NOTFOUND: return error(Errc::not_found, where);
    case MDB_KEYEXIST: return error(Errc::conflict, where);
    case MDB_BAD_VALSIZE: return error(Errc::invalid_input, where);
    case MDB_MAP_FULL:
    case MDB_TXN_FULL: return error(Errc::storage_full, where);
    case MDB_READERS_FULL: return error(Errc::out_of_budget, where);
    case MDB_VERSION_MISMATCH: return error(Errc::unsupported, where);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INVALID: return error(Errc::storage_corrupt, where);
    case MDB_PANIC:
    case MDB_MAP_RESIZED:
    case MDB_BAD_TXN:
    case MDB_BAD_RSLOT:
    case MDB_BAD_DBI:
    case MDB_DBS_FULL:
    case MDB_TLS_FULL:
    case MDB_INCOMPATIBLE: return error(Errc::io_failed, where);
    default: return from_errno(code, where);
  }
}

}  // namespace tocsin::lmdb
