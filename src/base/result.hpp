// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <tl/expected.hpp>
#include <utility>

namespace tocsin {

/// A code exists only if some caller does something different on seeing it.
/// Numbers are written to the audit log: append only, never reuse.
enum class Errc : std::uint8_t {
  not_found = 1,
  invalid_input = 2,
  out_of_budget = 3,    ///< a memory limit; the same call may succeed later
  storage_full = 4,     ///< no room on flash; nothing was written
  storage_corrupt = 5,  ///< a checksum or structure check failed
  io_failed = 6,        ///< the system refused; the state of the operation is unknown
  timed_out = 7,
  unavailable = 8,   ///< not ready yet, or a peer is away
  conflict = 9,      ///< the thing exists already, or changed under the caller
  unsupported = 10,  ///< a format or option of another release
};

/// A literal, so that the pointer never dangles.
struct Where {
  consteval Where(const char* literal) : text(literal) {}  // NOLINT(google-explicit-constructor)
  const char* text;
};

/// Trivially copyable: saying "out of memory" must not need memory.
struct Error {
  Errc code;
  std::int32_t os_errno = 0;             ///< 0: did not come from a system call
  std::array<const char*, 4> context{};  ///< innermost first; extra levels are dropped

  [[nodiscard]] constexpr Error in(Where where) const noexcept {
    Error out = *this;
    for (auto& slot : out.context) {
      if (slot == nullptr) {
        slot = where.text;
        break;
      }
    }
    return out;
  }
};

[[nodiscard]] constexpr Error error(Errc code, Where where, std::int32_t os_errno = 0) noexcept {
  return Error{code, os_errno, {where.text}};
}

/// A value or an Error. Cannot be dropped; `value()` without a check is undefined, so check first.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error failure) : Base(tl::unexpect, failure) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const noexcept { return this->has_value(); }
};

using Status = Result<void>;

/// Short name of a code for logs and answers, e.g. "storage_full". Never null.
[[nodiscard]] const char* to_text(Errc code) noexcept;

}  // namespace tocsin
