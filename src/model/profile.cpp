// SPDX-License-Identifier: Apache-2.0
#include "src/model/profile.hpp"

#include "src/model/fields.hpp"

namespace tocsin::model {
namespace {

template <class Op, class P>
void profile_fields(Op& op, P& profile) {
  op.text(profile.version, kVersionBytesMax);
  for (auto& part : profile.parts) op.text(part, kProfileBytesMax);
}

}  // namespace

std::size_t Profile::parts_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const std::string& part : parts) bytes += part.size();
  return bytes;
}

void encode(const Profile& profile, std::string& out) {
  FieldWriter writer(out);
  profile_fields(writer, profile);
}

Result<Profile> decode_profile(Bytes in) {
  return read_record<Profile>(in, "profile", [](auto& op, auto& out) { profile_fields(op, out); });
}

}  // namespace tocsin::model
