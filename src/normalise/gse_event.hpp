// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "src/normalise/gse.hpp"

namespace tocsin::normalise {

/// What all events of one type have.
struct GseType {
  std::int64_t number;
  std::string_view name;
  std::string_view metric;
  std::string_view category;
  /// Dedupe keys: the tags that tell the alerts of one host apart.
  std::array<std::string_view, 3> keys{};
};

/// Where something happened, as records name it.
struct GseHost {
  std::string_view ip;
  std::int32_t cloud_id = 0;
  std::string_view agent_id;  ///< one that is no address
};

/// One event before it is written.
struct GseEvent {
  std::string_view description;
  std::string_view target_type = "HOST";
  std::string_view target;
  int severity = 2;
  std::int32_t bk_biz_id = 0;  ///< 0: not said
  std::optional<std::int64_t> time_s;
  std::string_view server;  ///< who reported it
  json::Value raw_id;       ///< its number there
  std::size_t place = 0;    ///< among texts of one record that may be alike
};

/// Collects the events of one record. Their bytes lie in the arena, or where the views given look.
class GseEvents {
 public:
  explicit GseEvents(const GseMeans& means) : means_(means), made_(&means.scratch), tags_(&means.scratch) {}

  /// A tag of the next event, unless the value is empty or has parts.
  void tag(std::string_view name, const json::Value& value);
  /// The target of a host: "ip|cloud", or its agent where the address is not said.
  void locate(const GseHost& host, GseEvent& event);
  /// False: there are kGseEventsMax already.
  [[nodiscard]] bool add(const GseType& type, const GseEvent& event);
  [[nodiscard]] json::Value list();

  /// The parts as one text.
  [[nodiscard]] std::string_view text(std::initializer_list<std::string_view> parts);

 private:
  [[nodiscard]] json::Value integer(std::int64_t value);
  [[nodiscard]] json::Value keys_of(const GseType& type);
  [[nodiscard]] std::string_view id_of(const GseType& type, const GseEvent& event, const json::Value& tags);

  const GseMeans& means_;
  std::pmr::vector<json::Value> made_;
  std::pmr::vector<json::Member> tags_;
  std::string line_;
};

}  // namespace tocsin::normalise
