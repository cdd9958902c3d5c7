// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <ostream>

#include "src/programs/tocsinctl_commands.hpp"
#include "src/programs/tocsinctl_context.hpp"

namespace tocsin::ctl {
namespace {

using namespace std::string_view_literals;

constexpr std::array kRoles = {"viewer"sv, "operator"sv, "admin"sv};
constexpr Option kRole{"--role", Takes::word, "", "what it may do", kRoles, false, true};
constexpr std::array kUserOptions = {
    kRole, Option{"--biz", Takes::integer, "N", "not supported yet: users see every business", {}, true}};
constexpr std::array kTokenOptions = {
    kRole, Option{"--expires", Takes::text, "TIME", "when it ends, RFC 3339 or epoch milliseconds (default: never)"}};

int list(Context& context, const Args& args, const std::string& path, const std::vector<Column>& columns) {
  const auto data = context.get(path);
  if (!data) return kFailed;
  print_entries(context, args.format, entries_of(*data), columns);
  return kDone;
}

int post(Context& context, const Args& args, const std::string& path, std::string body) {
  const auto data = context.post(path, std::move(body));
  if (!data) return kFailed;
  print_object(context, args.format, *data);
  return kDone;
}

std::string path_of(std::string_view resource, const Args& args, std::string_view action) {
  return std::string(resource) + "/" + percent_encoded(args.arguments[0]) + "/" + std::string(action);
}

int add_user(Context& context, const Args& args) {
  // A user who sees more than was asked for would be worse than none.
  if (args.has("--biz")) return context.fail("--biz is not supported yet: users see every business; nobody was added");
  Body body;
  body.name("name").text(to_utf8(args.arguments[0]));
  body.name("role").text(args.get("--role"));
  return post(context, args, "/api/v1/users", body.take());
}

int list_users(Context& context, const Args& args) {
  return list(context, args, "/api/v1/users", {{"USER", {"user"}}, {"ROLE", {"role"}}, {"CREATED", {"created"}}});
}

int change_password(Context& context, const Args& args) {
  return post(context, args, path_of("/api/v1/users", args, "passwd"), "{}");
}
int delete_user(Context& context, const Args& args) {
  return post(context, args, path_of("/api/v1/users", args, "delete"), "{}");
}

int create_token(Context& context, const Args& args) {
  Body body;
  body.name("name").text(to_utf8(args.arguments[0]));
  body.name("role").text(args.get("--role"));
  if (args.has("--expires")) body.name("expires").text(to_utf8(args.get("--expires")));
  return post(context, args, "/api/v1/tokens", body.take());
}

int list_tokens(Context& context, const Args& args) {
  return list(context, args, "/api/v1/tokens",
              {{"NAME", {"name"}}, {"ROLE", {"role"}}, {"CREATED", {"created"}}, {"EXPIRES", {"expires"}}});
}

int delete_token(Context& context, const Args& args) {
  return post(context, args, path_of("/api/v1/tokens", args, "delete"), "{}");
}

constexpr std::array kAccountCommands = {
    Command{"user add", "NAME", 1, 1, "A person who may log in; prints the password, once.", kUserOptions, add_user},
    Command{"user list", "", 0, 0, "Who may log in.", {}, list_users},
    Command{"user passwd", "NAME", 1, 1, "Give a person a new password and print it.", {}, change_password},
    Command{"user delete", "NAME", 1, 1, "Take a person's access away.", {}, delete_user},
    Command{"token create", "NAME", 1, 1, "Access for a program; prints the token, once.", kTokenOptions, create_token},
    Command{"token list", "", 0, 0, "Tokens of the operator API, without the secrets.", {}, list_tokens},
    Command{"token delete", "NAME", 1, 1, "Take a program's access away.", {}, delete_token},
};

}  // namespace

std::span<const Command> account_commands() noexcept { return kAccountCommands; }

}  // namespace tocsin::ctl
