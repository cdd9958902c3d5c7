// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ingest {

/// Longest message that is looked at, its header included: four times what RFC 5424, 6.1, asks for. What is longer is
/// cut to it.
inline constexpr std::size_t kSyslogBytesMax = 8 * 1024;
inline constexpr std::size_t kSyslogHostBytesMax = 255;
inline constexpr std::size_t kSyslogAppBytesMax = 48;
inline constexpr std::size_t kSyslogProcBytesMax = 128;
inline constexpr std::size_t kSyslogMsgIdBytesMax = 32;

inline constexpr std::uint8_t kSyslogFacilityUser = 1;
inline constexpr std::uint8_t kSyslogSeverityNotice = 5;

/// One message, taken apart. Views into the text that it was read from; empty: absent ("-" counts as absent). Nothing
/// says that they are UTF-8. Header fields are printable ASCII without blanks, cut to the bounds above.
struct SyslogMessage {
  std::uint8_t facility = kSyslogFacilityUser;    ///< 0 to 23
  std::uint8_t severity = kSyslogSeverityNotice;  ///< 0 (emergency) to 7 (debug)
  std::optional<std::int64_t> time_ms;            ///< only of a time with a zone; RFC 3164 has neither zone nor year
  std::string_view hostname;
  std::string_view app;  ///< APP-NAME, or the TAG of RFC 3164
  std::string_view procid;
  std::string_view msgid;
  std::string_view structured_data;  ///< as sent, well formed: what SyslogParams walks through
  std::string_view text;
};

/// Reads RFC 5424 and RFC 3164, and whatever else there is: no text is refused. What is no header belongs to the text
/// of the message, and without a PRI the message is a notice of the facility user (RFC 3164, 4.3.3). Besides the two:
/// an RFC 3339 time in the place of the old one, no HOSTNAME (as local programs write), no time before a TAG.
/// The byte order mark before the text, and line feed, carriage return and NUL at its end are left out.
[[nodiscard]] SyslogMessage parse_syslog(std::string_view text) noexcept;

/// Walks through the parameters of structured data, in their order; elements without one are passed over.
class SyslogParams {
 public:
  /// `structured_data`: of a SyslogMessage.
  explicit SyslogParams(std::string_view structured_data) noexcept : rest_(structured_data) {}
  struct Param {
    std::string_view id;
    std::string_view name;
    std::string_view value;  ///< with its escapes; append_plain() resolves them
  };
  [[nodiscard]] std::optional<Param> next() noexcept;
  /// Resolves \", \\ and \]; a backslash before anything else stays, as the RFC has it.
  static void append_plain(std::string_view value, std::string& out);

 private:
  std::string_view rest_;
  std::string_view id_;
};

[[nodiscard]] std::string_view syslog_facility(std::uint8_t facility) noexcept;  ///< "kern" … "local7"
[[nodiscard]] std::string_view syslog_level(std::uint8_t severity) noexcept;     ///< "emerg" … "debug"
/// 0 to 2 are 1 (fatal), 3 and 4 are 2 (warning), the others 3 (remind).
[[nodiscard]] constexpr std::uint8_t severity_of_syslog(std::uint8_t severity) noexcept {
  return severity <= 2 ? 1 : severity <= 4 ? 2 : 3;
}

/// Finds the messages of a byte stream (RFC 6587). Each may be framed its own way: "LENGTH SP MESSAGE" when a message
/// with a PRI follows the length, else a line. Keeps no bytes, only how much of a cut message is still to be passed
/// over. One object a stream.
class SyslogFrames {
 public:
  struct Step {
    std::size_t bytes = 0;     ///< of the stream that this step takes; 0: more has to arrive
    std::string_view message;  ///< empty: there is none in them
    bool is_cut = false;       ///< it is longer than kSyslogBytesMax
    std::uint64_t octets_left = 0;
    bool line_goes_on = false;
  };
  /// What the stream begins with. `waiting`: all that arrived and was not taken, or the first kWindowBytes of it.
  /// `is_end`: nothing comes after it; then there is a step for everything that waits.
  [[nodiscard]] Step next(std::string_view waiting, bool is_end) const noexcept;
  /// The bytes of that step are gone from the stream.
  void take(const Step& step) noexcept {
    octets_left_ = step.octets_left;
    line_goes_on_ = step.line_goes_on;
  }
  static constexpr std::size_t kLengthDigitsMax = 7;
  static constexpr std::size_t kWindowBytes = kSyslogBytesMax + 2 * kLengthDigitsMax;

 private:
  [[nodiscard]] Step line(std::string_view waiting, bool is_end) const noexcept;

  std::uint64_t octets_left_ = 0;
  bool line_goes_on_ = false;
};

}  // namespace tocsin::ingest
