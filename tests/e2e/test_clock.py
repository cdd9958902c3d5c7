# SPDX-License-Identifier: Apache-2.0
"""Time: a box that believes it is 1970 takes today's events and says that its clock is not to be trusted."""
import ctypes
import glob
import os
import subprocess
import time

import pytest

from appliance import event

STA_UNSYNC = 0x40


def kernel_is_synchronised():
    """What adjtimex says: a library in front of the daemon does not change that."""
    raw = (ctypes.c_char * 1024)()
    state = ctypes.CDLL(None).adjtimex(raw)
    # modes (4 bytes, padded to a long), offset, freq, maxerror, esterror, then status
    status = ctypes.c_int.from_buffer(raw, 5 * ctypes.sizeof(ctypes.c_long)).value
    return state != 5 and not status & STA_UNSYNC


def without_the_right_to_set_clocks():
    """Words that take the right to set the machine's clock from what they start: no test may move it. The daemon then keeps
    a clock of its own, as it does wherever it runs as an ordinary user."""
    words = ["setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time"]
    if os.getuid() != 0:
        return []
    if subprocess.run([*words, "true"], capture_output=True).returncode != 0:
        pytest.skip("root here cannot give up the right to set the clock")
    return words


# A kernel that has a time server says so to every process, and the daemon rightly believes it. The box of this test has
# none; on a machine that has one its kernel's answer is played by this.
UNSYNCHRONISED = """
#include <sys/timex.h>
extern "C" int adjtimex(timex* state) noexcept { *state = timex{}; state->status = STA_UNSYNC; return TIME_ERROR; }
"""


def preloads(folder):
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    assert libraries, "libfaketime is not installed (tools/setup test)"
    if kernel_is_synchronised():
        (folder / "kernel.cpp").write_text(UNSYNCHRONISED)
        subprocess.run(["c++", "-shared", "-fPIC", "-o", folder / "kernel.so", folder / "kernel.cpp"], check=True)
        libraries.append(str(folder / "kernel.so"))
    return ":".join(libraries)


@pytest.fixture
def box_of_1970(make_appliance, fast_path):
    appliance = make_appliance(fast_path / "box", start=False)
    environment = {"LD_PRELOAD": preloads(fast_path), "FAKETIME": "@1970-01-01 00:00:10", "TZ": "UTC",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    return appliance.start(environment, before=without_the_right_to_set_clocks())


def test_a_box_of_1970_takes_todays_events_and_says_that_it_does_not_know_the_time(box_of_1970):
    box = box_of_1970
    clock = box.status()["clock"]
    assert clock["trusted"] is False and clock["unix_ms"] < 86_400_000
    plugin = box.plugin("demo", "--alert", 2)
    now_ms = int(time.time() * 1000)
    answer = box.push(plugin, event("today", timestamp=now_ms), event("tomorrow", timestamp=now_ms + 86_400_000))
    assert answer.status == 200, answer.body
    assert answer.headers["X-Tocsin-Clock"] == "untrusted"
    stored = box.events()
    assert [e["event"]["timestamp"] for e in stored] == [now_ms, now_ms + 86_400_000]
    assert {e["clock_trusted"] for e in stored} == {False} and stored[0]["received_ms"] < 86_400_000
    nameless = {"event_name": "no clock", "target": "t", "event": {"content": "x"}}
    assert box.push(plugin, nameless).status == 200
    opened = next(a for a in box.alerts() if a["alert_name"] == "no clock")
    assert opened["begin_time"] < 86_400 and opened["id"].startswith("00000")
    source = box.plugin("centre", "--type", "alert_source")
    standard = box.post("/api/v1/events", {"alert_name": "x", "time": now_ms // 1000}, {"X-BK-TOKEN": source["token"]})
    assert standard.status == 200 and standard.headers["X-Tocsin-Clock"] == "untrusted"

    box.ctl("clock", "set", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    dated = box.events()  # at once, also those from before, on their way out
    assert all(abs(e["received_ms"] - now_ms) < 120_000 and e["clock_trusted"] for e in dated)
    again = next(a for a in box.alerts() if a["alert_name"] == "no clock")
    assert again["id"] == opened["id"] and abs(again["begin_time_ms"] - now_ms) < 120_000
    assert abs(again["create_time_ms"] - now_ms) < 120_000 and again["create_time_trusted"]
    assert box.ctl("clock", "show")["source"] == "operator"
    assert abs(box.ctl("clock", "show")["unix_ms"] - time.time() * 1000) < 60_000
    after = box.push(plugin, event("later", timestamp=now_ms))
    assert after.status == 200 and "X-Tocsin-Clock" not in after.headers
    assert box.push(plugin, event("2100", timestamp=4_102_444_800_000)).status == 400  # the future is known again
    assert "clock_set" in [row["action"] for row in box.audit_rows()]
    box.verify_audit()


def test_the_clock_of_a_box_that_knows_the_time(appliance):
    clock = appliance.ctl("clock", "show")
    assert clock["source"] in ("synchronised", "battery")
    assert clock["trusted"] is True and abs(clock["unix_ms"] - time.time() * 1000) < 60_000
    plugin = appliance.plugin()
    answer = appliance.push(plugin, event("x"))
    assert "X-Tocsin-Clock" not in answer.headers
    assert appliance.ctl("clock", "set")["trusted"] is True
    assert appliance.run_ctl("clock", "set", "yesterday").returncode == 1
