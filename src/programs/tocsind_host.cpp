// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_host.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "platform/linux/files.hpp"

namespace tocsin::programs {

std::string host_name() {
  std::array<char, 65> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

std::string host_address() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "127.0.0.1";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(all, freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const void* address = &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
    if (inet_ntop(AF_INET, address, text.data(), text.size()) != nullptr) return text.data();
  }
  return "127.0.0.1";
}

std::string program_dir() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) return ".";
  const std::string whole(path.data(), static_cast<std::size_t>(size));
  return whole.substr(0, whole.rfind('/'));
}

int timezone_offset_minutes(const std::string& timezone) {
  static_cast<void>(setenv("TZ", timezone.c_str(), 1));
  tzset();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  return localtime_r(&now, &local) == nullptr ? 0 : static_cast<int>(local.tm_gmtoff / 60);
}

std::string hardware_fingerprint() {
  for (const char* path : {"/proc/device-tree/serial-number", "/sys/class/dmi/id/product_uuid"}) {
    auto text = linux::read_file(path, 256);
    if (!text.ok()) continue;
    std::erase_if(*text, [](char c) { return c <= ' ' || c > '~'; });
    if (!text->empty()) return *text;
  }
  return {};
}

}  // namespace tocsin::programs
