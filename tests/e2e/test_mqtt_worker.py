# SPDX-License-Identifier: Apache-2.0
"""tocsin-mqtt against a real mosquitto, and against brokers that misbehave. This test plays tocsind: it holds the other
end of the worker's socket and speaks its frames."""
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from worker_channel import (APPLIANCE, BIN, CREDIT, DISCONNECTED, REFUSED, STORE, Broker, FakeBroker, Subscriber, Worker,  # noqa: E402
                            configure, data, frame, free_port, wait_for)


@pytest.fixture
def worker():
    made = []

    def make(*servers, limited=False, **other):
        w = Worker(limited)
        made.append(w)
        if servers:
            w.send(configure(servers, **other))
        return w
    yield make
    for w in made:
        w.end()


@pytest.fixture
def broker(tmp_path):
    b = Broker(tmp_path)
    yield b
    b.stop()


@pytest.fixture
def subscriber(broker):
    s = Subscriber(broker.port)
    yield s
    s.close()


def item(seq, size=0):
    return seq, json.dumps({"event_name": "e", "n": seq, "pad": "x" * size}).encode()


def test_what_is_offered_arrives_in_order_and_is_confirmed(worker, broker, subscriber):
    w = worker(broker.url)
    w.connected()
    assert w.hello[4:].startswith(b"tocsin-mqtt")
    assert (w.session, w.credit) == (1, CREDIT)
    assert w.states[-1][3:] == ("MQTT 5", f"127.0.0.1:{broker.port}")
    for first in range(1, 3001, 10):
        w.offer([item(seq) for seq in range(first, first + 10)], lane=2 if first % 20 == 1 else 1)
    w.until(lambda: w.confirmed == {1: 3000, 2: 2990})
    w.until(lambda: w.credit == CREDIT)
    documents = subscriber.documents(300)
    assert [i["n"] for d in documents for i in d["data"]] == list(range(1, 3001))
    assert documents[0] == {
        "dataid": 1500001, "bk_data_id": 1500001, "bk_biz_id": 2, "version": "", "time": 1700000000,
        "timestamp": 1700000000, "hostname": "box", "ip": "10.0.0.1",
        "data": [json.loads(item(seq)[1]) for seq in range(1, 11)],
        "tocsin": {"appliance": APPLIANCE, "store": STORE, "boot": 1, "lane": "normal", "seq": [[1, 10]],
                   "repeat": False}}
    message = subscriber.messages[0]
    assert message.topic == f"tocsin/{APPLIANCE}/1500001"
    assert (message.qos, message.retain) == (1, 0)
    assert dict(message.properties.UserProperty) == {
        "tocsin-appliance": APPLIANCE, "tocsin-store": STORE, "tocsin-boot": "1", "tocsin-lane": "normal",
        "tocsin-repeat": "false", "tocsin-seq": "1-10"}


