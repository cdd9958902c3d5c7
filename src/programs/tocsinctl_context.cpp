// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsinctl_context.hpp"

#include <cerrno>
#include <fstream>
#include <ostream>
#include <utility>

#include "src/programs/tocsinctl_table.hpp"

namespace tocsin::ctl {
namespace {

constexpr std::size_t kAnswerBytesMax = 16 * MiB;
constexpr std::size_t kAnswerElementsMax = 4'000'000;
constexpr int kFlattenDepthMax = 6;

void flatten(const std::string& name, const Value& value, int depth,
             std::vector<std::pair<std::string, std::string>>& out) {
  const auto below = [&](std::string_view part) {
    return name.empty() ? std::string(part) : name + "." + std::string(part);
  };
  if (value.kind() == json::Kind::object && depth < kFlattenDepthMax) {
    for (const auto& [part, member] : value.members()) flatten(below(part), member, depth + 1, out);
    return;
  }
  const auto entries = value.elements();
  const bool of_objects = !entries.empty() && entries.front().kind() == json::Kind::object;
  if (of_objects && depth < kFlattenDepthMax) {
    int index = 0;
    for (const Value& entry : entries) {
      ++index;
      flatten(below(entry.member("name").text().value_or(std::to_string(index))), entry, depth + 1, out);
    }
    return;
  }
  out.emplace_back(name, value.shown());
}

Value at(const Value& entry, std::string_view path) {
  const std::size_t dot = path.find('.');
  const Value part = entry.member(path.substr(0, dot));
  return dot == std::string_view::npos ? part : at(part, path.substr(dot + 1));
}

}  // namespace

std::optional<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Context::Context(std::istream& in_stream, std::ostream& out_stream, std::ostream& err_stream, std::string socket)
    : in(in_stream),
      out(out_stream),
      err(err_stream),
      socket_(std::move(socket)),
      client_({.unix_socket = socket_, .response_bytes_max = kAnswerBytesMax}),
      parser_({.bytes_max = kAnswerBytesMax, .elements_max = kAnswerElementsMax}) {}

int Context::fail(std::string_view why) {
  err << "tocsinctl: " << plain_line(why) << "\n";
  return kFailed;
}

int Context::fail_to_reach(const Error& why) {
  const std::string hint = " (--socket PATH or TOCSIN_SOCKET names another socket)";
  if (why.code == Errc::unavailable) {
    if (why.os_errno == EACCES || why.os_errno == EPERM) {
      return fail("may not use " + socket_ + ": be root, the owner of the daemon, or in group tocsin-admin");
    }
    return fail("no daemon answers on " + socket_ + ": is tocsind running?" + hint);
  }
  return fail("asking the daemon on " + socket_ + ": " + why.context[0]);
}

std::optional<Value> Context::ask(const curl::Request& request) {
  const auto response = client_.request(request);
  if (!response.ok()) {
    fail_to_reach(response.error());
    return std::nullopt;
  }
  const std::string status = std::to_string(response->status);
  if (!answer_.parse(parser_, response->body)) {
    fail("the daemon answered " + status + " with something else than JSON");
    return std::nullopt;
  }
  const Value& root = answer_.root();
  if (response->status >= 200 && response->status < 300 && root.member("result").is_true()) return root.member("data");
  const std::string message = root.member("message").text().value_or("the daemon answered " + status);
  fail(message.empty() ? "the daemon answered " + status : message);
  return std::nullopt;
}

// The host is not used, but HTTP wants one.
std::optional<Value> Context::get(const std::string& path_and_query) {
  curl::Request request;
  request.url = "http://localhost" + path_and_query;
  return ask(request);
}

std::optional<Value> Context::post(const std::string& path, std::string body) {
  curl::Request request;
  request.is_post = true;
  request.url = "http://localhost" + path;
  request.headers = {"Content-Type: application/json"};
  request.body = std::move(body);
  return ask(request);
}

bool Context::daemon_is_there() {
  curl::Request request;
  request.url = "http://localhost/healthz";
  return client_.request(request).ok();
}

std::string cell_of(const Value& entry, const Column& column) {
  if (column.make != nullptr) return column.make(entry);
  for (const std::string_view path : column.members) {
    const Value value = at(entry, path);
    if (value.kind() != json::Kind::null) return value.shown();
  }
  return "-";
}

void print_entries(Context& context, Format format, const std::vector<Value>& entries,
                   const std::vector<Column>& columns) {
  if (format == Format::json) {
    context.out << "[";
    const char* between = "";
    for (const Value& entry : entries) context.out << std::exchange(between, ",\n ") << entry.written();
    context.out << "]\n";
    return;
  }
  std::vector<std::string> titles;
  titles.reserve(columns.size());
  for (const Column& column : columns) titles.emplace_back(column.title);
  std::vector<std::vector<std::string>> rows;
  for (const Value& entry : entries) {
    auto& row = rows.emplace_back();
    for (const Column& column : columns) row.push_back(cell_of(entry, column));
  }
  context.out << table_of(titles, rows);
}

void print_object(Context& context, Format format, const Value& object) {
  if (format == Format::json) {
    context.out << object.written() << "\n";
    return;
  }
  std::vector<std::pair<std::string, std::string>> lines;
  flatten({}, object, 0, lines);
  context.out << list_of(lines);
}

std::optional<std::string> find_instance(Context& context, const std::string& instance) {
  if (to_integer(instance)) return instance;
  const auto data = context.get("/api/v1/plugins");
  if (!data) return std::nullopt;
  std::vector<std::string> found;
  std::string candidates;
  for (const Value& entry : entries_of(*data)) {
    if (entry.member("plugin_id").text() != instance) continue;
    found.push_back(entry.member("data_id").shown());
    candidates.append(candidates.empty() ? "" : ", ").append(found.back());
    if (const auto name = entry.member("name").text(); name && !name->empty())
      candidates.append(" (").append(*name).append(")");
  }
  if (found.size() == 1) return found.front();
  context.fail(found.empty() ? "no instance of a plugin " + instance
                             : instance + " has several instances; name one by its data id: " + candidates);
  return std::nullopt;
}

}  // namespace tocsin::ctl
