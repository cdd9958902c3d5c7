// SPDX-License-Identifier: Apache-2.0
#include "src/model/instance.hpp"

#include "src/base/hex.hpp"
#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

constexpr std::uint8_t kInstanceFormat = 3;

template <class Op, class I>
void instance_fields_of_format_1(Op& op, I& instance) {
  op.number(instance.data_id);
  op.text(instance.plugin_id, kPluginIdBytesMax);
  op.text(instance.name, kNameBytesMax);
  op.number(instance.bk_biz_id);
  op.choice(instance.type, 0, 2);
  op.choice(instance.alert, 0, 3);
  op.choice(instance.lane, 0, kLanes - 1);
  op.number(instance.max_rate);
  op.flag(instance.enabled);
  op.number(instance.upstream_data_id);
  op.array(instance.token_hash);
  op.number(instance.created_ms);
  op.number(instance.updated_ms);
}

template <class Op, class I>
void instance_fields_of_format_2(Op& op, I& instance) {
  instance_fields_of_format_1(op, instance);
  op.array(instance.old_token_hash);
  op.number(instance.old_token_until_ms);
  op.choice(instance.plugin_type, 0, kPluginTypes.size() - 1);
  op.flag(instance.strict);
  op.flag(instance.rewrite_cloud);
  op.number(instance.profile_revision);
}

template <class Op, class I>
void instance_fields(Op& op, I& instance) {
  instance_fields_of_format_2(op, instance);
  op.array(instance.client_cert);
}

template <class Op, class U>
void user_fields(Op& op, U& user) {
  op.text(user.name, kAccountNameBytesMax);
  op.choice(user.role, 0, 3);
  op.array(user.salt);
  op.number(user.iterations);
  op.array(user.password_hash);
  op.number(user.created_ms);
}

template <class Op, class T>
void token_fields(Op& op, T& token) {
  op.text(token.name, kAccountNameBytesMax);
  op.choice(token.role, 0, 3);
  op.number(token.created_ms);
  op.number(token.expires_ms);
  op.array(token.hash);
}

}  // namespace

const char* to_text(InstanceType type) noexcept {
  switch (type) {
    case InstanceType::event: return "event";
    case InstanceType::time_series: return "time_series";
    case InstanceType::alert_source: return "alert_source";
  }
  return "unknown";
}

const char* to_text(Role role) noexcept {
  switch (role) {
    case Role::anyone: return "anyone";
    case Role::viewer: return "viewer";
    case Role::operator_: return "operator";
    case Role::admin: return "admin";
  }
  return "unknown";
}

std::string client_cert_text(const Instance& instance) {
  return instance.is_bound_to_certificate() ? to_hex(instance.client_cert) : std::string{};
}

void encode(const Instance& instance, std::string& out) {
  FieldWriter writer(out, kInstanceFormat);
  instance_fields(writer, instance);
}

Result<Instance> decode_instance(Bytes in) {
  if (!in.empty() && in[0] == std::byte{kRecordFormat}) {
    return read_record<Instance>(in, "instance", [](auto& op, auto& out) { instance_fields_of_format_1(op, out); });
  }
  if (!in.empty() && in[0] == std::byte{2}) {
    return read_record<Instance>(
        in, "instance", [](auto& op, auto& out) { instance_fields_of_format_2(op, out); }, 2);
  }
  return read_record<Instance>(
      in, "instance", [](auto& op, auto& out) { instance_fields(op, out); }, kInstanceFormat);
}

void encode(const User& user, std::string& out) {
  FieldWriter writer(out);
  user_fields(writer, user);
}

Result<User> decode_user(Bytes in) {
  return read_record<User>(in, "user", [](auto& op, auto& out) { user_fields(op, out); });
}

void encode(const ApiToken& token, std::string& out) {
  FieldWriter writer(out);
  token_fields(writer, token);
}

Result<ApiToken> decode_api_token(Bytes in) {
  return read_record<ApiToken>(in, "API token", [](auto& op, auto& out) { token_fields(op, out); });
}

}  // namespace tocsin::model
