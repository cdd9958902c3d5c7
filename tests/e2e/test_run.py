# SPDX-License-Identifier: Apache-2.0
"""tools/run, as `make run` calls it: the line it prints, pasted, raises an alert that is there within a second. It uses the
ports that a user gets, in a network of its own where the machine allows that, so that nobody else can hold them."""
import base64
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from world import BIN, ROOT, end_process, wait_for

LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    request = fcntl.ioctl(s, 0x8913, struct.pack("16sh14x", b"lo", 0))
    flags = struct.unpack("16sh14x", request)[1]
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))
os.execv(sys.argv[1], sys.argv[1:])
"""


def alone():
    """Words before a command that runs it in a new network with loopback; none where that is not allowed."""
    for words in (["unshare", "-n"], ["unshare", "-rn"]):
        words = [*words, "/usr/bin/python3", "-c", LOOPBACK_UP]
        if subprocess.run([*words, "/bin/true"], capture_output=True).returncode == 0:
            return words
    return []


class Run:
    def __init__(self, var, inside=None):
        """`inside`: in the network of that one."""
        words = inside.enter() if inside else alone()
        if not words:
            for port in (10205, 10206):
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", port)) == 0:
                        pytest.skip(f"port {port} is in use and this machine gives no network of one's own")
        environment = {**os.environ, "TOCSIN_VAR_DIR": str(var), "TOCSIN_BIN_DIR": str(BIN)}
        self.var, self.isolated = var, bool(words)
        self.output = open(f"{var}.out", "w+")
        self.process = subprocess.Popen([*words, ROOT / "tools/run"], stdout=self.output, stderr=self.output,
                                        env=environment, start_new_session=True)

    def enter(self):
        user = [] if os.getuid() == 0 else ["-U", "--preserve-credentials"]
        return ["nsenter", "-t", str(self.process.pid), "-n", *user] if self.isolated else ["env"]

    def text(self):
        self.output.seek(0)
        return self.output.read()

    def wait_printed(self):
        def is_printed():
            assert self.process.poll() is None, self.text()
            return "Ctrl-C" in self.text()
        wait_for(is_printed, 60, lambda: f"what tools/run prints ({self.text()})")
        return self.text()

    def line(self, begin):
        return next(line for line in self.text().splitlines() if line.startswith(begin))

    def shell(self, line):
        got = subprocess.run([*self.enter(), "bash", "-c", line], capture_output=True, text=True, timeout=30)
        assert got.returncode == 0, got.stderr
        return got.stdout

    def ctl(self, *words):
        return json.loads(subprocess.run([BIN / "tocsinctl", "--socket", self.var / "control.sock", "--format", "json", *words],
                                         check=True, capture_output=True, timeout=30).stdout)

    def end(self, how=signal.SIGINT):
        code = end_process(self.process, how, 20)
        self.output.close()
        return code


@pytest.fixture
def run(fast_path):
    started = []

    def start(name="var", **options):
        started.append(Run(fast_path / name, **options))
        return started[-1]
    yield start
    for one in started:
        if one.process.poll() is None:
            end_process(one.process)


def test_the_printed_lines_work_and_so_they_do_the_second_time(run):
    for paste in (1, 2):
        runs = run()
        text = runs.wait_printed()
        assert "http://127.0.0.1:10206/" in text and "user admin" in text
        assert stat.S_IMODE((runs.var / "demo-token").stat().st_mode) == 0o600
        answer = json.loads(runs.shell(runs.line("curl ")))
        assert (answer["code"], answer["result"]) == ("200", "true")

        begun = time.monotonic()
        listed = runs.ctl("alert", "list")
        user, password = (runs.var / "first-password").read_text().split()
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        shown = runs.shell(f"curl -s -H 'Authorization: Basic {login}' http://127.0.0.1:10206/api/v1/alerts")
        assert time.monotonic() - begun < 10  # two programs start and a password is stretched; each sees the alert at once
        assert [a["alert_name"] for a in listed] == ["disk_full"]
        # The second paste folded into the alert of the first, and the list counts it at once.
        assert (len(runs.ctl("events", "query")), listed[0]["event_count"]) == (paste, paste)
        assert json.loads(shown)["data"], shown
        assert json.loads(shown)["data"]["items"] == listed

        look = re.search(r"Look around\s+(.*)", text).group(1)
        assert "ready" in runs.shell(look)
        assert runs.end() == 0
        assert "tocsind has stopped" in open(f"{runs.var}.out").read()


def test_a_token_that_no_longer_works_is_replaced(run):
    runs = run()
    runs.wait_printed()
    first = (runs.var / "demo-token").read_text()
    runs.ctl("plugin", "rotate", "demo", "--overlap", "0")
    assert runs.end(signal.SIGTERM) == 0
    runs = run()
    runs.wait_printed()
    assert (runs.var / "demo-token").read_text() != first
    assert json.loads(runs.shell(runs.line("curl ")))["result"] == "true"
    assert runs.end() == 0


def test_a_taken_port_is_named(run):
    first = run()
    first.wait_printed()
    second = run("other", inside=first)
    assert second.process.wait(30) == 1
    assert "10205" in second.text() and "in use" in second.text()
    third = run(inside=first)  # and so is a folder that is in use
    assert third.process.wait(30) == 1
    assert "another tocsind runs on" in third.text()
    assert first.end() == 0