def test_alert_transitions_have_a_topic_of_their_own(worker, broker, subscriber):
    w = worker(broker.url)
    w.connected()
    w.offer([(5, b'{"id":"a"}'), (9, b'{"id":"b"}')], lane=0, kind=1, repeat=True)
    w.until(lambda: w.confirmed == {0: 9})
    documents = subscriber.documents(2)
    assert [m.topic for m in subscriber.messages] == [f"tocsin/{APPLIANCE}/alerts"] * 2
    assert [(d["id"], d["tocsin"]["seq"], d["tocsin"]["repeat"]) for d in documents] == [
        ("a", [[5, 5]], True), ("b", [[9, 9]], True)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restarted_broker_gets_a_new_session_and_nothing_unasked(worker, broker, how):
    w = worker(broker.url)
    w.connected()
    w.offer([item(1)])
    w.until(lambda: w.confirmed == {2: 1})
    broker.stop(how)
    w.reached(DISCONNECTED)
    assert w.credit == 0
    w.send(data(1, [item(2)]))  # was on its way
    broker.start()
    subscriber = Subscriber(broker.port)
    w.connected(session=2)
    assert w.credit == CREDIT
    w.send(data(1, [item(3)]))  # was meant for the session before
    w.offer([item(2), item(3)], repeat=True)
    w.until(lambda: w.confirmed == {2: 3})
    documents = subscriber.documents(1)
    time.sleep(0.3)
    assert [d["tocsin"] for d in documents] == [
        {"appliance": APPLIANCE, "store": STORE, "boot": 1, "lane": "normal", "seq": [[2, 3]], "repeat": True}]
    assert len(subscriber.messages) == 1
    subscriber.close()


def test_a_broker_killed_under_load_costs_only_marked_repeats(worker, broker):
    w = worker(broker.url)
    last = 400
    for round_number in range(3):
        w.connected(session=round_number + 1)
        durable = w.confirmed.get(2, 0)
        session = w.session
        for seq in range(durable + 1, last + 1):
            if w.session != session or w.credit < 4096:
                break
            w.offer([item(seq, 500)], repeat=round_number > 0)
            if round_number < 2 and seq == durable + 60:
                broker.stop(signal.SIGKILL)
                w.until(lambda: w.states[-1][0] == DISCONNECTED)
                broker.start()
                break
    w.until(lambda: w.confirmed.get(2) == last)


def test_the_second_server_is_used_when_the_first_is_away(worker, broker):
    w = worker(f"mqtt://127.0.0.1:{free_port()}", broker.url)
    w.connected()
    assert w.states[-1][4] == f"127.0.0.1:{broker.port}"
    assert any("refused" in line for line in w.logs), w.logs


def test_a_wrong_password_is_refused_in_words(worker, tmp_path):
    (tmp_path / "users").write_text("")
    subprocess.run(["mosquitto_passwd", "-b", tmp_path / "users", "edge", "right"], check=True, capture_output=True)
    os.chmod(tmp_path / "users", 0o644)
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {tmp_path}/users")
    try:
        wrong = worker(broker.url, username="edge", password="wrong")
        assert "uthori" in wrong.reached(REFUSED)[3]
        nobody = worker(broker.url)
        assert "uthori" in nobody.reached(REFUSED)[3]
        right = worker(broker.url, username="edge", password="right")
        right.connected()
    finally:
        broker.stop()


def test_a_message_the_broker_does_not_keep_is_not_confirmed(worker, tmp_path):
    (tmp_path / "acl").write_text("topic write allowed/#\n")
    broker = Broker(tmp_path, "allow_anonymous true", f"acl_file {tmp_path}/acl")
    try:
        w = worker(broker.url)
        w.connected()
        w.offer([item(1)])
        assert "message not kept" in w.reached(REFUSED)[3]
        assert w.confirmed == {}
        w.connected(session=2)
    finally:
        broker.stop()


def test_a_batch_above_the_brokers_limit_is_split_and_one_event_above_it_reported(worker, tmp_path):
    broker = Broker(tmp_path, "allow_anonymous true", "max_packet_size 20000")
    subscriber = Subscriber(broker.port)
    try:
        w = worker(broker.url)
        w.connected()
        assert w.states[-1][2] == 20000
        w.offer([item(seq, 1000) for seq in range(1, 101)])
        w.until(lambda: w.confirmed == {2: 100})
        documents = subscriber.documents(7)
        assert [i["n"] for d in documents for i in d["data"]] == list(range(1, 101))
        w.offer([item(101, 30000)])
        assert "event 101" in w.reached(REFUSED)[3]
        assert w.confirmed == {2: 100}
    finally:
        subscriber.close()
        broker.stop()


# TLS


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Two authorities; the first has signed certificates for 127.0.0.1, for another name, and for a client."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
                "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    for name, alternative in (("server", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example"),
                              ("client", "DNS:edge")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        (folder / "extension").write_text(f"subjectAltName={alternative}\n")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                "-CAcreateserial", "-days", 2, "-extfile", folder / "extension", "-out", folder / f"{name}.pem")
    for key in folder.glob("*.key"):
        key.chmod(0o644)
    return folder


