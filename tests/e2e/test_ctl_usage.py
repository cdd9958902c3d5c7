# SPDX-License-Identifier: Apache-2.0
"""tocsinctl against a stand-in for the daemon: exit codes, what it asks, what it prints."""
import http.server
import json
import os
import pathlib
import signal
import socketserver
import subprocess
import threading
import time
import urllib.parse

import pytest

BIN = pathlib.Path(os.environ.get("TOCSIN_BIN_DIR", "build/release/bin")).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = [
    {"plugin_id": "demo", "data_id": 10000001, "name": "演示", "type": "event", "alert": 2, "lane": "normal", "max_rate": -1, "enabled": True},
    {"plugin_id": "twice", "data_id": 7, "name": "first"},
    {"plugin_id": "twice", "data_id": 8, "name": "second"},
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        asked = (self.command, url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
                 json.loads(body) if body else None)
        self.server.asked.append(asked)
        status, answer, headers = self.server.answer(*asked)
        payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = serve


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True


def good(data):
    return 200, {"result": True, "code": 200, "message": "success", "request_id": "x", "data": data}, {}


def refused(status, message):
    return status, {"result": False, "code": status, "message": message, "request_id": "x", "data": None}, {}


def run_server(server):
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    return server


@pytest.fixture
def daemon(tmp_path):
    server = run_server(UnixServer(str(tmp_path / "s"), Handler))
    server.path = str(tmp_path / "s")
    server.routes = {("GET", "/api/v1/plugins"): good({"items": PLUGINS})}
    server.answer = lambda method, path, query, body: server.routes.get((method, path), refused(404, "no such path"))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def push():
    server = run_server(TcpServer(("127.0.0.1", 0), Handler))
    server.url = "http://127.0.0.1:%d" % server.server_address[1]
    server.busy = []

    def answer(*_):
        if server.busy:
            status = server.busy.pop(0)
            return status, {"code": str(status), "message": "no", "result": "false"}, {"Retry-After": "1"}
        return 200, {"code": "200", "message": "success", "request_id": "x", "result": "true"}, {}
    server.answer = answer
    yield server
    server.shutdown()
    server.server_close()


def ctl(*args, daemon=None, env=None, stdin=""):
    words = [str(BIN / "tocsinctl")] + (["--socket", daemon.path] if daemon else []) + [str(a) for a in args]
    environment = {k: v for k, v in os.environ.items() if k != "TOCSIN_SOCKET"} | (env or {})
    return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=30, env=environment)


def ctl_json(*args, daemon, code=0):
    got = ctl("--format", "json", *args, daemon=daemon)
    assert got.returncode == code, got.stderr
    return json.loads(got.stdout)


@pytest.mark.parametrize("words", [
    [], ["nope"], ["plugin"], ["plugin", "nope"], ["status", "extra"], ["plugin", "create"], ["alert", "ack", "1"],
    ["user", "add", "bob"], ["user", "add", "bob", "--role", "king"], ["--format", "xml", "status"], ["status", "--nope"],
    ["push", "--data-id", "1", "--token", "t"], ["push", "--data-id", "0", "--token", "t", "-"],
    ["push", "--data-id", "1", "--token", "t", "--content", "c"], ["push", "--data-id", "1", "--token", "t", "--dimension", "k", "-"],
    ["push", "--data-id", "1", "--token", "t", "--metric", "a=x"], ["push", "--token", "t", "-"], ["push", "--data-id", "1", "-"],
    ["push", "--data-id", "1", "--token", "t", "--batch", "0", "-"], ["push", "-report", "--data-id", "1"],
    ["push", "--data-id", "1", "--token", "t", "--idempotency-key", "a b", "-"], ["-report", "file"],
    ["plugin", "test", "demo"], ["plugin", "test", "demo", "--token", "t", "--timeout-s", "601"], ["bench", "--rate", "0"], ["bench", "--rate", "50001"], ["bench", "--seconds", "3601"], ["bench", "--connections", "129"],
    ["bench", "--batch", "1001"], ["events", "query", "--limit", "0"], ["events", "query", "--dimension", "k"], ["plugin", "update", "demo"], ["--socket"],
    ["user", "add", "bob", "--biz", "x", "--role", "viewer"],
])
def test_wrong_usage_is_one_line_and_exit_2(words):
    got = ctl(*words)
    assert (got.returncode, got.stdout, len(got.stderr.splitlines())) == (2, "", 1)
    assert got.stderr.startswith("tocsinctl: ")


