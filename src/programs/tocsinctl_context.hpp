// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/curl/client.hpp"
#include "src/json/parser.hpp"
#include "src/json/writer.hpp"
#include "src/programs/tocsinctl_answer.hpp"
#include "src/programs/tocsinctl_args.hpp"

namespace tocsin::ctl {

inline constexpr const char* kDefaultSocket = "/run/tocsin/control.sock";
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

/// The file, up to one byte more than `bytes_max`, so that whoever reads it sees that it is too long. nullopt: it
/// cannot be read.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// What a command works with: the streams and the daemon.
class Context {
 public:
  Context(std::istream& in, std::ostream& out, std::ostream& err, std::string socket);

  /// Asks the operator API. nullopt: refused or failed, and said so on err; else `data` of the answer, which lives
  /// until the next call.
  [[nodiscard]] std::optional<Value> get(const std::string& path_and_query);
  [[nodiscard]] std::optional<Value> post(const std::string& path, std::string body);
  /// Whether anybody listens on the control socket; says nothing.
  [[nodiscard]] bool daemon_is_there();

  /// One line on err: "tocsinctl: …". Returns kFailed.
  int fail(std::string_view why);
  [[nodiscard]] json::Parser& parser() noexcept { return parser_; }
  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }

  std::istream& in;
  std::ostream& out;
  std::ostream& err;

 private:
  std::optional<Value> ask(const curl::Request& request);
  int fail_to_reach(const Error& why);

  std::string socket_;
  curl::Client client_;
  json::Parser parser_;
  Document answer_;
};

/// A column of a list: its title and the members to look for, in order; a dot leads into an object.
struct Column {
  std::string_view title;
  std::vector<std::string_view> members;
  std::string (*make)(const Value& entry) = nullptr;  ///< where no member says it; null: the members do
};
[[nodiscard]] std::string cell_of(const Value& entry, const Column& column);

/// As one JSON array, or as a table.
void print_entries(Context& context, Format format, const std::vector<Value>& entries,
                   const std::vector<Column>& columns);
/// As it is, or as lines "name  value" with the names of nested members joined by dots.
void print_object(Context& context, Format format, const Value& object);

/// A body being written: {"name": value, …}.
class Body {
 public:
  Body() : writer_(text_) { writer_.object(); }
  json::Writer& name(std::string_view member) { return writer_.name(member); }
  [[nodiscard]] std::string take() {
    writer_.end_object();
    return std::move(text_);
  }

 private:
  std::string text_;
  json::Writer writer_;
};

/// "?a=b&c=d", grown member by member; empty without any.
class Query {
 public:
  void add(std::string_view name, std::string_view value) {
    text_.append(text_.empty() ? "?" : "&").append(name).append("=").append(percent_encoded(value));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// The data id that INSTANCE names. nullopt: none or several, and said so on err.
[[nodiscard]] std::optional<std::string> find_instance(Context& context, const std::string& instance);

}  // namespace tocsin::ctl
