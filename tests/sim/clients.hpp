// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/core/core.hpp"
#include "src/ingest/push.hpp"
#include "src/ingest/standard.hpp"
#include "src/json/parser.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/ledger.hpp"

namespace tocsin::test {

/// The people and devices of a world: what they send goes through the same checks as in the daemon.
class Clients {
 public:
  static constexpr std::int32_t kPlain = 10000001;
  static constexpr std::int32_t kAlerting = 10000002;
  static constexpr std::int32_t kChanging = 10000003;  ///< its alert level changes
  static constexpr std::int32_t kSource = 10000004;    ///< of standard events
  static constexpr std::int32_t kGoing = 10000005;     ///< is removed and created again
  static constexpr std::int32_t kCritical = 10000006;  ///< plain, in the critical lane

  /// An input on its way, and the events it carries.
  struct Waiting {
    core::Input input{{}, core::Note{}};
    std::vector<std::uint64_t> tags{};
  };

  Clients(const port::Crypto& crypto, port::Random& random, Ledger& ledger, Dice& dice)
      : crypto_(crypto), random_(random), ledger_(ledger), dice_(dice) {}

  [[nodiscard]] std::vector<Waiting> first_inputs();
  /// One more input of any kind; nullopt: the one that was thought of cannot be sent now.
  [[nodiscard]] std::optional<Waiting> next(const core::View& view, const port::Digest256& secret, Now now,
                                            std::uint64_t items_max);

  /// One record of a broker, an event of kPlain; nullopt: that cannot be made now.
  struct Record {
    std::uint64_t tag = 0;
    std::string item;
  };
  [[nodiscard]] std::optional<Record> record(const core::View& view, Now now);
  /// The batch of these records, however often they were sent before.
  [[nodiscard]] std::optional<Waiting> batch(const core::View& view, Now now, std::span<const Record> records);

 private:
  /// A standard event; one with an id may be sent once more.
  struct Standard {
    std::string name;
    std::size_t status = 0;
    int severity = 3;
    std::int64_t time_s = 0;
    std::string id;
  };
  [[nodiscard]] Waiting change(core::InstanceChange what, std::int32_t data_id, std::uint8_t alert);
  [[nodiscard]] std::optional<Waiting> custom(const core::View& view, std::int32_t data_id, Now now,
                                              std::uint64_t items_max);
  [[nodiscard]] std::optional<Waiting> standard(const core::View& view, const port::Digest256& secret, Now now);
  [[nodiscard]] std::optional<Waiting> push(const core::View& view, const model::Instance& instance, Now now,
                                            std::string items, std::vector<std::uint64_t> tags);
  [[nodiscard]] Waiting ack();
  [[nodiscard]] std::string custom_item(const model::Instance& instance, Now now, std::vector<std::uint64_t>& tags);
  [[nodiscard]] Standard standard_event(Now now);
  [[nodiscard]] core::ReplyTo reply();

  const port::Crypto& crypto_;
  port::Random& random_;
  Ledger& ledger_;
  Dice& dice_;
  json::Parser parser_;
  std::deque<Standard> again_;
  std::uint64_t tickets_ = 0;
};

}  // namespace tocsin::test
