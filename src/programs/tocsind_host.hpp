// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tocsin::programs {

[[nodiscard]] std::string host_name();
/// The first IPv4 address that is not loopback; "127.0.0.1" when there is none.
[[nodiscard]] std::string host_address();
/// All of one family that others can use: neither loopback nor of a single link.
[[nodiscard]] std::vector<std::string> host_addresses(bool is_ipv6);
/// The folder of the running program: its workers lie beside it.
[[nodiscard]] std::string program_dir();
/// Minutes east of UTC now in that zone ("Asia/Shanghai"). Sets the process's zone: call it before any thread.
[[nodiscard]] int timezone_offset_minutes(const std::string& timezone);
/// What the hardware says of itself (device tree serial, DMI product id); empty when it says nothing.
[[nodiscard]] std::string hardware_fingerprint();

}  // namespace tocsin::programs
