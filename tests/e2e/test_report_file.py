# SPDX-License-Identifier: Apache-2.0
"""tools/report-file: what it sends, when it waits, what it remembers; and a real log of this machine on its whole way from
the file over push, store and broker to a subscriber."""
import json
import os
import pathlib
import random
import socket
import subprocess

import pytest

from fake_push import FakePush
from world import ROOT, end_process, wait_for

REAL_LOGS = ["/var/log/dpkg.log", "/var/log/syslog", "/var/log/kern.log", "/var/log/apt/term.log", "/var/log/alternatives.log"]


class Receiver(FakePush):
    """As Tocsin, it takes what has a key once."""

    def __init__(self):
        self.keys = {}
        self.lines, self.bodies, self.refused, self.body_bytes_max = [], [], 0, 0
        super().__init__()

    def received(self, headers, raw, body):
        self.body_bytes_max = max(self.body_bytes_max, len(raw))

    def take(self, key, raw, body):
        if key in self.keys:
            assert self.keys[key] == raw, "another body under the key"
            return
        self.keys[key] = raw
        self.bodies.append(body)
        self.lines += [item["event"]["content"] for item in body["data"]]

    def refuse(self):
        self.refused += 1


@pytest.fixture
def push():
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def reporter(tmp_path):
    """Starts tools/report-file on tmp_path/log."""
    started = []

    def start(url, *words, file=tmp_path / "log", data_id=5, token="tok"):
        words = [ROOT / "tools/report-file", file, "--data-id", str(data_id), "--url", url, "--state", tmp_path / "state", *words]
        started.append(subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "TOCSIN_TOKEN": token}))
        return started[-1]
    yield start
    for process in started:
        if process.poll() is None:
            end_process(process)
        process.stderr.close()


def append(path, *lines):
    with open(path, "a") as out:
        out.writelines(line + "\n" for line in lines)


def numbered(first, last):
    return [f"line {number}" for number in range(first, last)]


def test_once_sends_all_lines_in_batches_and_the_next_time_only_new_ones(push, reporter, tmp_path):
    append(tmp_path / "log", *numbered(0, 250), "", "mit Umlaut ü 磁盘", 'quote " and \\')
    with open(tmp_path / "log", "ab") as out:
        out.write(b"not utf-8 \xff\r\nno end")
    assert reporter(push.url, "--once", "--target", "box", "--event-name", "syslog", "--dimension", "a=1", "--dimension", "b=x=y").wait(30) == 0
    assert push.lines == [*numbered(0, 250), "", "mit Umlaut ü 磁盘", 'quote " and \\', "not utf-8 \\xff", "no end"]
    assert [len(body["data"]) for body in push.bodies] == [100, 100, 55]
    first = push.bodies[0]
    assert (first["data_id"], first["access_token"]) == (5, "tok")
    assert first["data"][0] | {"timestamp": 0} == {"event_name": "syslog", "target": "box", "event": {"content": "line 0"},
                                                   "dimension": {"a": "1", "b": "x=y"}, "timestamp": 0}
    assert first["data"][0]["timestamp"] > 1e12

    append(tmp_path / "log", "", "more")
    assert reporter(push.url, "--once").wait(30) == 0
    assert push.lines[255:] == ["", "more"]


def test_long_lines_come_in_pieces_that_do_not_cut_characters(push, reporter, tmp_path):
    long = "ü磁" * 40_000
    append(tmp_path / "log", "a" + long, *["x" * 30_000 + "\x01" * 30_000] * 30, *["y" * 5000] * 100)
    assert reporter(push.url, "--once").wait(30) == 0
    assert "".join(push.lines).startswith("a" + long + "x") and "�" not in push.lines[0]
    assert sum(map(len, push.lines)) == len(long) + 1 + 30 * 60_000 + 100 * 5000
    assert push.body_bytes_max < 512_000


def test_it_waits_as_told_and_tries_again_without_loss_or_repeat(push, reporter, tmp_path):
    append(tmp_path / "log", *numbered(0, 120))
    push.script.extend([(None, None), (503, None), (500, None), (429, 1), (503, 0), (200, None), "lost", (503, 1)])
    process = reporter(push.url, "--once")
    assert process.wait(30) == 0
    assert push.lines == numbered(0, 120)
    assert push.refused == 5
    assert "going on" in process.stderr.read()


def test_it_waits_for_a_daemon_that_is_not_there_yet(reporter, tmp_path):
    append(tmp_path / "log", "one")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # held, not listening
        process = reporter(f"http://127.0.0.1:{holder.getsockname()[1]}", "--once", "--give-up-after", "2")
        assert process.wait(30) == 3
    assert "giving up" in process.stderr.read()
    assert json.loads((tmp_path / "state").read_text())["offset"] == 0


def test_a_refusal_for_good_ends_it_and_moves_no_place(push, reporter, tmp_path):
    append(tmp_path / "log", "one")
    push.script.append((401, None))
    process = reporter(push.url, "--once")
    assert process.wait(30) == 1
    assert "refused with 401: words" in process.stderr.read()
    assert reporter(push.url, "--once").wait(30) == 0
    assert push.lines == ["one"]


