// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/api/body.hpp"
#include "src/core/input.hpp"

/// Instances as operators write them, in JSON: the members of BlueKing's event plugins and our own.
namespace tocsin::api {

/// Reads an instance that is to be made. Its data id is 0 when the core is to allocate one. Precondition: the body was
/// made by body_of_new() from the same text.
void read_new(const Services& services, Body& body, std::string_view text, core::ChangeInstance& out);
[[nodiscard]] Body body_of_new(const Services& services, std::string_view text);

/// Reads what is to change of an instance that is there; `out.instance` holds it as it is now.
void read_update(const Services& services, Body& body, std::string_view text, core::ChangeInstance& out);
[[nodiscard]] Body body_of_update(const Services& services, std::string_view text);

/// The member "token", 1 to 512 printable bytes; a random one of 32 hex digits when it is not given.
[[nodiscard]] std::string read_token(Body& body, port::Random& random);
/// Only its keyed hash goes on; the token itself is shown once.
void set_token(const Services& services, std::string token, core::ChangeInstance& change);

/// The instance that the path means: a data id, or a plugin id that is unique. Null: `refusal` says why.
[[nodiscard]] const model::Instance* find_instance(const Services& services, const Call& call, Reply& refusal);

}  // namespace tocsin::api