def tls_broker(tmp_path, authority, certificate, *lines):
    return Broker(tmp_path, "allow_anonymous true", *lines,
                  tls={"cafile": authority / "ca.pem", "certfile": authority / f"{certificate}.pem",
                       "keyfile": authority / f"{certificate}.key"})


def test_tls_with_the_right_authority_delivers(worker, tmp_path, authority):
    broker = tls_broker(tmp_path, authority, "server")
    try:
        w = worker(broker.url, ca=(authority / "ca.pem").read_text())
        w.connected()
        w.offer([item(1, 300_000)])
        w.until(lambda: w.confirmed == {2: 1})
    finally:
        broker.stop()


@pytest.mark.parametrize("certificate, ca", [("server", "other"), ("elsewhere", "ca")])
def test_tls_refuses_another_authority_and_another_name(worker, tmp_path, authority, certificate, ca):
    broker = tls_broker(tmp_path, authority, certificate)
    try:
        w = worker(broker.url, ca=(authority / f"{ca}.pem").read_text())
        assert w.reached(REFUSED)[3].startswith("TLS: ")
        assert "certificate verify failed" in w.states[-1][3]
    finally:
        broker.stop()


def test_tls_shows_the_client_certificate_when_asked(worker, tmp_path, authority):
    broker = tls_broker(tmp_path, authority, "server", "require_certificate true")
    try:
        ca = (authority / "ca.pem").read_text()
        with_one = worker(broker.url, ca=ca, cert=(authority / "client.pem").read_text(),
                          key=(authority / "client.key").read_text())
        with_one.connected()
        without = worker(broker.url, ca=ca)
        without.until(lambda: without.states and without.states[-1][0] in (REFUSED, DISCONNECTED))
    finally:
        broker.stop()