@pytest.mark.parametrize("words", [
    ["alert", "close", "1"], ["alert", "log", "1"], ["alert", "assign", "1", "--to", "x"], ["alert", "snooze"], ["alert", "unack", "1"],
    ["alert", "comment", "1"], ["alert", "upgrade", "1"], ["upstream", "list"], ["upstream"], ["upstream", "drain", "centre"],
    ["audit", "export"], ["audit", "prune"], ["config", "export"], ["doctor"], ["doctor", "--help"], ["top"], ["backup", "x"], ["restore", "x"], ["support-bundle"], ["factory-reset", "--yes"], ["export"],
    ["import", "x"],
])
def test_a_known_command_that_is_absent_is_exit_1(words):
    got = ctl(*words)
    assert (got.returncode, got.stdout, len(got.stderr.splitlines())) == (1, "", 1)
    assert got.stderr.endswith(" is not in this version\n")


def test_the_version_is_told():
    got = ctl("--version")
    assert (got.returncode, got.stderr) == (0, "")
    daemon = subprocess.run([str(BIN / "tocsind"), "--version"], capture_output=True, text=True, timeout=30)
    assert got.stdout == daemon.stdout.replace("tocsind", "tocsinctl")


def test_a_user_for_some_businesses_is_refused_and_not_made(daemon):
    got = ctl("user", "add", "bob", "--role", "viewer", "--biz", 2, "--biz", 3, daemon=daemon)
    assert (got.returncode, got.stdout) == (1, "")
    assert "not supported yet" in got.stderr and not daemon.asked


@pytest.mark.parametrize("words", [[], ["plugin"], ["plugin", "create"], ["push"], ["bench"], ["config", "explain"]])
def test_help_is_on_stdout_and_exit_0(words):
    got = ctl(*words, "--help")
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout.startswith("usage: tocsinctl")


def test_a_missing_daemon_is_exit_1_and_names_the_socket(tmp_path):
    got = ctl("status", env={"TOCSIN_SOCKET": str(tmp_path / "none")})
    assert (got.returncode, got.stdout) == (1, "")
    assert str(tmp_path / "none") in got.stderr and "is tocsind running?" in got.stderr


def test_the_socket_comes_from_the_option_then_the_environment(daemon, tmp_path):
    daemon.routes["GET", "/api/v1/status"] = good({"version": "1"})
    assert ctl("status", env={"TOCSIN_SOCKET": daemon.path}).returncode == 0
    assert ctl("status", daemon=daemon, env={"TOCSIN_SOCKET": str(tmp_path / "none")}).returncode == 0


def test_a_refusal_is_exit_1_with_the_daemons_words(daemon):
    daemon.routes["GET", "/api/v1/status"] = refused(403, "not for you")
    got = ctl("status", daemon=daemon)
    assert (got.returncode, got.stdout, got.stderr) == (1, "", "tocsinctl: not for you\n")


@pytest.mark.parametrize("answer", [(200, b"<html>", {}), (200, b"", {}), (500, b"[]", {}), (200, b"{}", {})])
def test_an_answer_that_is_none_is_exit_1(daemon, answer):
    daemon.routes["GET", "/api/v1/status"] = answer
    got = ctl("status", daemon=daemon)
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith("tocsinctl: the daemon answered ")


STATUS = {
    "name": "edge-01", "version": "0.1.0", "appliance": "05c3", "store_id": "5c0a", "boot": 3, "uptime_ms": 19_320_000, "ready": True, "why": "",
    "local_flow_ok": True, "writer_stalled": False, "clock": {"wall": "2026-11-21T12:00:00Z", "trusted": True, "source": "x"},
    "events": {"next_seq": 18446744073709551615, "accepted": 151, "repeated": 0, "evicted": 0, "ids_ready": True},
    "alerts": {"open": 2, "opened": 5}, "store": {"ok": True, "used_bytes": 2097152, "quota_bytes": 268435456, "damaged_records": 0},
    "memory": {"rss_anon_bytes": 3145728, "rss_anon_peak_bytes": 4194304, "budget_bytes": 8388608, "ledger": [{"name": "turn", "limit_bytes": 1}]},
    "http": {"connections": 1, "requests": 9, "refused": 0, "rate_limited": 0, "refused_credentials": 0, "out_of_memory": 0},
    "upstreams": [{"name": "centre", "state": "connected", "detail": "mqtt://b", "since": "2026-11-21T11:00:00Z", "restarts": 0,
                   "confirmed_events": 150, "backlog_at_most": 1, "lanes": [{"lane": "normal", "last_seq": 1}]}],
}


