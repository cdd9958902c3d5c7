// SPDX-License-Identifier: Apache-2.0
// Segments of the log. The first byte chooses: any bytes as a segment; such bytes with their checksums put right, so
// that the reader gets past them; or a segment that was built from the bytes and then damaged in one place.
#include "src/model/segment.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "src/base/crc32c.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace tocsin {
namespace {

using fuzz::require;
using model::RecordHeader;
using model::SegmentHeader;
using model::SegmentReader;

constexpr std::size_t kChecksumBytes = sizeof(std::uint32_t);

bool lies_in(std::string_view part, Bytes whole) {
  const auto* const begin = reinterpret_cast<const char*>(whole.data());
  return part.empty() || (part.data() >= begin && part.data() + part.size() <= begin + whole.size());
}

/// Reads to the end; the records that came.
std::vector<model::Record> read_all(Bytes key, Bytes value, std::uint64_t from) {
  std::vector<model::Record> out;
  auto reader = SegmentReader::open(key, value);
  if (!reader.ok()) return out;
  while (const auto record = reader->next(from)) {
    require(record->seq >= from, "no record before the wanted one");
    require(lies_in(record->json, value), "a record lies in its segment");
    out.push_back(*record);
    require(out.size() <= reader->header().count, "no more records than the header says");
  }
  require(!reader->next(from), "the end stays the end");
  require(reader->damaged() <= reader->header().count, "no more damage than records");
  require(from != 0 || out.size() + reader->damaged() == reader->header().count, "every record is read or counted");
  return out;
}

/// Puts right what a writer of this release would have written into header and records.
void mend(Bytes key, std::vector<std::byte>& value) {
  if (value.size() < sizeof(SegmentHeader) || key.size() != 10) return;
  auto header = load<SegmentHeader>(value.data());
  header.format = model::kSegmentFormat;
  header.first_seq = load_be64(key.data() + 2);
  header.bytes = static_cast<std::uint32_t>(value.size() - sizeof(header));
  header.count %= 64;
  store(value.data(), header);
  header.crc32c = crc32c(Bytes{value}.subspan(kChecksumBytes, sizeof(header) - kChecksumBytes), crc32c(key));
  store(value.data(), header);
  std::size_t at = sizeof(header);
  while (value.size() - at >= sizeof(RecordHeader)) {
    auto record = load<RecordHeader>(value.data() + at);
    record.body_bytes %= 256;
    store(value.data() + at, record);
    const std::size_t extra = ((record.flags & model::kRecordHasRequest) != 0 ? sizeof(Id128) : 0) +
                              ((record.flags & model::kRecordHasId) != 0 ? sizeof(std::uint64_t) : 0);
    const std::size_t size = sizeof(record) + extra + record.body_bytes;
    if (size > value.size() - at) return;
    std::array<std::byte, kChecksumBytes + sizeof(std::uint64_t)> salt{};
    store(salt.data(), header.boot);
    store(salt.data() + kChecksumBytes, header.first_seq + record.seq_delta);
    store(value.data() + at, crc32c(Bytes{value}.subspan(at + kChecksumBytes, size - kChecksumBytes), crc32c(salt)));
    at += size;
  }
}

void read_bytes(Bytes input, bool mended) {
  const std::size_t key_bytes = std::min<std::size_t>(10, input.size());
  const Bytes key = input.first(key_bytes);
  std::vector<std::byte> value(input.begin() + static_cast<std::ptrdiff_t>(key_bytes), input.end());
  if (mended) mend(key, value);
  const auto all = read_all(key, value, 0);
  if (all.empty()) return;
  const std::uint64_t middle = all[all.size() / 2].seq;
  const auto later = read_all(key, value, middle);
  const auto wanted = std::count_if(all.begin(), all.end(), [&](const auto& one) { return one.seq >= middle; });
  require(std::cmp_equal(later.size(), wanted), "reading from a sequence leaves out what is before it, nothing else");
}

struct Made {
  std::uint64_t seq;
  std::int32_t data_id;
  std::uint64_t id_hash;
  Id128 request_id;
  std::string json;
};

/// Takes bytes off the front; zeros when there are none left.
class Dice {
 public:
  explicit Dice(Bytes input) : rest_(input) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto out = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return out;
  }
  std::string text(std::size_t size) {
    const auto out = as_text(rest_.first(std::min(size, rest_.size())));
    rest_ = rest_.subspan(out.size());
    return std::string(out);
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

bool is_same(const model::Record& got, const Made& made) {
  return got.seq == made.seq && got.data_id == made.data_id && got.id_hash == made.id_hash && got.json == made.json;
}

void build_and_damage(Bytes input) {
  Dice dice{input};
  const std::size_t where = dice.byte() * 256U + dice.byte();
  const auto damage = std::byte{dice.byte()};
  std::vector<std::byte> buffer;
  model::SegmentBuilder builder{model::Lane::normal, 3, buffer};
  std::vector<Made> made;
  std::uint64_t seq = 1 + dice.byte();
  const std::uint64_t first_seq = seq;
  while (!dice.empty() && made.size() < 64) {
    Made one{seq, dice.byte() - 100, dice.byte(), Id128{std::byte{static_cast<std::uint8_t>(dice.byte() % 3)}}, {}};
    one.json = dice.text(dice.byte());
    if (!builder.fits(one.json.size())) break;
    builder.add(one.seq, one.data_id, model::RecordKind::custom_event, {{5'000'000}, {1'700'000'000'000, true}},
                one.request_id, one.id_hash, one.json);
    made.push_back(std::move(one));
    seq += 1U + dice.byte();
  }
  if (made.empty()) return;
  const Bytes finished = builder.finish();
  const model::Key key = model::segment_key(model::Lane::normal, first_seq);
  const auto whole = read_all(key, finished, 0);
  require(whole.size() == made.size(), "what was written is read");
  for (std::size_t i = 0; i < made.size(); ++i) {
    require(is_same(whole[i], made[i]) && whole[i].request_id == made[i].request_id, "a record is read as written");
  }
  if (damage == std::byte{}) return;
  std::vector<std::byte> hurt(finished.begin(), finished.end());
  hurt[where % hurt.size()] ^= damage;
  for (const model::Record& record : read_all(key, hurt, 0)) {
    const auto at = std::find_if(made.begin(), made.end(), [&](const Made& one) { return one.seq == record.seq; });
    require(at != made.end() && is_same(record, *at), "a damaged record is not handed out");
  }
}

void run(Bytes input) {
  if (input.empty()) return;
  const auto choice = std::to_integer<unsigned>(input.front()) % 3;
  if (choice == 2) return build_and_damage(input.subspan(1));
  read_bytes(input.subspan(1), choice == 1);
}

}  // namespace
}  // namespace tocsin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tocsin::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
