# SPDX-License-Identifier: Apache-2.0
"""tocsinctl push, bench and plugin test: against a server that refuses, is busy and loses answers, and against the daemon itself."""
import json
import os
import pty
import shutil
import signal
import subprocess
import time

import pytest

from appliance import Appliance
from fake_push import FakePush
from world import BIN, Mosquitto, end_process, memory_folder, wait_for

EVENT = ["--event-name", "e", "--target", "t"]


class Receiver(FakePush):
    """As Tocsin, it takes what has a key once."""

    def __init__(self):
        self.requests, self.stored, self.keys = [], [], {}
        super().__init__()

    def received(self, headers, raw, body):
        self.requests.append((time.monotonic(), headers, body))

    def take(self, key, raw, body):
        if self.keys.setdefault(key, body) is body:
            self.stored += body["data"]

    def keys_seen(self):
        return [headers["Idempotency-Key"] for _, headers, _ in self.requests]


@pytest.fixture
def fake():
    server = Receiver()
    yield server
    server.close()


@pytest.fixture(scope="module")
def box():
    folder = memory_folder()
    broker = Mosquitto(folder / "broker")
    one = Appliance(folder / "box", upstreams={"centre": {"servers": [broker.url]}}).start()
    one.broker = broker
    yield one
    one.end()
    broker.stop()
    shutil.rmtree(folder, ignore_errors=True)


def ctl(*words, stdin="", env=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")} | (env or {})
    return subprocess.run([BIN / "tocsinctl", *map(str, words)], input=stdin, capture_output=True, text=True, timeout=60, env=environment)


def push(fake, *words, stdin="", env=None):
    return ctl("push", "--url", f"http://{fake.address}", "--data-id", 5, *words, stdin=stdin, env=env or {"TOCSIN_TOKEN": "secret"})


def test_every_batch_has_a_key_that_stays_over_its_tries(fake):
    fake.script.extend(["lost", (503, 1), (200, None), (503, None), "lost"])
    got = push(fake, *EVENT, "--batch", 2, "-", stdin="a\nb\nc\n")
    assert got.returncode == 0 and got.stdout.startswith("3 events stored, "), got.stderr
    assert len(fake.requests) == 6  # on a connection that was kept libcurl itself sends again what got no answer
    keys = fake.keys_seen()
    assert len(set(keys[:3])) == 1 and len(set(keys[3:])) == 1 and keys[0] != keys[3] and min(map(len, keys)) == 32
    assert [item["event"]["content"] for item in fake.stored] == ["a", "b", "c"]
    times = [at for at, _, _ in fake.requests]
    assert times[2] - times[1] >= 1.0  # as it was told
    assert fake.requests[0][2] == {"data_id": 5, "access_token": "secret", "data": fake.stored[:2]}


def test_a_given_key_is_the_same_in_the_next_run(fake):
    words = ["--idempotency-key", "job-7", *EVENT, "--batch", 1, "-"]
    for _ in range(2):
        assert push(fake, *words, stdin="a\nb\n").returncode == 0
    assert fake.keys_seen() == ["job-7", "job-7-2"] * 2
    assert len(fake.stored) == 2


def test_it_gives_up_in_time_and_at_once_when_it_is_told_to_wait_longer(fake):
    fake.script.extend([(503, 600)])
    got = push(fake, *EVENT, "--give-up-after", 5, "--content", "a")
    assert (got.returncode, got.stdout, got.stderr) == (1, "0 events stored, 1 request\n",
                                                        "tocsinctl: giving up after 1 try: 503: words (told to wait 600 s)\n")
    fake.script.extend([(429, None)] * 50)
    begun = time.monotonic()
    got = push(fake, *EVENT, "--give-up-after", 1, "--content", "a")
    assert got.returncode == 1 and "giving up after " in got.stderr and time.monotonic() - begun < 3
    assert "secret" not in got.stderr


def test_a_refusal_for_good_is_not_tried_again_and_says_which_events(fake):
    fake.script.extend([(200, None), (400, None)])
    got = push(fake, *EVENT, "--batch", 2, "-", stdin="a\nb\nc\n")
    assert (got.returncode, got.stdout, got.stderr) == (1, "2 events stored, 2 requests\n",
                                                        "tocsinctl: refused with 400: words (events 3 to 3)\n")


def test_documents_envelopes_metrics_and_gzip(fake, tmp_path):
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"data_id": 5, "access_token": "other", "data": [{"a": 1}, {"b": 2}]}, indent=1))
    assert push(fake, "--gzip", file).returncode == 0
    assert fake.requests[0][1]["Content-Encoding"] == "gzip" and fake.requests[0][2]["access_token"] == "secret"
    assert push(fake, "-", stdin='[{"c": 3},\n{"d": 4}]').returncode == 0
    assert push(fake, "--metric", "load=0.5", "--metric", "n=7", "--target", "t", "--dimension", "k=v").returncode == 0
    assert fake.stored == [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}, {"metrics": {"load": 0.5, "n": 7}, "target": "t", "dimension": {"k": "v"}}]