def test_status_is_a_screen_for_people_or_everything(daemon):
    daemon.routes["GET", "/api/v1/status"] = good(STATUS)
    assert ctl_json("status", daemon=daemon) == STATUS
    lines = ctl("status", daemon=daemon).stdout.splitlines()
    assert 10 <= len(lines) <= 20
    for text in ("edge-01 (05c3)", "0.1.0", "ready", "5 h 22 min, boot 3", "2026-11-21T12:00:00Z, trusted", "2 open", "151 taken",
                 "2.0 MiB of 256.0 MiB (0 %)", "3.0 MiB of 8.0 MiB (37 %), peak 4.0 MiB", "connected: mqtt://b", "at most 1 wait"):
        assert sum(text in line for line in lines) == 1, text
    every = dict(line.split(None, 1) for line in ctl("status", "--all", daemon=daemon).stdout.splitlines() if " " in line.strip())
    assert every["events.next_seq"] == "18446744073709551615" and every["upstreams.centre.state"] == "connected" and len(every) > 30


def test_status_says_what_is_wrong(daemon):
    bad = json.loads(json.dumps(STATUS))
    bad.update(ready=False, why="the writer does not answer", upstreams=[])
    bad["clock"]["trusted"] = False
    bad["events"]["evicted"] = 7
    bad["store"].update(ok=False, damaged_records=2)
    bad["http"].update(rate_limited=4)
    daemon.routes["GET", "/api/v1/status"] = good(bad)
    shown = ctl("status", daemon=daemon).stdout
    for text in ("NOT READY: the writer does not answer", "NOT TRUSTED", "7 EVICTED", "NOT USABLE", "2 DAMAGED", "4 over their rate", "none"):
        assert text in shown, text
    daemon.routes["GET", "/api/v1/status"] = good({})
    assert ctl("status", daemon=daemon).returncode == 0


def test_lists_are_one_json_array(daemon):
    assert ctl_json("plugin", "list", daemon=daemon) == PLUGINS
    daemon.routes["GET", "/api/v1/users"] = good({"items": []})
    assert ctl_json("user", "list", daemon=daemon) == []


def test_tables_stay_aligned_with_wide_characters(daemon):
    lines = ctl("plugin", "list", daemon=daemon).stdout.splitlines()
    assert lines[0].startswith("DATA ID   PLUGIN  NAME    BIZ")
    assert lines[1].startswith("10000001  demo    演示    -")
    assert "\x1b" not in "".join(lines)


def test_plugin_create_sends_what_was_given_and_prints_three_members(daemon):
    daemon.routes["POST", "/api/v1/plugins"] = good({"plugin_id": "p", "data_id": 5, "token": "t", "more": 1})
    got = ctl_json("plugin", "create", "p", "--biz", 3, "--name", "N", "--type", "event", "--data-id", 5, "--token", "t",
                   "--alert", "off", "--lane", "critical", "--max-rate", -1, daemon=daemon)
    assert got == {"plugin_id": "p", "data_id": 5, "token": "t"}
    assert daemon.asked[-1][3] == {"plugin_id": "p", "type": "event", "data_id": 5, "token": "t", "bk_biz_id": 3, "name": "N",
                                   "alert": 0, "lane": "critical", "max_rate": -1}
    assert ctl("plugin", "create", "p", daemon=daemon).returncode == 0
    assert daemon.asked[-1][3] == {"plugin_id": "p"}