def test_tls_that_stops_in_the_handshake_is_given_up_without_spinning(worker, authority):
    with FakeBroker(lambda connection: None) as fake:
        w = worker(f"mqtts://127.0.0.1:{fake.port}", ca=(authority / "ca.pem").read_text())
        wait_for(lambda: fake.connections, what="connection")
        before = cpu_seconds(w.process.pid)
        time.sleep(1)
        assert cpu_seconds(w.process.pid) - before < 0.2
        fake.connections[0].close()
        w.until(lambda: w.states[-1][0] in (DISCONNECTED, REFUSED), seconds=5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_below_1_2_is_refused(worker, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    outcome = []

    def handshake(connection):
        try:
            context.wrap_socket(connection, server_side=True)
            outcome.append("spoke")
        except (ssl.SSLError, OSError):
            outcome.append("refused")
    with FakeBroker(handshake) as fake:
        w = worker(f"mqtts://127.0.0.1:{fake.port}", ca=(authority / "ca.pem").read_text())
        w.until(lambda: w.states[-1:] and w.states[-1][0] in (DISCONNECTED, REFUSED))
        wait_for(lambda: outcome)
        assert set(outcome) == {"refused"}


# Brokers that misbehave


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect_version(connection):
    """Reads CONNECT; the protocol level it asks for."""
    raw = connection.recv(4096)
    return raw[raw.index(b"MQTT") + 4]


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00"])
def test_a_broker_without_mqtt_5_is_spoken_to_in_3_1_1(worker, answer):
    versions = []

    def script(connection):
        versions.append(connect_version(connection))
        if versions[-1] == 5:
            connection.sendall(answer)
            connection.close()
            return
        connection.sendall(b"\x20\x02\x00\x00")
        packet = connection.recv(65536)
        size = struct.unpack(">H", packet[2:4])[0] if packet[1] < 128 else struct.unpack(">H", packet[3:5])[0]
        at = (4 if packet[1] < 128 else 5) + size
        connection.sendall(b"\x40\x02" + packet[at:at + 2])
        connection.recv(1)
    with FakeBroker(script) as fake:
        w = worker(f"mqtt://127.0.0.1:{fake.port}")
        w.connected()
        assert w.states[-1][3] == "MQTT 3.1.1"
        assert versions == [5, 4]
        w.offer([item(1)])
        w.until(lambda: w.confirmed == {2: 1})


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff\xff\xff", b"\x40\x02\x00\x00", b"\x20\x00", b"\x90\x01\x00"])
def test_a_malformed_packet_ends_the_connection_not_the_worker(worker, garbage):
    count = []

    def script(connection):
        count.append(connect_version(connection))
        connection.sendall(b"\x20\x03\x00\x00\x00")
        if len(count) == 1:
            time.sleep(0.2)
            connection.sendall(garbage)
        connection.recv(1)
    with FakeBroker(script) as fake:
        w = worker(f"mqtt://127.0.0.1:{fake.port}")
        w.connected(session=2)
        assert w.process.poll() is None
        assert [s[0] for s in w.states].count(DISCONNECTED) == 1


def test_a_broker_that_never_answers_is_left_after_ten_seconds(worker, broker):
    with FakeBroker(lambda connection: None) as fake:
        w = worker(f"mqtt://127.0.0.1:{fake.port}", broker.url)
        w.send(frame(3, struct.pack("<Q", 7)))
        w.until(lambda: w.pongs == [7], seconds=1, what="pong during the attempt")
        w.connected()
        assert w.states[-1][4] == f"127.0.0.1:{broker.port}"


# Life and death


def test_started_by_hand_it_says_so(tmp_path):
    with open(os.devnull) as null:
        done = subprocess.run([BIN / "tocsin-mqtt"], stdin=null, capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (2, "tocsin-mqtt: started by tocsind only\n")


def test_the_end_of_its_parent_ends_it(worker, broker):
    w = worker(broker.url)
    w.connected()
    w.sock.close()
    assert w.process.wait(2) == 0


def test_stop_sends_what_is_out_and_ends_within_a_second(worker, broker, subscriber):
    w = worker(broker.url)
    w.connected()
    w.offer([item(1)])
    subscriber.documents(1)
    begun = time.monotonic()
    w.send(frame(4))
    assert w.process.wait(2) == 0
    assert time.monotonic() - begun < 1
    w.read(0.1)
    assert w.confirmed == {2: 1}


@pytest.mark.parametrize("raw", [frame(99), frame(65, b"\1\0\0\0"), frame(3, b"short"), struct.pack("<IB", 700_000, 2),
                                 frame(4, b"x"), frame(2, b"\0" * 40)])
def test_a_broken_frame_ends_it_with_status_3(worker, raw):
    w = worker()
    w.send(raw)
    assert w.process.wait(2) == 3


@pytest.mark.parametrize("secure", [False, True])
def test_memory_stays_below_3_mib_with_the_largest_frames(worker, tmp_path, authority, secure):
    if secure:
        broker = tls_broker(tmp_path, authority, "server")
        w = worker(broker.url, limited=True, ca=(authority / "ca.pem").read_text())
    else:
        broker = Broker(tmp_path)
        w = worker(broker.url, limited=True)
    try:
        w.connected()
        peak = 0
        largest = CREDIT - len(data(1, [item(1)])) - 10
        for seq in range(1, 31):
            w.offer([item(seq, largest)])
            end = time.monotonic() + 10
            while w.confirmed.get(2) != seq and time.monotonic() < end:
                peak = max(peak, w.anonymous_kib())
                w.read()
        for seq in range(31, 400):
            w.offer([item(seq, 5000)])
            peak = max(peak, w.anonymous_kib())
        w.until(lambda: w.confirmed == {2: 399})
        print(f"RssAnon peak {peak} KiB, after {w.anonymous_kib()} KiB")
        assert peak <= 3 * 1024
    finally:
        broker.stop()


def test_a_core_that_stops_reading_does_not_block_or_grow_it(worker, broker):
    w = worker(broker.url)
    w.connected()
    for token in range(20_000):  # its answers are not read
        w.send(frame(3, struct.pack("<Q", token)))
    assert w.anonymous_kib() <= 3 * 1024
    w.until(lambda: w.pongs and w.pongs[-1] == 19_999)
