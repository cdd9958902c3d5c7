// SPDX-License-Identifier: Apache-2.0
#include "src/api/resources.hpp"
#include "src/audit/text.hpp"
#include "src/audit/verify.hpp"
#include "src/json/writer.hpp"
#include "src/model/seal.hpp"

namespace tocsin::api {
namespace {

constexpr int kRowsPerSlice = 256;
constexpr std::uint32_t kVerifiedPerSlice = 512;

/// The newest rows, newest first.
class RowsJob final : public core::Job {
 public:
  RowsJob(const Services& services, const Call& call, std::uint64_t limit, std::uint64_t before_index)
      : services_(services), call_(call), limit_(limit), before_(before_index) {}

  Result<bool> step(port::ReadTxn& txn) override {
    for (int n = 0; n < kRowsPerSlice; ++n) {
      if (count_ >= limit_) return true;
      auto entry = txn.before(model::Key(model::Table::audit_row).u64(before_));
      if (!entry.ok()) return entry.error();
      if (!*entry || !model::is_in((*entry)->key, model::Table::audit_row)) {
        is_end_ = true;
        return true;
      }
      before_ = load_be64((*entry)->key.data() + 1);
      const auto payload = model::unseal((*entry)->key, (*entry)->value);
      const auto row = payload.ok() ? model::decode_audit_row(*payload) : Result<model::AuditRow>(payload.error());
      if (!row.ok()) {
        ++damaged_;
        continue;
      }
      if (count_++ > 0) items_.push_back(',');
      audit::append_json(*row, items_);
    }
    return false;
  }

  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      std::string data = R"({"items":[)" + items_ + R"(],"damaged":)" + std::to_string(damaged_) + R"(,"cursor":)";
      data += is_end_ ? std::string("null") : '"' + std::to_string(before_) + '"';
      data += '}';
      return data;
    });
  }

 private:
  const Services& services_;
  Call call_;
  std::uint64_t limit_;
  std::uint64_t before_;
  std::string items_;
  std::uint64_t count_ = 0;
  std::uint64_t damaged_ = 0;
  bool is_end_ = false;
};

class VerifyJob final : public core::Job {
 public:
  VerifyJob(const Services& services, const Call& call)
      : services_(services), call_(call), verifier_(services.parts.crypto, audit::begin(), std::nullopt) {}

  Result<bool> step(port::ReadTxn& txn) override { return audit::verify_slice(verifier_, txn, kVerifiedPerSlice); }

  void finish(const Status& outcome) noexcept override {
    answer_guarded(services_, call_, outcome, [&] {
      // The log grows while it is read slice by slice.
      const audit::Report report = verifier_.finish(audit::Tail::may_have_grown);
      std::string data;
      json::Writer w(data);
      w.object().name("intact").boolean(report.ok()).member("fault", audit::to_text(report.fault));
      w.name("fault_row").number(report.fault_row).name("fault_block").number(report.fault_block);
      w.name("first_row")
          .number(report.first_row)
          .name("rows")
          .number(report.rows)
          .name("blocks")
          .number(report.blocks);
      w.name("open_rows").number(report.open_rows).name("epochs_begun").number(report.epochs_begun);
      w.name("end").object().name("row").number(report.end.row).member("hash", to_hex(report.end.hash));
      w.name("block").number(report.end.block).member("block_hash", to_hex(report.end.block_hash)).end_object();
      w.member("text", audit::to_text(report)).end_object();
      return data;
    });
  }

 private:
  const Services& services_;
  Call call_;
  audit::Verifier verifier_;
};

}  // namespace

Reply get_audit(const Services& services, Call& call) {
  const auto limit = query_number(call, "limit", kPageEntriesDefault, 1, kPageEntriesMax);
  if (!limit) return call.fail(400, "limit: must be a whole number from 1 to 500");
  const auto cursor = query_number(call, "cursor", ~0ULL, 1, ~0ULL);
  if (!cursor) return call.fail(400, "cursor: must be one that an earlier answer gave");
  return post_job(services, call, std::make_unique<RowsJob>(services, call, *limit, *cursor));
}

Reply get_audit_verify(const Services& services, Call& call) {
  return post_job(services, call, std::make_unique<VerifyJob>(services, call));
}

}  // namespace tocsin::api
