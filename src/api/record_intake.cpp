// SPDX-License-Identifier: Apache-2.0
#include "src/api/record_intake.hpp"

#include <algorithm>
#include <new>

#include "src/api/source_body.hpp"
#include "src/channel/reader.hpp"
#include "src/core/job.hpp"

namespace tocsin::api {
namespace {

constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);

/// A mark has one without an offset too: before the first.
bool has_place(const channel::Record& record) noexcept { return record.is_mark || record.offset != channel::kNoOffset; }

std::string about_record(const std::string& message, const channel::Record& record) {
  std::string out = message + " (topic " + std::string(record.topic);
  if (record.offset != channel::kNoOffset)
    out += ", partition " + std::to_string(record.partition) + ", offset " + std::to_string(record.offset);
  return out + ")";
}

}  // namespace

/// One batch while it is filled.
class RecordIntake::Round {
 public:
  Round(RecordIntake& from, const model::Instance& instance, const ReadyProfile& profile)
      : from_(from),
        services_(from.parts_.services),
        instance_(instance),
        profile_(profile),
        input_{{}, core::Push{model::EventBatch(services_.parts.intake), false, from.settings_.name, {}}} {
    auto& batch = push().batch;
    batch.data_id = instance.data_id;
    batch.received = services_.parts.daemon.now();
    batch.registry_generation = services_.parts.daemon.view().registry->generation();
    batch.request_id = fresh_request_id(services_.parts.random);
    batch.kind = model::RecordKind::standard_event;
  }

  [[nodiscard]] core::Push& push() noexcept { return *std::get_if<core::Push>(&input_.what); }
  [[nodiscard]] core::Input& input() noexcept { return input_; }
  [[nodiscard]] bool has_refused() const noexcept { return has_refused_; }
  [[nodiscard]] bool is_full() noexcept { return push().batch.bytes.size() >= kBatchBytes; }

  /// Its events, or its refusal, and the position behind it. Throws std::bad_alloc; the batch is then as before.
  void add(const channel::Record& record) {
    if (has_place(record)) make_mark(record);  // before anything is counted
    if (!record.is_mark) {
      const auto taken = read(record);
      if (!taken) refuse_record(record, taken.error());
    }
    if (has_place(record)) mark_->next_offset = record.offset + 1;
  }
  /// As refused for want of memory, which no waiting would cure.
  void give_up(const channel::Record& record) {
    if (record.offset != channel::kNoOffset) make_mark(record);
    refuse_record(record, {413, "the message takes more memory than this box has for one", "body_takes_too_much"});
    if (record.offset != channel::kNoOffset) mark_->next_offset = record.offset + 1;
  }

 private:
  void make_mark(const channel::Record& record) {
    auto& marks = push().marks;
    const auto is_its = [&](const core::SourceMark& one) {
      return one.partition == record.partition && one.topic == record.topic;
    };
    auto at = std::find_if(marks.begin(), marks.end(), is_its);
    if (at == marks.end()) {
      const Position* const position = from_.find_position(record.topic, record.partition);
      const std::int64_t read_to = position->next_offset;  // take() has looked
      at = marks.insert(marks.end(), {std::string(record.topic), record.partition, read_to, read_to});
    }
    mark_ = &*at;
  }

  ingest::Checked<void> read(const channel::Record& record) {
    auto& batch = push().batch;
    if (record.payload_bytes > record.payload.size()) {
      return ingest::refuse("body_too_long",
                            "the message is larger than " + std::to_string(channel::kRecordPayloadBytesMax) + " bytes",
                            413);
    }
    if (record.payload.empty()) return ingest::refuse("body_empty", "body: empty");
    ChargedText events(*services_.parts.intake, record.payload.size());
    const std::vector<port::HttpMember> nothing;
    const auto fields = from_.levels_.fields(record.topic);
    const auto count = read_source_body(
        services_, {profile_, instance_, nothing, nothing, as_bytes(record.payload), fields}, nullptr, events.text);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) return {};
    events.charge_growth();
    from_.parts_.reader.use_made(events.text, *count);
    const model::Lane before = batch.items.empty() ? model::Lane::normal : batch.lane;
    auto taken =
        from_.parts_.reader.read_items(instance_, batch.received, fresh_request_id(services_.parts.random), batch);
    if (taken) batch.lane = std::min(batch.lane, before);
    return taken;
  }

  /// Once, however often its batch is tried.
  void refuse_record(const channel::Record& record, const ingest::Refusal& why) {
    if (record.number <= from_.counted_number_) return;
    const std::string message = about_record(why.message, record);
    from_.parts_.rejects.take({.data_id = instance_.data_id,
                               .way = model::RejectWay::source,
                               .http_status = why.http_status,
                               .code = why.code.text(),
                               .message = message,
                               .body = record.payload,
                               .is_json = false},
                              services_.parts.daemon.now().wall);
    from_.counted_number_ = record.number;
    ++from_.counts_.refused;
    has_refused_ = true;
  }

  RecordIntake& from_;
  const Services& services_;
  const model::Instance& instance_;
  const ReadyProfile& profile_;
  core::Input input_;
  core::SourceMark* mark_ = nullptr;
  bool has_refused_ = false;
};

