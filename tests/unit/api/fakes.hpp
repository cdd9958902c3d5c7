// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/gnutls/crypto.hpp"
#include "platform/sim/inflate.hpp"
#include "platform/sim/store.hpp"
#include "src/api/api.hpp"
#include "src/base/budget.hpp"

namespace tocsin::api {

/// Counts upward: every fill differs, every run is the same.
class CountingRandom final : public port::Random {
 public:
  void fill(std::span<std::byte> out) noexcept override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(next_++);
  }

 private:
  std::uint32_t next_ = 1;
};

class FakeRequest final : public port::HttpRequest {
 public:
  FakeRequest(port::Listener listener, port::Method method, std::string path)
      : listener_(listener), method_(method), path_(std::move(path)) {}
  FakeRequest& with(std::string name, std::string value) {
    headers_[std::move(name)] = std::move(value);
    return *this;
  }
  FakeRequest& ask(std::string name, std::string value) {
    query_.push_back({std::move(name), std::move(value)});
    return *this;
  }
  FakeRequest& from(std::string peer, bool is_loopback) {
    peer_ = std::move(peer);
    is_loopback_ = is_loopback;
    return *this;
  }
  FakeRequest& showing(const port::Digest256& certificate) {
    certificate_ = certificate;
    return *this;
  }
  FakeRequest& as_admin(bool is_admin) {
    is_admin_ = is_admin;
    return *this;
  }
  port::Listener listener() const noexcept override { return listener_; }
  port::Method method() const noexcept override { return method_; }
  std::string_view path() const noexcept override { return path_; }
  std::optional<std::string> query(std::string_view name) const override {
    const auto at = std::ranges::find(query_, name, &port::HttpMember::name);
    return at == query_.end() ? std::nullopt : std::optional(at->value);
  }
  std::string_view header(std::string_view name) const noexcept override {
    const auto at = headers_.find(std::string(name));
    return at == headers_.end() ? std::string_view{} : at->second;
  }
  std::vector<port::HttpMember> headers(std::size_t) const override { return all(headers_); }
  std::vector<port::HttpMember> query_members(std::size_t max) const override {
    return {query_.begin(), query_.begin() + static_cast<std::ptrdiff_t>(std::min(max, query_.size()))};
  }
  std::string_view peer() const noexcept override { return peer_; }
  bool peer_is_loopback() const noexcept override { return is_loopback_; }
  bool peer_is_admin() const noexcept override { return is_admin_; }
  std::uint32_t peer_uid() const noexcept override { return 1000; }
  const port::Digest256* peer_certificate() const noexcept override { return certificate_ ? &*certificate_ : nullptr; }

 private:
  static std::vector<port::HttpMember> all(const std::map<std::string, std::string>& from) {
    std::vector<port::HttpMember> out;
    for (const auto& [name, value] : from) out.push_back({name, value});
    return out;
  }
  port::Listener listener_;
  port::Method method_;
  std::string path_;
  std::string peer_ = "10.0.0.7";
  std::optional<port::Digest256> certificate_;
  bool is_loopback_ = false;
  bool is_admin_ = false;
  std::map<std::string, std::string> headers_;
  std::vector<port::HttpMember> query_;
};

/// Keeps what it is given; jobs run when the test says so.
class FakeDaemon final : public Daemon {
 public:
  Now now() const noexcept override { return time; }
  bool post(core::Input&& input) noexcept override {
    if (is_full) return false;
    inputs.push_back(std::move(input));
    return true;
  }
  bool post(std::unique_ptr<core::Job> job) noexcept override {
    if (is_full) return false;
    jobs.push_back(std::move(job));
    return true;
  }
  const core::View& view() const noexcept override { return view_; }
  core::Gauges gauges() const noexcept override { return gauge_values; }
  core::ProcessStatus process_status() const override { return process; }
  bool is_ready(const char*& why) const noexcept override {
    why = "the store does not serve";
    return is_ready_now;
  }
  std::string config_json() const override { return R"([{"key":"appliance.name","value":"edge-01","layer":"file"}])"; }

  void run_jobs() {
    auto waiting = std::move(jobs);
    jobs.clear();
    for (auto& job : waiting) {
      Status outcome;
      for (;;) {
        auto txn = store.begin_read();
        ASSERT_TRUE(txn.ok());
        const auto step = job->step(**txn);
        if (!step.ok()) outcome = step.error();
        if (!step.ok() || *step) break;
        ++slices;
        time.mono = time.mono.after_ms(slice_ms);
      }
      job->finish(outcome);
    }
  }
  void set(registry::Registry::Pointer registry) { view_.registry = std::move(registry); }
  void set(core::RejectAlarms alarms) {
    view_.reject_alarms = std::make_shared<const core::RejectAlarms>(std::move(alarms));
  }

  Now time{{1'000'000'000'000}, {1'700'000'000'000, true}};
  bool is_full = false;
  bool is_ready_now = true;
  std::vector<core::Input> inputs;
  std::vector<std::unique_ptr<core::Job>> jobs;
  int slices = 0;             ///< but the last of each job
  std::int64_t slice_ms = 0;  ///< how long one takes
  core::Gauges gauge_values;
  core::ProcessStatus process;
  sim::SimStore store;

 private:
  core::View view_;
};

class FakeAnswers final : public port::HttpAnswers {
 public:
  void answer(port::Ticket ticket, port::HttpResponse response) noexcept override {
    given[ticket.slot] = std::move(response);
  }
  std::map<std::uint32_t, port::HttpResponse> given;
};

/// Whatever "request_id" holds, in the place of it.
[[nodiscard]] std::string without_id(std::string body);
[[nodiscard]] std::string basic(std::string_view user, std::string_view password);
[[nodiscard]] std::string_view body_of(const port::HttpResponse& response);

inline constexpr std::uint32_t kTestIterations = 4;
inline constexpr std::int64_t kTotalRate = 200;  ///< requests a second of all instances

/// An api with a registry of everything: one user and one token for each role, and some instances.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest();
  /// A request with its body, as the listener makes it: head first. Jobs are not run.
  Reply send(FakeRequest request, std::string body = {});
  /// The same, and the answer that comes later when one does not come at once: jobs are run.
  port::HttpResponse call(FakeRequest request, std::string body = {});
  port::HttpResponse get(std::string path, std::map<std::string, std::string> query = {});
  port::HttpResponse post(std::string path, std::string body);
  /// The last input, which must be of that kind.
  template <class T>
  T& last() {
    return std::get<T>(daemon.inputs.back().what);
  }
  model::Instance instance(std::int32_t data_id, std::string plugin, std::string token);
  void add(const model::Instance& one) { daemon.set(daemon.view().registry->with(one)); }

  gnutls::Crypto crypto;
  CountingRandom random;
  Budget profiles{"profiles", 68 * KiB};
  Budget intake{"intake", 1 * MiB};  // before the daemon: batches that it keeps live in it
  Budget body_pool{"body_pool", 96 * KiB};
  Budget rejects{"rejects", 60 * KiB};
  sim::StoredInflater inflater;
  FakeDaemon daemon;
  FakeAnswers answers;
  port::Digest256 secret{};
  std::unique_ptr<Api> api;
  std::uint32_t next_slot = 0;
};

}  // namespace tocsin::api
