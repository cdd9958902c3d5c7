// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/model/audit.hpp"

namespace tocsin::audit {

/// Appends the row as one JSON object: index, action, actor, object, detail, time_ms, time_text (RFC 3339, UTC),
/// time_trusted, boot, mono_ms, hash (hex).
void append_json(const model::AuditRow& row, std::string& out);

/// One line for people, without a line end: time ("?" behind it when the clock was not trusted), index, action, actor,
/// object, detail. Empty texts are shown as "-".
[[nodiscard]] std::string to_line(const model::AuditRow& row);

}  // namespace tocsin::audit
