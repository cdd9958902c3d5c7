// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "platform/linux/clock.hpp"
#include "platform/linux/files.hpp"
#include "platform/linux/memory.hpp"
#include "platform/linux/process.hpp"
#include "platform/linux/random.hpp"
#include "platform/linux/signals.hpp"
#include "platform/linux/watchdog.hpp"
#include "tests/support/emulated.hpp"

namespace tocsin::linux {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(Clock, MonotonicDoesNotGoBackwards) {
  const Clock clock{{}};
  const Monotonic before = clock.monotonic();
  EXPECT_LE(before, clock.monotonic());
}

TEST(Clock, TrustsABatteryClockOnlyFromTheBuildDateOn) {
  const Clock fresh{{.has_battery_clock = true, .not_before_unix_ms = 0}};
  EXPECT_TRUE(fresh.wall().trusted);
  const Clock behind{{.has_battery_clock = true, .not_before_unix_ms = INT64_MAX}};
  const Clock none{{}};
  EXPECT_EQ(behind.wall().trusted, none.wall().trusted);  // both: the kernel's word alone
}

TEST(Clock, RefusesTimesBeforeTheEpoch) {
  Clock clock{{}};
  EXPECT_FALSE(clock.set_wall(-1));
}

TEST(Random, NeverRepeatsAnId) {
  Random random;
  std::set<std::array<std::byte, 16>> seen;
  for (int i = 0; i < 1'000; ++i) {
    std::array<std::byte, 16> id{};
    random.fill(id);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Random, FillsEverySizeAroundThePool) {
  Random random;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{4096}}) {
    std::vector<std::byte> out(size + 1, std::byte{0});
    bool touched = size == 0;
    for (int i = 0; i < 8; ++i) {
      random.fill({out.data(), size});
      touched = touched || out[size == 0 ? 0 : size - 1] != std::byte{0};
    }
    EXPECT_TRUE(touched) << size;
    EXPECT_EQ(out.back(), std::byte{0}) << size;
  }
}

TEST(Files, ReadsBackWhatItWroteWithExactlyThatMode) {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/secret";
  ASSERT_TRUE(write_file(path, as_bytes("old"), 0644).ok());
  ASSERT_TRUE(write_file(path, as_bytes("new"), 0600).ok());
  const auto content = read_file(path, 3);
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(*content, "new");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder.path}, {}), 1);  // no temporary left
}

TEST(Files, RefusesOneByteOverTheLimit) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder.path + "/f", as_bytes("1234"), 0600).ok());
  EXPECT_EQ(read_file(folder.path + "/f", 3).error().code, Errc::out_of_budget);
  EXPECT_EQ(read_file(folder.path + "/f", 4)->size(), 4U);
  EXPECT_EQ(read_file(folder.path + "/none", 4).error().code, Errc::not_found);
  EXPECT_EQ(write_file(folder.path + "/no/f", {}, 0600).error().code, Errc::not_found);
}

TEST(Files, MakesParentsAndAcceptsWhatIsThere) {
  const TemporaryFolder folder;
  ASSERT_TRUE(make_folders(folder.path + "/a/b/c", 0750).ok());
  ASSERT_TRUE(make_folders(folder.path + "/a/b/c", 0750).ok());
  EXPECT_TRUE(std::filesystem::is_directory(folder.path + "/a/b/c"));
  ASSERT_TRUE(write_file(folder.path + "/a/file", {}, 0600).ok());
  EXPECT_FALSE(make_folders(folder.path + "/a/file", 0750).ok());
  EXPECT_TRUE(remove_file(folder.path + "/a/file").ok());
  EXPECT_TRUE(remove_file(folder.path + "/a/file").ok());
}