def test_a_terminal_gets_a_progress_bar_and_nobody_else(fake, tmp_path):
    file = tmp_path / "f"
    file.write_text("line\n" * 300)
    words = ["push", "--url", f"http://{fake.address}", "--data-id", "5", "--token", "t", *EVENT, "--batch", "100", str(file)]
    fake.script.extend([(200, None), (503, None)])
    terminal, other_end = pty.openpty()
    got = subprocess.run([BIN / "tocsinctl", *words], stdout=subprocess.PIPE, stderr=other_end, timeout=60)
    os.close(other_end)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert (got.returncode, got.stdout) == (0, b"300 events stored, 4 requests\n")
    assert "\r[#" in shown and " %  200 events" in shown and shown.endswith(" \r")
    assert push(fake, "--token", "t", *EVENT, file).stderr == ""


DOCUMENTED = """{
    "data_id":1500512,
    "access_token":"991146b7e97b409f8952d59355b5f5c7",
    "data":[{
        "event_name":"input_your_event_name",
        "target":"127.0.0.1",
        "event":{
            "content":"user xxx login failed"
        },
        "dimension":{
            "amodule":"db",
            "aset":"guangdong"
        },
        "metrics":{
            "field1":1.1
        },
        "timestamp":1591067660370
        }
    ]}"""


def test_the_examples_of_bkmonitorbeat_work_with_the_same_words(fake):
    by_http = ["-report.type", "http", "-report.http.server", fake.address]
    body = ["-report", "-report.bk_data_id", 1500512, *by_http, "-report.message.kind", "event", "-report.message.body", DOCUMENTED]
    flags = ["-report", *by_http, "-report.http.token", "991146b7e97b409f8952d59355b5f5c7", "-report.message.kind", "event",
             "-report.bk_data_id", 1500512, "-report.event.target", "127.0.0.1", "-report.event.name", "xxxxxxxxx",
             "-report.event.target", "yyyyyyyyy", "-report.event.content", "zzzzzz"]
    series = ["-report", *by_http, "-report.message.kind", "timeseries", "-report.bk_data_id", 7, "-report.message.body",
              '{"data_id": 1, "access_token": "x", "data": [{"metrics": {"cpu_load": 234}, "target": "h", "dimension": {}, "timestamp": 5}]}']
    for words in (body, flags, ["push", *flags], series):
        got = ctl(*words)
        assert (got.returncode, got.stdout) == (0, ""), got.stderr
    sent = [body for _, _, body in fake.requests]
    assert sent[0] == json.loads(DOCUMENTED)
    assert sent[1]["data"][0] | {"timestamp": 0} == sent[2]["data"][0] | {"timestamp": 0}
    assert sent[2]["data"][0] | {"timestamp": 0} == {"event_name": "xxxxxxxxx", "target": "yyyyyyyyy", "event": {"content": "zzzzzz"},
                                                     "dimension": {}, "timestamp": 0}
    assert sent[2]["data"][0]["timestamp"] > 1.6e12 and len(sent) == 4
    assert (sent[3]["data_id"], sent[3]["access_token"], sent[3]["data"][0]["metrics"]) == (7, "x", {"cpu_load": 234})
    fake.script.append((401, None))
    assert ctl(*flags).returncode == 1
    got = ctl("-report", *by_http)
    assert (got.returncode, got.stdout) == (1, "") and "unexpected message kind" in got.stderr