def test_an_instance_is_a_data_id_or_a_unique_plugin_id(daemon):
    daemon.routes["GET", "/api/v1/plugins/10000001"] = good(PLUGINS[0])
    assert ctl_json("plugin", "show", "10000001", daemon=daemon)["plugin_id"] == "demo"
    assert len(daemon.asked) == 1
    assert ctl_json("plugin", "show", "demo", daemon=daemon)["data_id"] == 10000001
    several = ctl("plugin", "show", "twice", daemon=daemon)
    assert several.returncode == 1 and "7 (first), 8 (second)" in several.stderr
    assert ctl("plugin", "show", "none", daemon=daemon).returncode == 1


def test_plugin_update_sends_only_what_changes(daemon):
    daemon.routes["POST", "/api/v1/plugins/10000001"] = good({"plugin_id": "demo", "data_id": 10000001})
    assert ctl("plugin", "update", "demo", "--alert", 3, daemon=daemon).returncode == 0
    assert daemon.asked[-1][3] == {"alert": 3}
    for action in ("disable", "enable", "delete"):
        daemon.routes["POST", "/api/v1/plugins/10000001/" + action] = good({"plugin_id": "demo", "data_id": 10000001})
        assert ctl("plugin", action, "demo", daemon=daemon).returncode == 0


def test_lists_follow_the_cursor_up_to_the_limit(daemon):
    def answer(method, path, query, _):
        assert (method, path) == ("GET", "/api/v1/alerts") and query["state"] == "ACK"
        first = int(query.get("cursor", 0))
        count = int(query["limit"])
        return good({"items": [{"id": str(i)} for i in range(first, first + count)], "cursor": str(first + count), "damaged": 0})
    daemon.answer = answer
    got = ctl_json("alert", "list", "--state", "ACK", "--limit", 230, daemon=daemon)
    assert [int(one["id"]) for one in got] == list(range(230))
    assert [one[2]["limit"] for one in daemon.asked] == ["100", "100", "30"]


@pytest.mark.parametrize("words, path", [(["alert", "list"], "/api/v1/alerts"), (["events", "query"], "/api/v1/events"),
                                         (["audit", "tail"], "/api/v1/audit")])
def test_a_list_that_the_default_limit_cut_says_so(daemon, words, path):
    stored = 101

    def answer(method, asked, query, _):
        assert (method, asked) == ("GET", path)
        first = int(query.get("cursor", 0))
        end = min(first + int(query["limit"]), stored)
        return good({"items": [{"id": str(i), "seq": i} for i in range(first, end)], "damaged": 0,
                     "cursor": str(end) if end - first == int(query["limit"]) else None})
    daemon.answer = answer
    hint = "tocsinctl: 100 shown, more exist: --limit N\n"
    got = ctl("--format", "json", *words, daemon=daemon)
    assert (got.returncode, len(json.loads(got.stdout)), got.stderr) == (0, 100, hint)
    assert ctl(*words, daemon=daemon).stderr == hint
    assert ctl(*words, "--limit", 100, daemon=daemon).stderr == ""
    stored = 100
    assert ctl(*words, daemon=daemon).stderr == ""


def test_damage_is_told(daemon):
    daemon.routes["GET", "/api/v1/alerts"] = good({"items": [], "cursor": None, "damaged": 2})
    got = ctl("alert", "list", daemon=daemon)
    assert got.returncode == 0 and "2 damaged records" in got.stderr


def test_ack_fails_when_an_alert_could_not_be_acknowledged(daemon):
    done = {"alerts_ack_success": ["1"], "alerts_not_exist": [], "alerts_already_ack": [], "alerts_not_abnormal": []}
    daemon.routes["POST", "/api/v1/alerts/ack"] = good(done)
    assert ctl_json("alert", "ack", "1", "2", "--message", "on it", daemon=daemon) == done
    assert daemon.asked[-1][3] == {"ids": ["1", "2"], "message": "on it"}
    daemon.routes["POST", "/api/v1/alerts/ack"] = good(done | {"alerts_not_exist": ["2"]})
    got = ctl("alert", "ack", "1", "2", "--message", "on it", daemon=daemon)
    assert (got.returncode, got.stdout) == (1, "acknowledged: 1\nnot acknowledged: 2 (no such alert)\n")
    daemon.routes["POST", "/api/v1/alerts/ack"] = good(done | {"alerts_already_ack": ["3"], "alerts_not_abnormal": ["4"]})
    assert ctl("alert", "ack", "1", "3", "4", "--message", "on it", daemon=daemon).stdout.splitlines() == [
        "acknowledged: 1", "not acknowledged: 3 (already acknowledged)", "not acknowledged: 4 (not abnormal)"]


