// SPDX-License-Identifier: Apache-2.0
#include "src/programs/tocsind_host.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "platform/linux/files.hpp"

namespace tocsin::programs {
namespace {

/// For who may not open a netlink socket, as under the shipped systemd unit.
std::vector<std::string> ipv4_addresses_by_ioctl() {
  std::vector<std::string> out;
  std::array<ifreq, 32> all{};
  ifconf list{};
  list.ifc_len = sizeof all;
  list.ifc_req = all.data();
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return out;
  const int done = ::ioctl(fd, SIOCGIFCONF, &list);
  static_cast<void>(::close(fd));
  const std::size_t count = done == 0 ? static_cast<std::size_t>(list.ifc_len) / sizeof(ifreq) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(all[i].ifr_addr);
    std::array<char, INET_ADDRSTRLEN> text{};
    const bool is_loopback = ntohl(address.sin_addr.s_addr) >> 24U == 127;
    if (address.sin_family != AF_INET || is_loopback) continue;
    if (inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size()) != nullptr) out.emplace_back(text.data());
  }
  return out;
}

}  // namespace

std::string host_name() {
  std::array<char, 65> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

std::string host_address() {
  const auto all = host_addresses(false);
  return all.empty() ? "127.0.0.1" : all.front();
}

std::vector<std::string> host_addresses(bool is_ipv6) {
  std::vector<std::string> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return is_ipv6 ? out : ipv4_addresses_by_ioctl();
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(all, freeifaddrs);
  const int family = is_ipv6 ? AF_INET6 : AF_INET;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != family || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address = &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
    if (is_ipv6) {
      const auto& six = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&six)) continue;
      address = &six;
    }
    if (inet_ntop(family, address, text.data(), text.size()) != nullptr) out.emplace_back(text.data());
  }
  return out;
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
