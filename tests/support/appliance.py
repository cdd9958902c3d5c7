# SPDX-License-Identifier: Apache-2.0
"""For black-box tests: one tocsind with a folder, a configuration and free ports of its own."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from world import BIN, end_process, free_port, wait_for


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json()["data"]


def exchange(connection, method, path, body=None, headers=None):
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def event(content, name="e", target="t", dimension=None, timestamp=None):
    return {"event_name": name, "target": target, "event": {"content": content}, "dimension": dimension or {},
            "timestamp": timestamp or int(time.time() * 1000)}


LIVE = {"seen", "last_seen", "last_seen_ms", "silent_s", "events_per_minute", "requests_per_minute", "rejects_per_minute"}


def registered(plugin):
    """What is stored of an instance, without what it did lately."""
    return {name: value for name, value in plugin.items() if name not in LIVE}


class Appliance:
    def __init__(self, folder, extra="", upstreams=None, data_dir=None):
        """`upstreams`: {name: {key: value}}; `extra`: more lines of TOML, before them."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = pathlib.Path(data_dir or self.folder / "data")
        self.socket = self.folder / "s"
        self.push_port, self.admin_port = free_port(), free_port()
        self.config = self.folder / "tocsin.toml"
        self.log = self.folder / "tocsind.log"
        self.process = None
        self.config.write_text(self.toml(extra, upstreams or {}))

    def toml(self, extra, upstreams):
        lines = ["[appliance]", f'name = "e2e"\ndata_dir = "{self.data_dir}"', "[control]", f'socket = "{self.socket}"',
                 "[http.push]", f'listen = ["127.0.0.1:{self.push_port}"]', "[http.admin]",
                 f'listen = ["127.0.0.1:{self.admin_port}"]', extra]
        for name, keys in upstreams.items():
            lines.append(f"[upstream.{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in {"kind": "mqtt", **keys}.items()]
        return "\n".join(lines) + "\n"

    # Its life

    def launch(self, env=None, before=(), program=BIN / "tocsind"):
        """`before`: a command that the daemon's own is given to, which it must become."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*before, program, "--config", self.config], stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})})

    def start(self, env=None, seconds=30, before=()):
        self.launch(env, before)
        self.wait_ready(seconds)
        return self

    def wait_ready(self, seconds=30):
        def is_ready():
            assert self.process.poll() is None, f"tocsind ended with {self.process.returncode}: {self.log_tail()}"
            try:
                return exchange(UnixConnection(self.socket, 5), "GET", "/readyz").status == 200
            except (OSError, http.client.HTTPException):
                return False
        wait_for(is_ready, seconds, lambda: f"/readyz ({self.log_tail()})", 0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """(exit code, seconds it took)"""
        begun = time.monotonic()
        return end_process(self.process), time.monotonic() - begun

    def restart(self):
        assert self.stop()[0] == 0, self.log_tail()
        return self.start()

    def end(self):
        if self.process and self.process.poll() is None:
            end_process(self.process, signal.SIGTERM)

    def log_tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    # Operators

    def api(self, method, path, body=None):
        """Over the control socket, as its owner."""
        return exchange(UnixConnection(self.socket), method, path, body)

    def get(self, path):
        answer = self.api("GET", path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.data

    def admin(self, method, path, body=None, headers=None):
        """Over TCP, with whatever credentials are in `headers`."""
        return exchange(http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30), method, path, body, headers)

    def run_ctl(self, *words, stdin=""):
        words = [BIN / "tocsinctl", "--socket", self.socket, *map(str, words)]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60)

    def ctl(self, *words, code=0):
        got = self.run_ctl("--format", "json", *words)
        assert got.returncode == code, (words, got.stdout, got.stderr)
        return json.loads(got.stdout)

    def plugin(self, name="demo", *options):
        return self.ctl("plugin", "create", name, "--max-rate", 0, *options)

    def status(self):
        return self.get("/api/v1/status")

    def upstream(self):
        return self.status()["upstreams"][0]

    def worker_pid(self):
        return self.upstream()["worker_pid"]

    def all_pages(self, path, limit=500):
        """Every item of a list, and how many damaged ones were left out."""
        items, damaged, cursor = [], 0, ""
        for _ in range(10_000):
            page = self.get(f"{path}?limit={limit}{cursor}")
            items += page["items"]
            damaged += page["damaged"]
            if page["cursor"] is None:
                return items, damaged
            cursor = f"&cursor={page['cursor']}"
        raise AssertionError("the list has no end")

    def events(self):
        """Every stored event, oldest first."""
        return self.all_pages("/api/v1/events")[0][::-1]

    def alerts(self):
        return self.all_pages("/api/v1/alerts")[0]

    def audit_rows(self):
        return self.all_pages("/api/v1/audit")[0]

    def verify_audit(self):
        report = self.get("/api/v1/audit/verify")
        assert report["intact"], report
        return report

    # Devices

    def post(self, path, body, headers=None, method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.push_port, timeout=30)
        return exchange(connection, method, path, body, headers)

    def push(self, plugin, *items):
        body = {"data_id": plugin["data_id"], "access_token": plugin["token"], "data": list(items)}
        return self.post("/v2/push/", body)

    def wait_drained(self, seconds=60):
        """Until every event on flash is confirmed by the first upstream."""
        def is_drained():
            upstream = self.upstream()
            return upstream["state"] == "connected" and upstream["backlog_at_most"] == 0
        wait_for(is_drained, seconds, lambda: f"drained backlog ({self.upstream()})", 0.1)
