// SPDX-License-Identifier: Apache-2.0
#include "src/audit/chain.hpp"

#include <utility>

#include "src/model/facts.hpp"

namespace tocsin::audit {
namespace {

using model::AuditBlock;
using model::AuditRow;

bool is_old(const Moment& first, const Moment& at) noexcept {
  if (first.now.wall.trusted && at.now.wall.trusted) {
    const std::int64_t age_ms = at.now.wall.unix_ms - first.now.wall.unix_ms;
    if (age_ms >= 0) return age_ms >= kBlockAgeMaxMs;  // a wall clock that was set back says nothing of age
  }
  if (first.boot != at.boot) return true;
  return at.now.mono.ms() - first.now.mono.ms() >= kBlockAgeMaxMs;
}

AuditBlock seal(Head& head, const Moment& moment, const port::Crypto& crypto) {
  AuditBlock block;
  block.index = head.next_block;
  block.epoch = head.epoch;
  block.first_row = head.first_open_row;
  block.rows = head.open_rows;
  block.sealed_ms = moment.now.wall.unix_ms;
  block.rows_head = head.last_hash;
  block.previous = head.last_block_hash;
  block.hash = hash_of(block, crypto);
  ++head.next_block;
  head.last_block_hash = block.hash;
  head.open_rows = 0;
  return block;
}

void add(Head& head, const AuditRow& row) noexcept {
  if (head.open_rows == 0) {
    head.first_open_row = row.index;
    head.opened = {.now = {.mono = {row.mono_ms * 1'000'000}, .wall = {row.wall_ms, row.wall_trusted}},
                   .boot = row.boot};
  }
  ++head.open_rows;
  ++head.next_row;
  head.last_hash = row.hash;
}

/// The code point at text[at] and its length; length 0: no UTF-8 (also overlong forms and surrogates).
std::pair<std::uint32_t, std::size_t> code_point(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + size > text.size()) return {0, 0};
  std::uint32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {0, 0};
    value = value << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[size] || value > 0x10FFFF || is_surrogate) return {0, 0};
  return {value, size};
}

bool is_unwanted(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) ||       // control characters
         c == 0x2028 || c == 0x2029 ||                 // line and paragraph separator
         c == 0x200E || c == 0x200F || c == 0x061C ||  // direction marks
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

port::Digest256 epoch_origin(std::uint32_t epoch) noexcept {
  port::Digest256 out{};
  store(out.data(), epoch);
  return out;
}

Head begin() noexcept {
  Head head;
  head.last_hash = epoch_origin(head.epoch);
  return head;
}

port::Digest256 hash_of(const AuditRow& row, const port::Digest256& previous, const port::Crypto& crypto) {
  std::string hashed(as_text(previous));
  encode_hashed(row, hashed);
  return crypto.sha256(as_bytes(hashed));
}

port::Digest256 hash_of(const AuditBlock& block, const port::Crypto& crypto) {
  std::string hashed;
  encode_hashed(block, hashed);
  return crypto.sha256(as_bytes(hashed));
}

Appended append(Head& head, const Entry& entry, const Moment& moment, const port::Crypto& crypto) {
  Appended out;
  AuditRow& row = out.row;
  row.action = entry.action;
  row.boot = moment.boot;
  row.wall_ms = moment.now.wall.unix_ms;
  row.mono_ms = moment.now.mono.ms();
  row.wall_trusted = moment.now.wall.trusted;
  row.actor = clean_text(entry.actor);
  row.object = clean_text(entry.object);
  row.detail = clean_text(entry.detail);
  Head next = head;  // bad_alloc anywhere leaves the caller's head as it was
  out.sealed = seal_if_due(next, moment, crypto);
  row.index = next.next_row;
  row.hash = hash_of(row, next.last_hash, crypto);
  add(next, row);
  if (!out.sealed) out.sealed = seal_if_due(next, moment, crypto);
  head = next;
  return out;
}

std::optional<AuditBlock> seal_if_due(Head& head, const Moment& moment, const port::Crypto& crypto) {
  if (head.open_rows == 0) return std::nullopt;
  if (head.open_rows < model::kAuditRowsPerBlock && !is_old(head.opened, moment)) return std::nullopt;
  return seal(head, moment, crypto);
}

std::optional<AuditBlock> begin_epoch(Head& head, const Moment& moment, const port::Crypto& crypto) {
  std::optional<AuditBlock> sealed;
  if (head.open_rows > 0) sealed = seal(head, moment, crypto);
  ++head.epoch;
  head.last_hash = epoch_origin(head.epoch);
  head.last_block_hash = {};
  return sealed;
}

AuditBlock seal_open(Head& head, const Moment& moment, const port::Crypto& crypto) {
  return seal(head, moment, crypto);
}

Head head_after(const AuditBlock& block) noexcept {
  Head head;
  head.next_row = block.first_row + block.rows;
  head.last_hash = block.rows_head;
  head.next_block = block.index + 1;
  head.last_block_hash = block.hash;
  head.epoch = block.epoch;
  return head;
}

Status resume(Head& head, const AuditRow& row, const port::Crypto& crypto) {
  if (row.index != head.next_row || head.open_rows >= model::kAuditRowsPerBlock) {
    return error(Errc::storage_corrupt, "audit rows are not in sequence");
  }
  if (row.hash != hash_of(row, head.last_hash, crypto)) {
    const bool begins_epoch = head.open_rows == 0 && row.action == model::AuditAction::store_salvaged &&
                              row.hash == hash_of(row, epoch_origin(head.epoch + 1), crypto);
    if (!begins_epoch) return error(Errc::storage_corrupt, "the audit chain is broken");
    ++head.epoch;
    head.last_block_hash = {};
  }
  add(head, row);
  return {};
}

std::string clean_text(std::string_view text, std::size_t bytes_max) {
  std::string out;
  out.reserve(text.size() < bytes_max ? text.size() : bytes_max);
  for (std::size_t at = 0; at < text.size();) {
    const auto [value, size] = code_point(text, at);
    const std::string_view piece = size == 0 ? std::string_view("?") : text.substr(at, size);
    if (size == 0 || !is_unwanted(value)) {
      if (out.size() + piece.size() > bytes_max) break;
      out += piece;
    }
    at += size == 0 ? 1 : size;
  }
  return out;
}

}  // namespace tocsin::audit
