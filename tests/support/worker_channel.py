# SPDX-License-Identifier: Apache-2.0
"""For tests of a worker: tocsind's side of its socket (src/channel/FORMAT.md), a mosquitto of one's own, a subscriber,
and a broker that does what a script says. TOCSIN_BIN_DIR says where the programs are."""
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import paho.mqtt.client as paho

BIN = pathlib.Path(os.environ.get("TOCSIN_BIN_DIR", "build/release/bin")).resolve()
APPLIANCE = "00112233445566778899aabbccddeeff"
STORE = "ffeeddccbbaa99887766554433221100"
CREDIT = 600 * 1024
CONNECTING, CONNECTED, DISCONNECTED, REFUSED = range(4)
HELLO, STATE, CREDIT_FRAME, CONFIRM, PONG, LOG, RECORD = range(65, 72)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds=10, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} not within {seconds} s")


def text(value):
    raw = value.encode()
    return struct.pack("<H", len(raw)) + raw


def configure(servers, **other):
    fields = {"topic": "tocsin/{appliance}/{data_id}", "format": "bk", "username": "", "password": "", "ca": "",
              "cert": "", "key": "", **other}
    body = struct.pack("<H", 1)
    for value in ("centre", "mqtt", fields["topic"], fields["format"], APPLIANCE, STORE, "edge-01", "box", "10.0.0.1",
                  fields["username"], fields["password"], fields["ca"], fields["cert"], fields["key"]):
        body += text(value)
    return frame(1, body + bytes([len(servers)]) + b"".join(text(s) for s in servers))


def source(servers, topics, **other):
    fields = {"name": "plant", "kind": "mqtt", "username": "", "password": "", "mechanism": "", "ca": "", "cert": "",
              "key": "", **other}
    body = struct.pack("<H", 1)
    for value in (fields["name"], fields["kind"], APPLIANCE, STORE, fields["username"], fields["password"],
                  fields["mechanism"], fields["ca"], fields["cert"], fields["key"]):
        body += text(value)
    body += bytes([0, len(servers)]) + b"".join(text(s) for s in servers)
    return frame(5, body + bytes([len(topics)]) + b"".join(text(t) for t in topics))


def frame(kind, body=b""):
    return struct.pack("<IB", len(body) + 1, kind) + body


def data(session, items, lane=2, repeat=False, kind=0, boot=1, data_id=1500001):
    """items: (sequence, json bytes)"""
    body = struct.pack("<IBBBIiiq", session, lane, repeat, kind, boot, data_id, 2, 0) + text("demo")
    body += struct.pack("<I", len(items))
    for seq, raw in items:
        body += struct.pack("<QqBI", seq, 1700000000000 + seq, 1, len(raw)) + raw
    return frame(2, body)