def test_events_query_passes_its_filters(daemon):
    event = {"seq": 4, "received": "2026-01-01T00:00:00.000Z", "data_id": 10000001, "kind": "custom_event",
             "event": {"event_name": "e", "target": "t", "event": {"content": "c\x1b[31m"}}}
    daemon.routes["GET", "/api/v1/events"] = good({"items": [event], "cursor": None})
    got = ctl("events", "query", "--plugin", "demo", "--since", "2026-01-01T00:00:00+08:00", "--text", "磁盘 &", "--dimension", "k=a=b",
              daemon=daemon)
    assert got.returncode == 0, got.stderr
    assert daemon.asked[-1][2] == {"plugin": "10000001", "since": "2026-01-01T00:00:00+08:00", "text": "磁盘 &", "dimension": "k=a=b",
                                   "limit": "100"}
    assert got.stdout.splitlines()[1] == "4    2026-01-01T00:00:00.000Z  10000001  e      t       c [31m"


def test_events_query_goes_on_over_empty_pages_and_shows_what_it_has_when_stopped(daemon):
    running = []

    def answer(_method, _path, query, _body):
        at = int(query.get("cursor", "b100")[1:])
        if at == 90 and running:
            running[0].send_signal(signal.SIGINT)
        return good({"items": [{"seq": at}] if at == 95 else [], "complete": at == 1, "cursor": f"b{at - 1}" if at > 1 else None})
    daemon.answer = answer
    assert [one["seq"] for one in ctl_json("events", "query", daemon=daemon)] == [95]
    assert len(daemon.asked) == 100
    with subprocess.Popen([BIN / "tocsinctl", "--socket", daemon.server_address, "--format", "json", "events", "query"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        running.append(process)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)) == (1, [{"seq": 95}])
    assert err.startswith("tocsinctl: interrupted: these are not all; go on with --cursor b")


def test_events_tail_prints_each_event_once_in_order(daemon):
    events = [{"seq": s} for s in range(1, 4)]

    def answer(_method, _path, query, _body):
        if "after_seq" in query:
            events_after = [e for e in events if e["seq"] > int(query["after_seq"])]
            return good({"items": events_after, "cursor": None})
        answer_now = good({"items": list(reversed(events))[:int(query["limit"])], "cursor": None})
        if query["limit"] == "1" and len(events) < 6:
            events.append({"seq": len(events) + 1})
        return answer_now
    daemon.answer = answer
    got = ctl("--format", "json", "events", "tail", "--limit", 6, daemon=daemon)
    assert got.returncode == 0, got.stderr
    assert [json.loads(line)["seq"] for line in got.stdout.splitlines()] == [1, 2, 3, 4, 5, 6]


def test_audit_verify_fails_when_the_log_is_damaged(daemon):
    daemon.routes["GET", "/api/v1/audit/verify"] = good({"intact": True, "text": "good"})
    assert ctl("audit", "verify", daemon=daemon).returncode == 0
    daemon.routes["GET", "/api/v1/audit/verify"] = good({"intact": False, "text": "row 3"})
    got = ctl("audit", "verify", daemon=daemon)
    assert got.returncode == 1 and "row 3" in got.stdout


def test_accounts_are_made_and_removed(daemon):
    daemon.routes["POST", "/api/v1/users"] = good({"user": "bob", "password": "p"})
    assert ctl_json("user", "add", "bob", "--role", "viewer", daemon=daemon) == {"user": "bob", "password": "p"}
    assert daemon.asked[-1][3] == {"name": "bob", "role": "viewer"}
    daemon.routes["POST", "/api/v1/tokens"] = good({"name": "ci", "token": "t"})
    assert ctl_json("token", "create", "ci", "--role", "admin", "--expires", "2030-01-01T00:00:00Z", daemon=daemon) == {"name": "ci", "token": "t"}
    assert daemon.asked[-1][3] == {"name": "ci", "role": "admin", "expires": "2030-01-01T00:00:00Z"}
    daemon.routes["POST", "/api/v1/users/a%2Fb/delete"] = good({"user": "a/b"})
    assert ctl("user", "delete", "a/b", daemon=daemon).returncode == 0