/// Reads the profile of an instance that was not used lately.
class RecordIntake::ProfileJob final : public core::Job {
 public:
  ProfileJob(std::shared_ptr<RecordIntake*> self, const model::Instance& instance)
      : self_(std::move(self)), data_id_(instance.data_id), revision_(instance.profile_revision) {}

  Result<bool> step(port::ReadTxn& txn) override { return registry::read_profile_into(profile_, txn, data_id_); }
  void finish(const Status& outcome) noexcept override {
    if (*self_ != nullptr) (*self_)->on_profile(data_id_, revision_, outcome, profile_);
  }

 private:
  std::shared_ptr<RecordIntake*> self_;
  std::int32_t data_id_;
  std::uint32_t revision_;
  model::Profile profile_;
};

RecordIntake::RecordIntake(const RecordParts& parts, RecordSettings settings)
    : parts_(parts),
      settings_(std::move(settings)),
      instance_(settings_.plugin),
      levels_(settings_.topics),
      self_(std::make_shared<RecordIntake*>(this)) {}

RecordIntake::~RecordIntake() { *self_ = nullptr; }

void RecordIntake::begin_session(std::uint32_t session) noexcept {
  session_ = session;
  last_number_ = settled_number_ = told_number_ = counted_number_ = 0;
  held_bytes_ = 0;
  std::vector<std::byte>().swap(waiting_);
  positions_.clear();
  obstacle_.clear();
}

RecordIntake::Position* RecordIntake::find_position(std::string_view topic, std::int32_t partition) noexcept {
  const auto is_its = [&](const Position& one) { return one.partition == partition && one.topic == topic; };
  const auto at = std::find_if(positions_.begin(), positions_.end(), is_its);
  return at == positions_.end() ? nullptr : &*at;
}

