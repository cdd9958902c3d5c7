// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/json/writer.hpp"
#include "src/model/instance.hpp"
#include "src/model/profile.hpp"

/// Instances as the operator API shows them.
namespace tocsin::registry {

/// Everything that the snapshot knows of one, never a token or its hash; with `profile` also that. What may hold
/// secrets of others (parameters, and how a source is polled) is null unless `shows_secrets`.
void write_instance(json::Writer& w, const model::Instance& instance, const model::Profile* profile = nullptr,
                    bool shows_secrets = false);

/// The members "old_token_holds" and "old_token_until". The time is null while none holds, and while the wall clock
/// cannot be believed: until then it is not known.
void write_old_token(json::Writer& w, const model::Instance& instance);

}  // namespace tocsin::registry