def test_clock_set_without_a_time_vouches_for_the_present_one(daemon):
    daemon.routes["POST", "/api/v1/clock"] = good({"trusted": True})
    assert ctl("clock", "set", daemon=daemon).returncode == 0
    assert daemon.asked[-1][3] == {}
    assert ctl("clock", "set", "2026-01-01T00:00:00Z", daemon=daemon).returncode == 0
    assert daemon.asked[-1][3] == {"time": "2026-01-01T00:00:00Z"}


def test_push_makes_one_event_from_options(push):
    got = ctl("--format", "json", "push", "--url", push.url, "--data-id", 5, "--token", "tok", "--event-name", "e", "--target", "t",
              "--content", "磁盘", "--dimension", "a=1", "--dimension", "b=x=y", "--timestamp", 9)
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout) == {"events": 1, "requests": 1}
    assert push.asked == [("POST", "/v2/push/", {}, {"data_id": 5, "access_token": "tok", "data": [
        {"event_name": "e", "event": {"content": "磁盘"}, "target": "t", "dimension": {"a": "1", "b": "x=y"}, "timestamp": 9}]})]


def test_push_goes_to_the_daemon_of_the_control_socket(daemon, push):
    words = ["push", "--data-id", 5, "--token", "t", "--event-name", "e", "--target", "t", "--content", "c"]
    port = push.server_address[1]
    daemon.routes["GET", "/api/v1/config"] = good([{"key": "x", "value": 1}, {"key": "http.push.listen", "value": [f"0.0.0.0:{port}"]}])
    assert ctl_json(*words, daemon=daemon) == {"events": 1, "requests": 1}
    assert ctl(*words, env={"TOCSIN_SOCKET": daemon.path}).returncode == 0
    assert len(push.asked) == 2
    daemon.routes["GET", "/api/v1/config"] = good([{"key": "http.push.listen", "value": ["127.0.0.1:0"]}])
    got = ctl(*words, daemon=daemon)
    assert (got.returncode, got.stdout) == (1, "") and "--url" in got.stderr
    assert ctl(*words, "--url", push.url, daemon=daemon).returncode == 0


def test_push_does_not_fall_back_when_the_named_daemon_is_away(tmp_path):
    got = ctl("push", "--data-id", 5, "--token", "t", "--event-name", "e", "--target", "t", "--content", "c",
              env={"TOCSIN_SOCKET": str(tmp_path / "none")})
    assert (got.returncode, got.stdout) == (1, "") and "is tocsind running?" in got.stderr


def test_push_reads_text_and_json_lines_in_batches(push, tmp_path):
    lines = ["line %d" % i for i in range(150)] + ["", json.dumps({"event_name": "own", "n": 2**60})]
    (tmp_path / "f").write_text("\r\n".join(lines))
    got = ctl("push", "--url", push.url + "/", "--data-id", 5, "--token", "t", "--event-name", "log", "--target", "h", tmp_path / "f")
    assert (got.returncode, got.stdout) == (0, "151 events stored, 2 requests\n"), got.stderr
    items = [item for asked in push.asked for item in asked[3]["data"]]
    assert [i["event"]["content"] for i in items[:150]] == lines[:150]
    assert items[150] == {"event_name": "own", "n": 2**60}


def test_push_waits_as_it_is_told_and_tries_again(push):
    push.busy = [429, 503]
    began = time.monotonic()
    got = ctl("push", "--url", push.url, "--data-id", 5, "--token", "t", "--event-name", "e", "--target", "t", "-", stdin="a\nb\n")
    assert (got.returncode, got.stdout) == (0, "2 events stored, 3 requests\n")
    assert time.monotonic() - began >= 2
    assert push.asked[0] == push.asked[2]


def test_push_gives_up_on_a_refusal_and_says_what_was_stored(push):
    push.busy = [401]
    got = ctl("push", "--url", push.url, "--data-id", 5, "--token", "t", "--event-name", "e", "--target", "t", "-", stdin="a\n")
    assert (got.returncode, got.stdout, got.stderr) == (1, "0 events stored, 1 request\n", "tocsinctl: refused with 401: no\n")