TEST(Memory, CountsTouchedPagesAsAnonymous) {
  MemoryPeak peak;
  const Memory before = peak.sample();
  ASSERT_GT(before.anonymous_bytes, 0U);
  {
    std::vector<char> block(8 * MiB, 'x');
    EXPECT_GE(peak.sample().anonymous_bytes, before.anonymous_bytes + 7 * MiB) << block.front();
  }
  static_cast<void>(peak.sample());
  EXPECT_GE(peak.anonymous_bytes_peak(), before.anonymous_bytes + 7 * MiB);
  EXPECT_EQ(memory_of(0x3fffffff).error().code, Errc::not_found);
}

struct Watcher {
  std::optional<ChildExit> exit;
  static void on_exit(void* self, ChildExit how) noexcept { static_cast<Watcher*>(self)->exit = how; }
  ChildExited hook() { return {this, on_exit}; }
};

class ProcessTest : public ::testing::Test {
 protected:
  /// A shell program, because the child gets no arguments.
  std::string script(const char* text) {
    const std::string path = folder.path + "/child";
    EXPECT_TRUE(write_file(path, as_bytes(std::string{"#!/bin/sh\n"} + text), 0755).ok());
    return path;
  }
  void wait_for_exit() {
    for (int i = 0; i < 100 && !watcher.exit; ++i) ASSERT_TRUE(loop.run_once(100).ok());
    ASSERT_TRUE(watcher.exit.has_value());
  }
  std::string read_channel() {
    std::string out;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(process.channel(), part.data(), part.size())) > 0;)
      out.append(part.data(), static_cast<std::size_t>(got));
    return out;
  }
  TemporaryFolder folder;
  Clock clock{{}};
  Loop loop{clock};
  Watcher watcher;
  Process process;
};

TEST_F(ProcessTest, TalksOverDescriptorThreeAndReportsTheExit) {
  ASSERT_TRUE(process.start(loop, {.program = script("echo hello >&3; exit 7")}, watcher.hook()).ok());
  EXPECT_EQ(process.start(loop, {.program = "/bin/true"}, watcher.hook()).error().code, Errc::conflict);
  wait_for_exit();
  EXPECT_EQ(read_channel(), "hello\n");
  EXPECT_FALSE(watcher.exit->by_signal);
  EXPECT_EQ(watcher.exit->code, 7);
  EXPECT_FALSE(process.running());
}

TEST_F(ProcessTest, GivesTheChildNothingElse) {
  const Handle null{::open("/dev/null", O_RDONLY)};
  const Handle leak{::dup2(null.get(), 77)};  // without close-on-exec, as a careless library would
  ASSERT_TRUE(::setenv("TOCSIN_SECRET", "x", 1) == 0);
  const std::string text = "ls /proc/$$/fd >&3; cat /proc/$$/environ | tr '\\0' '\\n' >&3";
  ASSERT_TRUE(process.start(loop, {.program = script(text.c_str()), .timezone = "Asia/Shanghai"}, watcher.hook()).ok());
  wait_for_exit();
  const std::string said = read_channel();
  EXPECT_EQ(said.find("TOCSIN_SECRET"), std::string::npos);
  EXPECT_NE(said.find("TZ=Asia/Shanghai\n"), std::string::npos) << said;
  EXPECT_NE(said.find("MALLOC_ARENA_MAX=1\n"), std::string::npos) << said;
  EXPECT_NE(said.find("3\n"), std::string::npos) << said;
  EXPECT_EQ(said.find("77\n"), std::string::npos) << said;
}

TEST_F(ProcessTest, LimitsStackAndCoreDumpOfTheChild) {
  if (test::is_emulated())
    GTEST_SKIP() << "qemu-user drops a program's limits of stack and data: they would bind the emulator";
  ASSERT_TRUE(process.start(loop, {.program = script("ulimit -s >&3; ulimit -c >&3")}, watcher.hook()).ok());
  wait_for_exit();
  EXPECT_EQ(read_channel(), "256\n0\n");
}

