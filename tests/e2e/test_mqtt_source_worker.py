# SPDX-License-Identifier: Apache-2.0
"""tocsin-mqtt as a source, against a real mosquitto and against brokers of a script. This test plays tocsind: it holds
the other end of the worker's socket and decides when a record is settled."""
import pathlib
import ssl
import struct
import sys
import time

import paho.mqtt.client as paho
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from worker_channel import DISCONNECTED, REFUSED, Broker, FakeBroker, Worker, source, wait_for  # noqa: E402
from world import make_authority  # noqa: E402


@pytest.fixture
def worker():
    made = []

    def make(server, limited=False, **other):
        w = Worker(limited)
        made.append(w)
        w.send(source([server], ["+/+/alarm"], **other))
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
def publish(broker):
    """Every message published is one that the broker has acknowledged."""
    client = paho.Client(protocol=paho.MQTTv5)
    client.max_inflight_messages_set(100)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    def send(*payloads, qos=1):
        for one in [client.publish("hall/press/alarm", payload, qos=qos) for payload in payloads]:
            one.wait_for_publish(10)
    yield send
    client.disconnect()
    client.loop_stop()


def payloads(w):
    return [r[5] for r in w.records]


@pytest.mark.parametrize("kind", ["mqtt-5", "mqtt-3.1.1"])
def test_what_was_not_settled_comes_again_and_what_was_does_not(worker, broker, publish, kind):
    first = worker(broker.url, kind=kind)
    first.reads()
    publish(b"1", b"2", b"3")
    first.until(lambda: len(first.records) == 3)
    assert first.records[0] == (1, 1, False, 1, "hall/press/alarm", b"1")
    assert [r[1] for r in first.records] == [1, 2, 3]
    first.process.kill()
    first.process.wait()

    second = worker(broker.url, kind=kind)
    second.until(lambda: len(second.records) == 3)
    assert (payloads(second), [r[2] for r in second.records]) == ([b"1", b"2", b"3"], [True] * 3)
    second.settle()
    second.read(0.2)
    second.process.kill()
    second.process.wait()
    publish(b"4")  # nobody is there: the broker keeps it

    third = worker(broker.url, kind=kind)
    third.until(lambda: third.records)
    assert (payloads(third), third.records[0][2]) == ([b"4"], False)


def test_a_long_stream_comes_once_and_in_order(worker, broker, publish):
    w = worker(broker.url)
    w.reads()
    sent = [b"%d " % i + b"x" * (i % 7 * 400) for i in range(1500)]
    publish(*sent[:700])
    settled = 0

    def all_came():
        nonlocal settled
        if len(w.records) > settled:
            settled = len(w.records)
            w.settle()
        return settled == len(sent)
    w.until(lambda: all_came() or settled == 700)
    publish(*sent[700:])
    w.until(all_came)
    assert payloads(w) == sent
    assert {r[0] for r in w.records} == {1}


def test_no_more_than_the_window_is_sent_unsettled(worker, broker, publish):
    w = worker(broker.url)
    w.reads()
    publish(*[b"x" * 20_000] * 10)
    w.until(lambda: len(w.records) == 3)
    w.read(0.3)
    assert len(w.records) == 3
    w.settle()
    w.until(lambda: len(w.records) > 3)


def anonymous_peak_kib(w):
    """At most: mapped files never shrink here."""
    lines = pathlib.Path(f"/proc/{w.process.pid}/status").read_text().splitlines()
    kib = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return int(kib["VmHWM"]) - int(kib["RssFile"])


def test_a_large_message_is_cut_and_one_beyond_memory_left_out_with_a_word(worker, broker, publish):
    w = worker(broker.url, limited=True)
    w.reads()
    for size in (60_000, 60_001, 520_000):
        publish(b"y" * size)
        w.until(lambda: w.records and w.records[-1][3] == size)
        assert w.records[-1][5] == b"y" * min(size, 60_000)
        w.settle()
    publish(b"z" * 2_000_000, b"after")
    w.until(lambda: payloads(w)[-1] == b"after", seconds=30)
    assert "asked to drop those above 512 KiB" in w.reached(REFUSED)[3]
    print(f"anonymous memory {anonymous_peak_kib(w)} KiB at most")
    assert anonymous_peak_kib(w) <= 3 * 1024