def test_push_names_the_line_that_is_wrong_and_keeps_what_came_before(push):
    got = ctl("push", "--url", push.url, "--data-id", 5, "--token", "t", "-", stdin='{"a":1}\n{"a":\n')
    assert (got.returncode, got.stdout) == (1, "1 event stored, 1 request\n")
    assert "standard input:2: begins with { and is not a JSON object" in got.stderr


def test_push_without_a_listener_is_exit_1():
    got = ctl("push", "--url", "http://127.0.0.1:1", "--data-id", 5, "--token", "t", "--give-up-after", 0, "-", stdin='{"a":1}\n')
    assert got.returncode == 1 and "giving up after 1 try" in got.stderr and "no connection" in got.stderr


def test_config_check_needs_no_daemon(tmp_path):
    assert ctl("config", "check", ROOT / "conf/tocsin.toml").returncode == 0
    bad = tmp_path / "bad.toml"
    bad.write_text("[store]\nquota = 1\nretention_hours = 0\n")
    got = ctl("config", "check", bad)
    assert got.returncode == 1
    assert got.stderr.splitlines() == [f"{bad}:2: store.quota: unknown key; did you mean store.quota_bytes?",
                                       f"{bad}:3: store.retention_hours: must be from 1 to 87600, not 0"]
    assert ctl("config", "check", tmp_path / "none").returncode == 1


def test_config_check_warns_of_files_that_cannot_be_read(tmp_path):
    file = tmp_path / "c.toml"
    (tmp_path / "folder").mkdir()
    (tmp_path / "p").write_text("x")
    file.write_text(f'[upstream.a]\nkind = "mqtt"\nservers = ["mqtts://h"]\nca_file = "{tmp_path}/none.pem"\nusername = "u"\n'
                    f'password_file = "{tmp_path}/p"\ncert_file = "{tmp_path}/folder"\nkey_file = "{tmp_path}/p"\n')
    warnings = [f"{file}:4: upstream.a.ca_file: warning: {tmp_path}/none.pem: No such file or directory",
                f"{file}:7: upstream.a.cert_file: warning: {tmp_path}/folder: is not a file"]
    got = ctl("config", "check", file)
    assert (got.returncode, got.stdout, got.stderr.splitlines()) == (0, f"{file}: good, with warnings\n", warnings)
    assert json.loads(ctl("--format", "json", "config", "check", file).stdout) == {"ok": True, "warnings": 2}
    daemon = subprocess.run([str(BIN / "tocsind"), "--config", str(file), "--check"], capture_output=True, text=True, timeout=30)
    assert (daemon.returncode, daemon.stderr.splitlines()) == (0, warnings)


def test_config_explain_reads_a_file_or_asks_the_daemon(daemon, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("[store]\nretention_hours = 5\n")
    assert ctl_json("config", "explain", "store.retention_hours", "--config", file, daemon=daemon) == [
        {"key": "store.retention_hours", "value": 5, "layer": "file", "line": 2, "from": f"{file}:2"}]
    daemon.routes["GET", "/api/v1/config"] = good([{"key": "store.retention_hours", "value": 9, "layer": "file"}, {"key": "x.y", "value": 1}])
    assert ctl_json("config", "explain", "store", daemon=daemon) == [{"key": "store.retention_hours", "value": 9, "layer": "file"}]
    assert ctl("config", "explain", "nope", daemon=daemon).returncode == 1
    assert ctl("config", "explain", "nope", "--config", file, daemon=daemon).returncode == 1
    without = ctl("--format", "json", "config", "explain", "store.retention_hours", env={"TOCSIN_SOCKET": str(tmp_path / "none")})
    assert without.returncode == 0 and "no daemon answers" in without.stderr
    assert json.loads(without.stdout)[0]["key"] == "store.retention_hours"


def test_a_full_output_is_not_success(daemon):
    with open("/dev/full", "w") as full:
        got = subprocess.run([str(BIN / "tocsinctl"), "--socket", daemon.path, "plugin", "list"], stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert got.returncode == 1