TEST_F(ProcessTest, ReportsAKilledChildAsKilled) {
  ASSERT_TRUE(process.start(loop, {.program = script("exec sleep 600")}, watcher.hook()).ok());
  process.kill();
  wait_for_exit();
  EXPECT_TRUE(watcher.exit->by_signal);
  EXPECT_EQ(watcher.exit->code, SIGKILL);
}

TEST_F(ProcessTest, ReportsAProgramThatIsNotThere) {
  ASSERT_TRUE(process.start(loop, {.program = folder.path + "/none"}, watcher.hook()).ok());
  wait_for_exit();
  EXPECT_EQ(watcher.exit->code, 127);
}

TEST_F(ProcessTest, EndsTheChildWithItsOwner) {
  pid_t child = 0;
  {
    Process mortal;
    ASSERT_TRUE(mortal.start(loop, {.program = script("exec sleep 600")}, watcher.hook()).ok());
    child = mortal.pid();
  }
  EXPECT_EQ(::kill(child, 0), -1);
  ASSERT_TRUE(loop.run_once(0).ok());
  EXPECT_FALSE(watcher.exit.has_value());
}

TEST(Signals, ArriveAsEventsOfTheLoop) {
  const Clock clock{{}};
  Loop loop{clock};
  Signals signals;
  int got = 0;
  ASSERT_TRUE(
      signals.open(loop, {&got, [](void* self, int signal) noexcept { *static_cast<int*>(self) = signal; }}).ok());
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  for (int i = 0; i < 20 && got == 0; ++i) ASSERT_TRUE(loop.run_once(100).ok());
  EXPECT_EQ(got, SIGHUP);
}

class NotifySocket {
 public:
  explicit NotifySocket(const std::string& name) {
    fd.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '/' ? 1U : 0U));
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::setenv("NOTIFY_SOCKET", name.c_str(), 1), 0);
  }
  [[nodiscard]] std::string next() const {
    std::array<char, 512> text{};
    const ssize_t got = ::recv(fd.get(), text.data(), text.size(), 0);
    return got < 0 ? "nothing" : std::string{text.data(), static_cast<std::size_t>(got)};
  }
  Handle fd;
};

TEST(Watchdog, SaysNothingWhenNobodyAsks) {
  ASSERT_EQ(::unsetenv("NOTIFY_SOCKET"), 0);
  Watchdog watchdog;
  watchdog.ready();
  EXPECT_EQ(watchdog.period_ms(), 0);
}

TEST(Watchdog, SpeaksToAPathAndToAnAbstractName) {
  const TemporaryFolder folder;
  for (const std::string& name : {folder.path + "/notify", "@tocsin-test-" + std::to_string(::getpid())}) {
    const NotifySocket socket{name};
    ASSERT_EQ(::setenv("WATCHDOG_USEC", "3000000", 1), 0);
    ASSERT_EQ(::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1), 0);
    Watchdog watchdog;
    EXPECT_EQ(watchdog.period_ms(), 3'000);
    EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr);
    watchdog.ready();
    watchdog.alive();
    watchdog.status("two\nlines");
    watchdog.status(std::string(1'000, 'x'));
    watchdog.stopping();
    EXPECT_EQ(socket.next(), "READY=1");
    EXPECT_EQ(socket.next(), "WATCHDOG=1");
    EXPECT_EQ(socket.next(), "STATUS=two lines");
    EXPECT_EQ(socket.next().size(), 256U);
    EXPECT_EQ(socket.next(), "STOPPING=1");
  }
}

TEST(Watchdog, IgnoresAPeriodMeantForAnotherProcess) {
  const TemporaryFolder folder;
  const NotifySocket socket{folder.path + "/notify"};
  ASSERT_EQ(::setenv("WATCHDOG_USEC", "3000000", 1), 0);
  ASSERT_EQ(::setenv("WATCHDOG_PID", "1", 1), 0);
  EXPECT_EQ(Watchdog{}.period_ms(), 0);
}

}  // namespace
}  // namespace tocsin::linux