def test_a_broker_that_forgot_the_session_is_named(worker, broker):
    w = worker(broker.url)
    w.reads()
    broker.stop()
    w.reached(DISCONNECTED)
    broker.start()
    w.reads(session=2)
    w.until(lambda: any("has not kept our session" in line for line in w.logs))


# Brokers of a script


def packet(kind, body):
    size, head = len(body), b""
    while True:
        head += bytes([size % 128 | (128 if size > 127 else 0)])
        size //= 128
        if size == 0:
            return bytes([kind]) + head + body


def publication(number, payload, qos=1):
    topic = b"hall/press/alarm"
    return packet(0x30 | qos << 1, struct.pack(">H", len(topic)) + topic +
                  (struct.pack(">H", number) if qos else b"") + b"\0" + payload)


def accept(connection, answer=0):
    """CONNECT and SUBSCRIBE of MQTT 5."""
    connection.recv(4096)
    connection.sendall(b"\x20\x03\x00\x00\x00")
    asked = connection.recv(4096)
    assert asked[0] == 0x82 and asked[-1] == 0x11, asked  # QoS 1, retained messages only the first time
    connection.sendall(b"\x90\x04" + asked[2:4] + b"\0" + bytes([answer]))


def test_nothing_is_acknowledged_on_the_wire_before_the_settle(worker):
    wire = []

    def script(connection):
        accept(connection, answer=1)
        connection.sendall(publication(11, b"a") + publication(12, b"b"))
        while data := connection.recv(4096):
            wire.append((time.monotonic(), data))
    with FakeBroker(script) as fake:
        w = worker(f"mqtt://127.0.0.1:{fake.port}")
        w.until(lambda: len(w.records) == 2)
        w.read(0.5)
        assert wire == []
        settled = time.monotonic()
        w.settle()
        wait_for(lambda: b"".join(d for _, d in wire) == b"\x40\x02\x00\x0b\x40\x02\x00\x0c", what="acknowledgements")
        assert wire[0][0] >= settled


def test_a_refused_topic_is_told_in_words(worker):
    with FakeBroker(lambda connection: (accept(connection, answer=0x87), connection.recv(1))) as fake:
        w = worker(f"mqtt://127.0.0.1:{fake.port}")
        assert w.reached(REFUSED)[3] == "topic +/+/alarm: Not authorized"


def test_a_broker_that_goes_while_records_are_unsettled_is_left_at_once(worker):
    def script(connection):
        accept(connection, answer=1)
        connection.sendall(b"".join(publication(n, b"x" * size) for n, size in ((1, 50_000), (2, 20_000), (3, 100))))
        time.sleep(0.3)
        connection.close()
    with FakeBroker(script) as fake:
        w = worker(f"mqtt://127.0.0.1:{fake.port}")
        w.until(lambda: w.records)
        w.until(lambda: w.states[-1][0] == DISCONNECTED, seconds=3)


def test_messages_that_tls_brings_in_one_piece_are_all_read(worker, tmp_path):
    make_authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    acknowledged = []

    def script(raw):
        connection = context.wrap_socket(raw, server_side=True)
        accept(connection, answer=1)
        connection.sendall(b"".join(publication(n, b"%d" % n) for n in range(1, 401)))
        while data := connection.recv(4096):
            acknowledged.append(data)
    with FakeBroker(script) as fake:
        w = worker(f"mqtts://127.0.0.1:{fake.port}", ca=(tmp_path / "ca.pem").read_text())
        w.until(lambda: len(w.records) == 400)
        w.settle()
        wait_for(lambda: len(b"".join(acknowledged)) == 1600, what="acknowledgements")
        assert payloads(w) == [b"%d" % n for n in range(1, 401)]
