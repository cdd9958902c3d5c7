// SPDX-License-Identifier: Apache-2.0
// One request's way through the server: what each call of the library means in each phase.
#include <algorithm>
#include <cstring>
#include <utility>

#include "platform/microhttpd/listener.hpp"
#include "platform/microhttpd/server.hpp"

namespace tocsin::microhttpd {

namespace {

void uncount(Slot& slot) noexcept {
  if (std::exchange(slot.counted, false)) --slot.listener->unanswered;
}

bool has_body(const Slot& slot) noexcept { return slot.framing.chunked || slot.framing.content_bytes != 0; }

/// Before the library goes on with a connection of TLS. False: no memory.
bool accept_tls(Slot& slot) noexcept {
  const auto* session = MHD_get_connection_info(slot.connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (session == nullptr) return false;
  slot.tls = slot.listener->tls->accept(session->tls_session, slot.fd);
  return slot.tls != nullptr;
}

}  // namespace

void HttpServer::enter(Slot& slot, Phase phase, std::int64_t deadline_ms) noexcept {
  slot.phase = phase;
  slot.since = now_;
  slot.deadline = now_.after_ms(deadline_ms);
  slot.looked_for_end = false;
  sweep_due_ = std::min(sweep_due_, due(slot));
}

void HttpServer::on_connected(ListenerState& listener, MHD_Connection& connection, void** socket_context) noexcept {
  listener.progressed = true;
  *socket_context = nullptr;
  if (free_slots_.empty()) return;  // unreachable: as many slots as the library takes connections
  Slot& slot = *slots_[free_slots_.back()];
  free_slots_.pop_back();
  slot.connection = &connection;
  slot.listener = &listener;
  const auto* fd = MHD_get_connection_info(&connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const auto* address = MHD_get_connection_info(&connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  slot.fd = fd == nullptr ? -1 : fd->connect_fd;
  slot.peer = peer_of(slot.fd, address == nullptr ? nullptr : address->client_addr, listener.credentials, now_);
  slot.peer_group = groups_.enter(slot.peer.key);
  slot.shut = false;
  ++listener.connections;
  *socket_context = &slot;
  enter(slot, Phase::fresh, limits_.head_ms);
  if (listener.tls != nullptr) {
    ++listener.handshakes;
    if (!accept_tls(slot)) return shut(slot);
  }
  if (listener.connections > listener.connections_max + listener.reconnecting_max) make_place(listener);
}

void HttpServer::on_closed(Slot& slot) noexcept {
  slot.listener->progressed = true;
  if (!slot.shut) --slot.listener->connections;
  groups_.leave(slot.peer_group);
  if (slot.listener->tls != nullptr && slot.phase == Phase::fresh) --slot.listener->handshakes;
  slot.tls.reset();
  slot.certificate.reset();
  slot.connection = nullptr;
  slot.fd = -1;
  slot.phase = Phase::free;
  free_slots_.push_back(slot.index);
}

void HttpServer::on_target(Slot& slot, const char* target) noexcept {
  slot.listener->progressed = true;
  if (slot.tls != nullptr) {
    slot.tls->progressed();
    if (slot.phase == Phase::fresh) {
      --slot.listener->handshakes;
      slot.certificate = slot.tls->client_certificate();
    }
  }
  slot.target = target == nullptr ? std::string_view{} : std::string_view{target};
  slot.path = slot.target.substr(0, slot.target.find('?'));
  slot.target_fault = check_target(slot.target);
  slot.received = 0;
  slot.close = false;
  enter(slot, Phase::head, limits_.head_ms);
}

MHD_Result HttpServer::on_call(Slot& slot, const char* method, const char* version, const char* data,
                               std::size_t& size) noexcept {
  if (size != 0) {
    slot.listener->progressed = true;
    if (slot.tls != nullptr) slot.tls->progressed();
    const std::size_t bytes = std::exchange(size, 0);
    return on_body(slot, {reinterpret_cast<const std::byte*>(data), bytes});
  }
  if (slot.phase == Phase::head) return on_head(slot, method, version);
  if (std::exchange(slot.first_again, false)) {
    if (slot.phase != Phase::ready) return MHD_YES;
    return refuse(slot, std::move(slot.answer));
  }
  return on_end(slot);
}

MHD_Result HttpServer::on_head(Slot& slot, const char* method, const char* version) noexcept {
  slot.listener->progressed = true;
  ++counters_.requests;
  slot.framing = check_framing(*slot.connection, method, slot.target, version);
  if (slot.target_fault != nullptr) slot.framing.fault = slot.target_fault;
  if (slot.framing.fault != nullptr) {
    ++counters_.refused_framing;
    slot.answer = refusal(slot, 400, slot.framing.fault);
    slot.close = true;
    return queue(slot);  // where the body ends is exactly what is unclear: nothing more is read
  }
  // Between chunks the library takes a line feed alone for the end of a line, and any line for a trailer: another
  // reader may see the body end elsewhere. So nothing that follows a chunked body is read.
  slot.close = slot.framing.chunked;
  slot.body_bytes_max = 0;
  if (auto refused = parts_.handler.on_head(RequestView{slot, slot.listener->kind}, slot.body_bytes_max)) {
    ++counters_.refused_by_handler;
    return refuse(slot, std::move(*refused));
  }
  if (slot.framing.content_bytes > slot.body_bytes_max || (slot.framing.chunked && slot.body_bytes_max == 0)) {
    ++counters_.refused_too_large;
    return refuse(slot, refusal(slot, 413, "the body is too large"));
  }
  if (!take_room(slot)) {
    wait_for_room(slot);
    return MHD_YES;
  }
  const std::uint64_t slowest_ms = slot.framing.content_bytes * 1'000 / limits_.body_rate_bytes_per_s;
  enter(slot, Phase::body, limits_.body_base_ms + static_cast<std::int64_t>(slowest_ms));
  return MHD_YES;
}

MHD_Result HttpServer::on_body(Slot& slot, std::span<const std::byte> part) noexcept {
  if (slot.phase == Phase::discard) {
    slot.received += part.size();
    return slot.received <= limits_.discarded_bytes_max ? MHD_YES : MHD_NO;
  }
  if (slot.phase != Phase::body) return MHD_YES;  // the whole body was handed over: a chunked one's trailing call
  const bool whole = slot.received == 0 && part.size() == slot.framing.content_bytes;
  slot.received += part.size();
  if (whole && slot.body.empty()) {
    std::memcpy(scratch_.get(), part.data(), part.size());
    std::memset(scratch_.get() + part.size(), 0, Body::kPadding);
    hand_over(slot, {scratch_.get(), part.size()});
    return MHD_YES;
  }
  if (!keep(slot, part)) return MHD_YES;  // refused; the rest is dropped
  if (!slot.framing.chunked && slot.received == slot.framing.content_bytes) hand_over_when_room(slot);
  return MHD_YES;
}

/// Adds to the request's own buffer. False: refused, the phase is discard now.
bool HttpServer::keep(Slot& slot, std::span<const std::byte> part) noexcept {
  const std::size_t needed = slot.body.size() + part.size();
  std::uint16_t status = 0;
  if (needed > slot.body_bytes_max) {
    status = 413;
  } else if (slot.body.empty()) {
    const auto bytes = static_cast<std::size_t>(slot.framing.content_bytes);  // only small ones come without room
    if (!slot.body.reserve(parts_.small_bodies, bytes) && !slot.body.reserve(parts_.body_pool, bytes)) status = 503;
  } else if (needed > slot.body.capacity()) {
    if (!slot.body.grow(std::min(std::max(slot.body.capacity() * 2, needed), slot.body_bytes_max))) status = 503;
  }
  if (status == 0) {
    slot.body.append(part);
    return true;
  }
  drop_body(slot);
  ++(status == 413 ? counters_.refused_too_large : counters_.refused_no_room);
  slot.answer = refusal(slot, status, status == 413 ? "the body is too large" : "no memory for the body now");
  if (status == 503) slot.answer.retry_after_s = 1;
  slot.close = true;
  slot.phase = Phase::discard;  // since and deadline stay: refusing must not buy time
  return false;
}

void HttpServer::hand_over(Slot& slot, std::span<std::byte> body) noexcept {
  if (++slot.generation == 0) slot.generation = 1;
  enter(slot, Phase::answer, limits_.answer_ms);
  slot.counted = true;
  ++slot.listener->unanswered;
  auto answer = parts_.handler.on_request(RequestView{slot, slot.listener->kind},
                                          port::Ticket{slot.index, slot.generation}, body);
  drop_body(slot);
  if (!answer) return;
  slot.answer = std::move(*answer);
  slot.phase = Phase::ready;
}

/// Half as much again as the body covers what the handler makes of it; small bodies never wait. What can never have
/// that much room goes when the intake is empty, and the handler says what it is worth.
bool HttpServer::intake_has_room(const Slot& slot) const noexcept {
  if (parts_.intake == nullptr || slot.body.size() <= limits_.small_body_bytes_max) return true;
  const std::size_t used = parts_.intake->used_bytes();
  const std::size_t limit =
      parts_.intake->limit_bytes() - std::min(limits_.intake_reserve_bytes, parts_.intake->limit_bytes());
  return used == 0 || used + slot.body.size() + slot.body.size() / 2 <= limit;
}

void HttpServer::hand_over_when_room(Slot& slot) noexcept {
  if (parse_line_.empty() && intake_has_room(slot)) {
    hand_over(slot, slot.body.content());
    return;
  }
  enter(slot, Phase::parse, limits_.room_ms);
  slot.counted = true;
  ++slot.listener->unanswered;
  parse_line_.push_back(slot.index);  // room for every slot was taken at open()
}

void HttpServer::hand_over_waiting() noexcept {
  std::size_t done = 0;
  for (; done < parse_line_.size(); ++done) {
    Slot& slot = *slots_[parse_line_[done]];
    if (slot.phase != Phase::parse) continue;  // gone meanwhile
    if (!intake_has_room(slot)) break;
    uncount(slot);
    hand_over(slot, slot.body.content());
    slot.listener->dirty = true;
  }
  parse_line_.erase(parse_line_.begin(), parse_line_.begin() + static_cast<std::ptrdiff_t>(done));
}

MHD_Result HttpServer::on_end(Slot& slot) noexcept {
  if (slot.phase == Phase::body) {
    if (slot.body.empty()) {
      std::memset(scratch_.get(), 0, Body::kPadding);
      hand_over(slot, {scratch_.get(), 0});
    } else {
      hand_over_when_room(slot);
    }
  }
  if (slot.phase == Phase::ready || slot.phase == Phase::discard) return queue(slot);
  return MHD_YES;
}

/// Refuses in the first call. A body of bearable size is read and dropped first: closing with unread bytes resets the
/// connection, and the client would see that instead of the answer. A client that asked before sending gets its
/// answer at once.
MHD_Result HttpServer::refuse(Slot& slot, port::HttpResponse response) noexcept {
  slot.answer = std::move(response);
  slot.close = true;
  if (!has_body(slot) || slot.framing.expects_continue || slot.framing.content_bytes > limits_.discarded_bytes_max)
    return queue(slot);
  const std::uint64_t slowest_ms = slot.framing.content_bytes * 1'000 / limits_.body_rate_bytes_per_s;
  enter(slot, Phase::discard, limits_.body_base_ms + static_cast<std::int64_t>(slowest_ms));
  return MHD_YES;
}

port::HttpResponse HttpServer::refusal(const Slot& slot, std::uint16_t status, std::string_view why) noexcept {
  return parts_.handler.refusal(RequestView{slot, slot.listener->kind}, status, why);
}

MHD_Result HttpServer::queue(Slot& slot) noexcept {
  uncount(slot);
  const std::size_t bytes = slot.answer.body.size() + slot.answer.static_body.size();
  const auto made = responses_.make(slot.answer, slot.listener->is_admin(), slot.close || stopping_);
  if (made.response == nullptr) return MHD_NO;
  const MHD_Result queued = MHD_queue_response(slot.connection, slot.answer.status, made.response);
  if (made.shared == nullptr) MHD_destroy_response(made.response);  // the library keeps its own reference
  slot.shared = made.shared;
  slot.answer = {};
  slot.listener->queued = true;
  slot.listener->progressed = true;
  ++counters_.answers;
  const std::size_t slowest_ms = bytes * 1'000 / limits_.body_rate_bytes_per_s;
  enter(slot, Phase::sending, limits_.body_base_ms + static_cast<std::int64_t>(slowest_ms));
  return queued;
}

void HttpServer::on_completed(Slot& slot) noexcept {
  slot.listener->progressed = true;
  uncount(slot);
  if (slot.phase == Phase::room) leave_line(slot);
  if (slot.phase == Phase::parse) std::erase(parse_line_, slot.index);
  drop_body(slot);
  if (slot.shared != nullptr) ResponseMaker::give_back(*std::exchange(slot.shared, nullptr));
  if (slot.phase != Phase::sending) slot.answer = {};
  slot.first_again = false;
  slot.target = slot.path = {};
  enter(slot, Phase::idle, limits_.idle_ms);
  if (stopping_) shut(slot);
}

}  // namespace tocsin::microhttpd