def test_the_daemon_takes_them_all_and_its_own_agent_is_the_daemon(box):
    plugin, series = box.plugin("reporter"), box.plugin("series", "--type", "time_series")
    env = {"TOCSIN_TOKEN": plugin["token"], "TOCSIN_SOCKET": str(box.socket)}
    lines = "".join(f"line {n}\n" for n in range(250))
    for _ in range(2):  # the second time nothing is stored
        got = ctl("push", "--gzip", "--idempotency-key", "once", "--data-id", plugin["data_id"], *EVENT, "-", stdin=lines, env=env)
        assert (got.returncode, got.stdout) == (0, "250 events stored, 3 requests\n"), got.stderr
    got = ctl("-report", "-report.type", "agent", "-report.message.kind", "event", "-report.bk_data_id", plugin["data_id"],
              "-report.event.target", "h", "-report.event.name", "n", "-report.event.content", "by agent", env=env)
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")
    got = ctl("push", "--data-id", series["data_id"], "--token", series["token"], "--metric", "load=0.5", env=env)
    assert got.returncode == 0, got.stderr
    stored = [e["event"] for e in box.events()]
    assert [e["event"]["content"] for e in stored[:-1]] == [*lines.splitlines(), "by agent"]
    assert stored[-1]["metrics"] == {"load": 0.5}


def plugin_ids(box):
    return {one["plugin_id"] for one in box.ctl("plugin", "list")}


def test_bench_loads_the_box_and_leaves_no_instance(box):
    before, stored = plugin_ids(box), box.status()["events"]["accepted"]
    got = box.ctl("bench", "--rate", 200, "--seconds", 1, "--connections", 4, "--batch", 3)
    assert 50 <= got["requests"] == got["answers"]["200"] <= 200 and got["events_stored"] == 3 * got["requests"]
    assert 0 < got["requests_per_s"] <= 201 and got["events_per_s"] == pytest.approx(3 * got["requests_per_s"])
    latency = got["latency_us"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["max"]
    assert got["instance_deleted"] and plugin_ids(box) == before
    assert box.status()["events"]["accepted"] - stored == got["events_stored"]


def test_bench_does_not_push_others_events_out(box):
    got = box.run_ctl("bench", "--rate", 50_000, "--seconds", 3600, "--batch", 1000)
    assert (got.returncode, got.stdout) == (1, "") and "others' events would go" in got.stderr
    assert not any(name.startswith("bench_") for name in plugin_ids(box))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_bench_cleans_up_and_says_what_it_saw(box, how):
    process = subprocess.Popen([BIN / "tocsinctl", "--socket", box.socket, "--format", "json", "bench", "--rate", "50", "--seconds", "60"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(name.startswith("bench_") for name in plugin_ids(box)), what="the instance")
    time.sleep(0.2)
    assert end_process(process, how) == 1
    out, err = process.communicate()
    got = json.loads(out)
    assert got["interrupted"] and got["instance_deleted"] and "interrupted" in err and got["seconds"] < 10
    assert not any(name.startswith("bench_") for name in plugin_ids(box))


def hops(box, *words, code=0):
    return {hop["hop"]: hop for hop in box.ctl("plugin", "test", *words, code=code)}


def test_a_plugin_test_follows_its_event_to_the_centre(box):
    loud, quiet, source = box.plugin("loud", "--alert", 2), box.plugin("quiet"), box.plugin("source", "--type", "alert_source")
    for outcome in ("opened", "folded into"):
        got = hops(box, "loud", "--token", loud["token"])
        assert list(got) == ["received", "on flash", "alert", "upstream centre"]
        assert all(hop["reached"] and 0 < hop["ms"] < 10_000 for hop in got.values())
        assert got["alert"]["detail"].startswith(outcome)
    assert "alert" not in hops(box, "quiet", "--token", quiet["token"])
    assert hops(box, "source", "--token", source["token"])["alert"]["reached"]
    ended = [alert["state"] for alert in box.alerts() if alert["bk_data_id"] == source["data_id"]]
    assert ended == ["RECOVERED"]


def test_a_plugin_test_says_which_hop_it_did_not_reach(box):
    plugin = box.plugin("deaf")
    assert box.run_ctl("plugin", "test", "deaf").returncode == 2  # without a token
    got = box.run_ctl("plugin", "test", "deaf", "--token", "wrong")
    assert got.returncode == 1 and "refused with 401" in got.stdout and got.stderr == "tocsinctl: not reached: received\n"
    box.broker.stop()
    got = hops(box, "deaf", "--token", plugin["token"], "--timeout-s", 1, code=1)
    assert got["on flash"]["reached"] and not got["upstream centre"]["reached"]
