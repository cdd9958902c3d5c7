// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/port/consumer.hpp"

namespace tocsin::rdkafka {

/// The library's configuration as names and values.
[[nodiscard]] std::vector<std::pair<const char*, std::string>> settings_of(const port::ConsumerLogin& login);

}  // namespace tocsin::rdkafka
