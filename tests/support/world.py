# SPDX-License-Identifier: Apache-2.0
"""For black-box tests: ports, waiting, a mosquitto of one's own, a subscriber that keeps what it got, certificates."""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TOCSIN_BIN_DIR", ROOT / "build/release/bin")).resolve()


def seed_of_run():
    """TOCSIN_SEED replays a run that failed; the seed is printed with every failure."""
    seed = int(os.environ.get("TOCSIN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"seed {seed} (replay: TOCSIN_SEED={seed})")
    return seed


handed_out = set()


def free_port():
    """Below the range that the kernel takes for outgoing connections: a client that tries a port nobody listens on
    could else be connected to itself, and a daemon that restarts find its port taken. Never the same one twice."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in handed_out:
            handed_out.add(port)
            return port


def wait_for(condition, seconds=20, what="condition", every=0.02):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"{what() if callable(what) else what}: not within {seconds} s")
        time.sleep(every)


def end_process(process, how=signal.SIGTERM, seconds=15):
    """Ends a process that the caller started; its exit code."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"pid {process.pid} did not end within {seconds} s") from None


def memory_folder():
    """A folder whose files live in memory where there is one: for tests that kill processes, not machines."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 64 << 20 else None
    return pathlib.Path(tempfile.mkdtemp(prefix="tocsin-e2e-", dir=base))


class Mosquitto:
    """A broker on a free port. `lines` go to its configuration as they are."""

    def __init__(self, folder, lines=("allow_anonymous true",), persistent=False, tls=None, start=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"{'mqtts' if tls else 'mqtt'}://127.0.0.1:{self.port}"
        config = [f"listener {self.port} 127.0.0.1", "max_queued_messages 0", "max_packet_size 16777216", *lines]
        config += [f"{name} {value}" for name, value in (tls or {}).items()]
        if os.getuid() == 0:
            config.append("user root")
        if persistent:
            config += ["persistence true", f"persistence_location {self.folder}/", "autosave_interval 30"]
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text("\n".join(config) + "\n")
        self.process = None
        if start:
            self.start()

    def start(self):
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        assert program, "mosquitto is not installed"
        with open(self.folder / "mosquitto.log", "ab") as log:
            self.process = subprocess.Popen([program, "-c", self.config], stdout=log, stderr=log)

        def listens():
            assert self.process.poll() is None, (self.folder / "mosquitto.log").read_text()[-2000:]
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for(listens, what="mosquitto")

    def stop(self):
        if self.process and self.process.poll() is None:
            end_process(self.process, seconds=30)


class Delivery:
    """One MQTT message as it arrived."""
    __slots__ = ("topic", "payload", "mid", "dup", "connection", "is_redelivered")

    def __init__(self, message, connection):
        self.topic, self.payload, self.mid, self.dup = message.topic, message.payload, message.mid, message.dup
        self.connection = connection
        self.is_redelivered = False

    def document(self):
        return json.loads(self.payload)

    def items(self):
        """(sequence, item) of an envelope with events."""
        document = self.document()
        seqs = [seq for first, last in document["tocsin"]["seq"] for seq in range(first, last + 1)]
        assert len(seqs) == len(document["data"]), document["tocsin"]
        return list(zip(seqs, document["data"]))


class Subscriber:
    """Keeps every message in order, over reconnects: its session stays at the broker. What the broker itself sends again
    (marked DUP, or the unanswered packet of the connection before under its old packet id) is marked as redelivered when
    it had arrived: the broker marks also what it sent into a connection that was ending."""

    def __init__(self, port, topic="#", client_id="recorder", tls_ca=None, username=None, password=None):
        self.messages = []
        self.connections = 0
        self.last_of_mid = {}
        self.seen = set()
        self.subscribed = threading.Event()
        self.client = paho.Client(client_id=client_id, protocol=paho.MQTTv5)
        if tls_ca:
            self.client.tls_set(tls_ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        if username:
            self.client.username_pw_set(username, password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self.on_message
        self.topic = topic
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 86400
        self.client.connect("127.0.0.1", port, clean_start=False, properties=properties)
        self.client.loop_start()
        assert self.subscribed.wait(20), "no subscription"

    def on_connect(self, client, _user, _flags, reason, _properties=None):
        assert int(reason.value) == 0, reason
        self.connections += 1
        client.subscribe(self.topic, qos=1)

    def on_message(self, _client, _user, message):
        got = Delivery(message, self.connections)
        before = self.last_of_mid.get(got.mid)
        same_packet = (before is not None and before.connection < got.connection and before.payload == got.payload
                       and before.topic == got.topic)
        content = hash((got.topic, got.payload))
        got.is_redelivered = same_packet or (got.dup and content in self.seen)
        self.seen.add(content)
        self.last_of_mid[got.mid] = got
        self.messages.append(got)

    def events(self):
        """[(sequence, item, repeat)] of all envelopes with events, without what the broker sent again."""
        out = []
        for got in list(self.messages):
            if got.is_redelivered or got.topic.endswith(("/alerts", "/gaps")):
                continue
            repeat = got.document()["tocsin"]["repeat"]
            out += [(seq, item, repeat) for seq, item in got.items()]
        return out

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def make_authority(folder):
    """ca.pem, other.pem (an authority that signed nothing) and server.pem/.key for 127.0.0.1, in `folder`."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-days", "3650", "-subj", f"/CN=test {name}")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key", "-out",
            "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
            "-days", "3650", "-extfile", "extensions")
    (folder / "server.key").chmod(0o644)
    return folder
