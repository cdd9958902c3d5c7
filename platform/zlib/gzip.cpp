// SPDX-License-Identifier: Apache-2.0
#include "platform/zlib/gzip.hpp"

#include <zlib.h>

#include <limits>
#include <new>

namespace tocsin::zlib {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's number for this format
constexpr int kMemoryLevel = 8;       // zlib's own default

}  // namespace

std::string gzip(std::string_view plain) {
  z_stream stream{};
  if (plain.size() > std::numeric_limits<uInt>::max() / 2 ||
      deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc{};
  }
  std::string out;
  try {
    out.resize(deflateBound(&stream, static_cast<uLong>(plain.size())));
  } catch (const std::bad_alloc&) {
    deflateEnd(&stream);
    throw;
  }
  // zlib does not write to its input; the library's type is older than const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = deflate(&stream, Z_FINISH);  // deflateBound() is room enough for one call
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) throw std::bad_alloc{};
  return out;
}

}  // namespace tocsin::zlib