def test_wrong_usage_is_exit_2_and_a_missing_file_exit_1(push, reporter, tmp_path):
    assert reporter("ftp://x", "--once").wait(30) == 2
    assert reporter(push.url, "--once", "--dimension", "k").wait(30) == 2
    assert reporter(push.url, "--once", file=tmp_path / "none").wait(30) == 1


def test_it_follows_rotation_truncation_and_a_restart(push, reporter, tmp_path):
    log = tmp_path / "log"
    process = reporter(push.url)  # the file is not there yet
    append(log, "a1", "a2")
    wait_for(lambda: push.lines == ["a1", "a2"], what="first lines")
    with open(log, "a") as out:
        out.write("half")
        out.flush()
        append(tmp_path / "other", "x")  # something else happens
        out.write(" and half\n")
    log.rename(tmp_path / "log.1")
    append(tmp_path / "log.1", "a4")  # a writer that has not reopened yet
    append(log, "b1")
    wait_for(lambda: push.lines[2:] == ["half and half", "a4", "b1"], what=lambda: f"lines over a rotation ({push.lines})")
    wait_for(lambda: json.loads((tmp_path / "state").read_text())["offset"] == 3, what="state")
    os.truncate(log, 0)
    append(log, "c")
    wait_for(lambda: push.lines[5:] == ["c"], what="lines after a truncation")
    # Ended between the answer and its note it would send the last batch again, as it may; another test covers that.
    wait_for(lambda: json.loads((tmp_path / "state").read_text())["offset"] == 2, what="state after a truncation")
    assert end_process(process) == 0

    append(log, "c2")
    log.rename(tmp_path / "log.1")
    append(log, "d1")
    reporter(push.url)
    wait_for(lambda: push.lines[6:] == ["c2", "d1"], what=lambda: f"lines that came while it was away ({push.lines[6:]})")


@pytest.mark.parametrize("seed", [int(os.environ.get("TOCSIN_SEED", "20240229"))])
def test_killed_at_any_moment_it_loses_no_line_and_repeats_none(push, reporter, tmp_path, seed):
    moments = random.Random(seed)
    lines = numbered(0, 3000)
    append(tmp_path / "log", *lines)
    for _ in range(8):
        process = reporter(push.url, "--once")
        try:
            process.wait(0.12 + moments.random() * 0.1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert reporter(push.url, "--once").wait(30) == 0
    assert push.lines == lines


def test_a_batch_whose_answer_was_lost_is_sent_again_as_it_was_after_a_restart(push, reporter, tmp_path):
    append(tmp_path / "log", "x" * 70_000, *numbered(0, 3))
    with open(tmp_path / "log", "a") as out:
        out.write("no end")
    push.script.extend(["lost", (401, None)])  # taken; the second try meets an end for good
    assert reporter(push.url, "--once").wait(30) == 1
    assert len(push.lines) == 7
    with open(tmp_path / "log", "a") as out:
        out.write(" yet\nmore\n")
    assert reporter(push.url, "--once").wait(30) == 0
    assert push.lines[3:] == [*numbered(0, 3), "no end", " yet", "more"]
    append(tmp_path / "log", "last")
    assert reporter(push.url, "--once").wait(30) == 0
    assert push.lines[8:] == ["more", "last"]


def real_log():
    for name in REAL_LOGS:
        path = pathlib.Path(name)
        if path.is_file() and os.access(path, os.R_OK) and path.stat().st_size > 10_000:
            return path
    raise AssertionError(f"none of {REAL_LOGS} is there")


def test_a_real_log_arrives_at_a_subscriber_line_for_line(make_appliance, make_broker, subscribe, reporter, tmp_path):
    source = real_log()
    raw = source.read_bytes()
    raw = raw[:raw.rindex(b"\n") + 1]
    copy = tmp_path / source.name  # the machine may write to its log while we read
    copy.write_bytes(raw)
    lines = raw.decode(errors="backslashreplace").replace("\r\n", "\n").split("\n")[:-1]
    broker = make_broker(tmp_path / "broker")
    subscriber = subscribe(broker)
    appliance = make_appliance(tmp_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    plugin = appliance.plugin("logs")
    process = reporter(f"http://127.0.0.1:{appliance.push_port}", "--once", file=copy, data_id=plugin["data_id"], token=plugin["token"])
    assert process.wait(120) == 0, process.stderr.read()
    appliance.wait_drained()
    wait_for(lambda: len(subscriber.events()) >= len(lines), what="all lines at the subscriber")
    received = subscriber.events()
    print(f"{source}: {len(lines)} lines")
    assert len(lines) > 100
    assert [item["event"]["content"] for _, item, _ in received] == lines
    assert [seq for seq, _, _ in received] == list(range(received[0][0], received[0][0] + len(lines)))
    assert not any(repeat for _, _, repeat in received)
    assert [e["event"]["event"]["content"] for e in appliance.events()] == lines