class Worker:
    """tocsind's side of one worker."""
    program = "tocsin-mqtt"
    data_bytes_max = 6 << 20

    def __init__(self, limited=False):
        """`limited`: with the limits that tocsind sets; not for sanitizer builds."""
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        fd = theirs.fileno()

        def give_descriptor():
            os.dup2(fd, 3, inheritable=True)
            if limited:
                resource.setrlimit(resource.RLIMIT_DATA, (self.data_bytes_max, self.data_bytes_max))
                resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10))

        self.process = subprocess.Popen([BIN / self.program], preexec_fn=give_descriptor, close_fds=False,
                                        env={}, stderr=subprocess.PIPE)
        theirs.close()
        self.buffer = b""
        self.states = []  # (state, session, limit, reason, broker)
        self.confirmed = {}
        self.credit = 0
        self.session = 0
        self.pongs = []
        self.logs = []
        self.records = []  # of a source: (session, number, repeat, bytes of the message, topic, payload)
        self.hello = None
        self.closed = False

    def read(self, seconds=0.0):
        """Takes what is there; waits at most `seconds` for the first byte."""
        while not self.closed and select.select([self.sock], [], [], seconds)[0]:
            seconds = 0
            try:
                more = self.sock.recv(65536)
            except ConnectionError:
                more = b""
            self.closed = not more
            self.buffer += more
        while len(self.buffer) >= 5:
            length, kind = struct.unpack_from("<IB", self.buffer)
            if len(self.buffer) < 4 + length:
                break
            self.take(kind, self.buffer[5:4 + length])
            self.buffer = self.buffer[4 + length:]

    def take(self, kind, body):
        if kind == HELLO:
            self.hello = body
        elif kind == STATE:
            state, session, limit, size = struct.unpack_from("<BIIH", body)
            reason = body[11:11 + size].decode()
            self.states.append((state, session, limit, reason, body[13 + size:].decode()))
            self.session, self.credit = session, 0
        elif kind == CREDIT_FRAME:
            self.credit += struct.unpack("<I", body)[0]
            assert self.session and self.credit <= CREDIT
        elif kind == CONFIRM:
            lane, seq = struct.unpack("<BQ", body)
            assert seq > self.confirmed.get(lane, 0)
            self.confirmed[lane] = seq
        elif kind == PONG:
            self.pongs.append(struct.unpack("<Q", body)[0])
        elif kind == LOG:
            self.logs.append(body[3:].decode())
        elif kind == RECORD:
            session, number, partition, offset, flags, whole, size = struct.unpack_from("<IQiqBIH", body)
            assert (session, partition, offset) == (self.session, 0, -1)
            topic, payload = body[31:31 + size].decode(), body[35 + size:]
            self.records.append((session, number, bool(flags & 1), whole, topic, payload))
        else:
            raise AssertionError(f"frame type {kind}")

    def until(self, condition, seconds=15, what="frame from the worker"):
        def step():
            self.read(0.02)
            return condition()
        try:
            return wait_for(step, seconds, what)
        except AssertionError as late:
            raise AssertionError(f"{late}; states {self.states}, logs {self.logs}, confirmed {self.confirmed}, "
                                 f"exit {self.process.poll()}") from None

    def send(self, raw):
        self.sock.settimeout(10)
        self.sock.sendall(raw)

    def offer(self, items, **other):
        raw = data(self.session, items, **other)
        self.until(lambda: self.credit >= len(raw), what="credit")
        self.credit -= len(raw)
        self.send(raw)

    def settle(self):
        """Everything that has come in this session."""
        self.send(frame(7, struct.pack("<IQ", self.session, self.records[-1][1])))

    def reads(self, session=1):
        self.until(lambda: self.session == session, seconds=30, what="connected")

    def connected(self, session=None):
        self.until(lambda: self.session and self.credit and (session is None or self.session == session),
                   seconds=30, what="connected")

    def reached(self, state):
        self.until(lambda: any(s[0] == state for s in self.states), what=f"state {state}")
        return [s for s in self.states if s[0] == state][-1]

    def anonymous_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        raise AssertionError("no RssAnon")

    def end(self):
        self.sock.close()
        if self.process.poll() is None:
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()


class Broker:
    def __init__(self, folder, *lines, tls=None):
        self.folder = folder
        self.port = free_port()
        self.url = f"{'mqtts' if tls else 'mqtt'}://127.0.0.1:{self.port}"
        config = [f"listener {self.port} 127.0.0.1", "persistence false", f"user {'root' if os.getuid() == 0 else ''}"]
        config += [f"{k} {v}" for k, v in (tls or {}).items()]
        config += lines or ["allow_anonymous true"]
        self.config = folder / "mosquitto.conf"
        self.config.write_text("\n".join(line for line in config if not line.endswith(" ")) + "\n")
        self.process = None
        self.start()

    def start(self):
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        assert program, "mosquitto is not installed"
        self.process = subprocess.Popen([program, "-c", self.config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

        def listens():
            assert self.process.poll() is None, "mosquitto ended"
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for(listens, what="mosquitto")

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait()


class Subscriber:
    def __init__(self, port, topic="#", username=None, password=None):
        self.messages = []
        self.ready = threading.Event()
        self.client = paho.Client(protocol=paho.MQTTv5)
        if username:
            self.client.username_pw_set(username, password)
        self.client.on_connect = lambda c, *_: c.subscribe(topic, qos=1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = lambda c, u, m: self.messages.append(m)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.ready.wait(10)

    def documents(self, count, seconds=15):
        wait_for(lambda: len(self.messages) >= count, seconds, f"{count} messages, {len(self.messages)} came")
        return [json.loads(m.payload) for m in self.messages]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class FakeBroker:
    """Accepts, and runs `script` with each connection."""

    def __init__(self, script):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections = []
        self.script = script
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.guarded, args=(connection,), daemon=True).start()

    def guarded(self, connection):
        try:
            self.script(connection)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
        for connection in self.connections:
            connection.close()