bool RecordIntake::set_position(std::string_view topic, std::int32_t partition, std::int64_t next_offset) noexcept try {
  if (Position* const known = find_position(topic, partition); known != nullptr) {
    known->next_offset = next_offset;
    return true;
  }
  if (positions_.size() >= core::kSourceMarksMax) return false;
  positions_.push_back({std::string(topic), partition, next_offset});
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool RecordIntake::take(Bytes body) noexcept try {
  const auto record = channel::read_record(body);
  if (!record.ok()) return false;
  if (session_ == 0 || record->session != session_) return true;  // of a connection that is over
  const std::size_t frame_bytes = channel::kFrameHeadBytes + body.size();
  if (record->number != last_number_ + 1 || frame_bytes > channel::kRecordWindowBytes - held_bytes_) return false;
  if (has_place(*record) != settings_.has_offsets) return false;
  if (settings_.has_offsets && find_position(record->topic, record->partition) == nullptr) return false;
  if (waiting_.empty()) waiting_.reserve(channel::kRecordWindowBytes + json::kPaddingBytes);
  std::size_t at = used_bytes();
  waiting_.resize(at + kLengthBytes + body.size() + json::kPaddingBytes);
  store(waiting_.data() + at, static_cast<std::uint32_t>(body.size()));
  at += kLengthBytes;
  std::copy(body.begin(), body.end(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
  held_bytes_ += frame_bytes;
  ++last_number_;
  ++counts_.records;
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void RecordIntake::hold(Monotonic until, const char* why) noexcept {
  not_before_ = until;
  try {
    obstacle_ = why;
  } catch (const std::bad_alloc&) {
    obstacle_.clear();  // people are not told why this time
  }
}

const ReadyProfile* RecordIntake::find_profile(const model::Instance& instance, Monotonic now) {
  const Services& services = parts_.services;
  const ReadyProfile* profile = services.profiles.find(instance.data_id, instance.profile_revision);
  if (profile != nullptr || waits_for_profile_) return profile;
  waits_for_profile_ = services.parts.daemon.post(std::make_unique<ProfileJob>(self_, instance));
  if (!waits_for_profile_) hold(now.after_ms(kRetryMs), "the reader is busy");
  return nullptr;
}

void RecordIntake::on_profile(std::int32_t data_id, std::uint32_t revision, const Status& outcome,
                              const model::Profile& profile) noexcept {
  waits_for_profile_ = false;
  const Monotonic later = parts_.services.parts.daemon.now().mono.after_ms(kLookMs);
  if (!outcome.ok()) return hold(later, "the profile of the instance cannot be read");
  try {
    if (parts_.services.profiles.find(data_id, revision) != nullptr) return;
    const auto ready = parts_.services.profiles.add(data_id, revision, profile);
    if (!ready) hold(later, ("profile: " + ready.error().message).c_str());
  } catch (const std::bad_alloc&) {
    hold(later, "no memory for the profile of the instance");
  }
}

void RecordIntake::pump(Monotonic now) noexcept {
  if (sent_ && now >= sent_->at.after_ms(kAnswerMs)) {
    sent_.reset();
    must_restart_ = true;
  }
  if (sent_ || waits_for_profile_ || used_bytes() == 0 || now < not_before_) return;
  const Services& services = parts_.services;
  const bool is_idle = services.parts.intake->used_bytes() == 0;
  try {
    if (!send(now) && !waits_for_profile_ && not_before_ <= now) {
      hold(now.after_ms(kRetryMs), is_idle ? "" : "no room in the intake");
    }
  } catch (const std::bad_alloc&) {
    ++services.counters.out_of_memory;
    hold(now.after_ms(kRetryMs), "out of memory for now");
  }
}

/// False: nothing was sent.
bool RecordIntake::send(Monotonic now) {
  const Services& services = parts_.services;
  Daemon& daemon = services.parts.daemon;
  const model::Instance* const instance = instance_.find(*daemon.view().registry);
  if (instance == nullptr) {
    hold(now.after_ms(kLookMs), "no enabled instance of that plugin takes events");
    return false;
  }
  const ReadyProfile* const profile = find_profile(*instance, now);
  if (profile == nullptr) return false;
  const bool is_idle = services.parts.intake->used_bytes() == 0;
  Round round(*this, *instance, *profile);
  Sent sent{
      .session = session_, .data_id = instance->data_id, .number = 0, .bytes = 0, .records = 0, .at = now, .marks = {}};
  while (sent.bytes < used_bytes() && !round.is_full()) {
    const std::size_t body_bytes = load<std::uint32_t>(waiting_.data() + sent.bytes);
    const auto record = channel::read_record(Bytes(waiting_).subspan(sent.bytes + kLengthBytes, body_bytes));
    const std::uint64_t refusals = services.parts.intake->refusals();
    if (!record.ok()) return false;  // take() has read it
    try {
      round.add(*record);
    } catch (const std::bad_alloc&) {
      if (sent.records != 0) break;
      if (!is_idle || services.parts.intake->refusals() == refusals) throw;
      round.give_up(*record);
    }
    sent.bytes += kLengthBytes + body_bytes;
    sent.number = record->number;
    ++sent.records;
  }
  // What is refused is on its way to flash before the position behind it is.
  if (round.has_refused() && !post_rejects(parts_.rejects, daemon, true)) return false;
  sent.marks = round.push().marks;
  if (round.push().batch.items.empty() && sent.marks.empty()) {
    settle(sent);
    return true;
  }
  round.input().reply = {++ticket_, settings_.reply_shape, round.push().batch.request_id};
  if (!daemon.post(std::move(round.input()))) return false;
  sent_ = std::move(sent);
  obstacle_.clear();
  return true;
}

void RecordIntake::settle(const Sent& sent) noexcept {
  for (std::size_t at = 0; at < sent.bytes;) {
    const std::size_t body_bytes = load<std::uint32_t>(waiting_.data() + at);
    held_bytes_ -= channel::kFrameHeadBytes + body_bytes;
    at += kLengthBytes + body_bytes;
    parts_.rejects.count(sent.data_id);
  }
  counts_.settled += sent.records;
  settled_number_ = sent.number;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent.bytes));
  if (used_bytes() == 0) std::vector<std::byte>().swap(waiting_);
}

void RecordIntake::on_answer(const core::Answer& answer) noexcept {
  if (!sent_ || answer.reply.ticket != ticket_) return;
  const Sent sent = std::move(*sent_);
  sent_.reset();
  const Monotonic now = parts_.services.parts.daemon.now().mono;
  if (sent.session != session_) return;  // the next session asks the store
  if (!answer.refused) {
    for (const core::SourceMark& mark : sent.marks) {
      if (Position* const position = find_position(mark.topic, mark.partition); position != nullptr)
        position->next_offset = mark.next_offset;
    }
    settle(sent);
    return;
  }
  if (*answer.refused == Errc::conflict) {
    must_restart_ = true;
    return hold(now.after_ms(kRetryMs), "the store was read up to another place");
  }
  hold(now.after_ms(kRetryMs), answer.data.c_str());
}

std::optional<Monotonic> RecordIntake::on_time(Monotonic now) noexcept {
  pump(now);
  if (sent_) return sent_->at.after_ms(kAnswerMs);
  if (used_bytes() == 0 || waits_for_profile_) return std::nullopt;
  return std::max(not_before_, now);
}

std::optional<channel::Settle> RecordIntake::take_settled() noexcept {
  if (session_ == 0 || told_number_ == settled_number_) return std::nullopt;
  told_number_ = settled_number_;
  return channel::Settle{session_, settled_number_};
}

}  // namespace tocsin::api
