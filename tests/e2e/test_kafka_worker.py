# SPDX-License-Identifier: Apache-2.0
"""tocsin-kafka against Apache Kafka. This test plays tocsind: it holds the other end of the worker's socket and speaks
its frames."""
import concurrent.futures
import os
import struct
import subprocess
import time

import pytest

from kafka_broker import PASSWORD, USER
from kafka_worker import KafkaWorker
from worker_channel import BIN, DISCONNECTED, REFUSED, frame, free_port


@pytest.fixture
def worker(kafka):
    made = []

    def make(*servers, **other):
        made.append(KafkaWorker(*(servers or (kafka.server,)), **other))
        return made[-1]
    yield make
    for w in made:
        w.end()


def ca_of(kafka):
    return (kafka.folder / "tls/ca.pem").read_text()


def test_what_stands_in_the_partitions_arrives_in_order_and_what_comes_too(worker, kafka):
    for partition, codec in enumerate(("gzip", "lz4", "zstd")):
        kafka.produce("order", [b"%d/%d" % (partition, n) for n in range(200)], partition, "-z", codec)
    w = worker(topics=["order"])
    w.until(lambda: len(w.records) == 600)
    assert w.hello[4:].startswith(b"tocsin-kafka, librdkafka")
    assert w.states[-1][3:] == ("", kafka.server)
    assert sorted(w.assigned) == [("order", 0), ("order", 1), ("order", 2)]
    assert [record[1] for record in w.records] == list(range(1, 601))
    for partition in range(3):
        mine = [record for record in w.records if record[3] == partition]
        assert [(record[4], record[6]) for record in mine] == [(n, b"%d/%d" % (partition, n)) for n in range(200)]
    kafka.produce("order", [b"late"], 1)
    w.until(lambda: w.payloads()[600:] == [b"late"])


def test_it_begins_where_the_core_says_and_settles_what_it_is_told(worker, kafka):
    kafka.produce("again", [b"%d" % n for n in range(10)], 0)
    w = worker(topics=["again"], positions={("again", 0): 7}, settles=False)
    w.until(lambda: w.payloads() == [b"7", b"8", b"9"])


def test_the_window_stops_it_and_a_large_message_is_cut(worker, kafka):
    large = os.urandom(2_500_000).replace(b"\x1e", b"-")
    kafka.produce("large", [b"a" * 50_000, b"b" * 60_000, b"c" * 60_001, large], 0)
    w = worker(topics=["large"], settles=False)
    w.until(lambda: len(w.records) == 1)
    w.read(0.5)
    assert len(w.records) == 1
    for number in (1, 2, 3):
        w.settle(number)
        w.until(lambda: len(w.records) == number + 1)
    assert [(record[5], len(record[6])) for record in w.records] == [
        (50_000, 50_000), (60_000, 60_000), (60_001, 60_000), (2_500_000, 60_000)]
    assert w.records[-1][6] == large[:60_000]


def test_from_the_end_means_the_end_of_the_first_time(worker, kafka):
    kafka.produce("end", [b"old"] * 5, 0)
    w = worker(topics=["end"], from_end=True)
    w.until(lambda: ("end", 0, 4) in w.marks)
    w.end()
    kafka.produce("end", [b"while away"], 0)
    w = worker(topics=["end"], from_end=True, positions=w.positions)
    w.until(lambda: w.payloads() == [b"while away"])
    assert not any(mark[1] == 0 for mark in w.marks)


def test_what_the_broker_does_not_have_is_left_out_with_a_word(worker, kafka):
    kafka.produce("short", [b"one", b"two"], 0)
    w = worker(topics=["short"], positions={("short", 0): 1_000})
    w.until(lambda: w.payloads() == [b"one", b"two"])
    assert any("short [0]: the broker has nothing from offset 1000 on" in line for line in w.logs), w.logs


def test_tls_with_the_right_authority_and_a_password(worker, kafka):
    kafka.produce("secret", [b"x"], 0)
    for port, login in ((kafka.tls_port, {}), (kafka.sasl_port, {"username": USER, "password": PASSWORD})):
        w = worker(f"127.0.0.1:{port}", topics=["secret"], ca=ca_of(kafka), limited=True, **login)
        w.until(lambda: w.payloads() == [b"x"])


def test_a_wrong_password_another_authority_and_an_absent_broker_are_told_apart(worker, kafka):
    login = {"username": USER, "password": "wrong", "ca": ca_of(kafka)}
    assert "Invalid username or password" in worker(f"127.0.0.1:{kafka.sasl_port}", **login).reached(REFUSED)[3]
    other = (kafka.folder / "tls/other.pem").read_text()
    assert "certificate verify failed" in worker(f"127.0.0.1:{kafka.tls_port}", ca=other).reached(REFUSED)[3]
    assert "not in PEM" in worker(ca="nonsense").reached(REFUSED)[3]
    assert "refused" in worker(f"127.0.0.1:{free_port()}").reached(DISCONNECTED)[3]


def test_small_messages_by_the_thousand_stay_in_the_memory_that_it_has(worker, kafka):
    """The limits that tocsind sets; every record waits for its settlement."""
    topics = [f"many-{n}" for n in range(16)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda topic: kafka.produce(topic, [*(b"%d" % n for n in range(1_000)), b"x" * 900_000]), topics))
    w = worker(topics=topics, limited=True)
    peak = 0

    def all_there():
        nonlocal peak
        peak = max(peak, w.anonymous_kib())
        return len(w.records) == 16 * 1_001
    w.until(all_there, seconds=60)
    print(f"tocsin-kafka: RssAnon at most {peak} KiB, with 16 topics, now {w.anonymous_kib()}")
    assert peak <= 12 * 1024


def test_started_by_hand_it_says_so():
    with open(os.devnull) as null:
        done = subprocess.run([BIN / "tocsin-kafka"], stdin=null, capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (2, "tocsin-kafka: started by tocsind only\n")


def test_stop_and_the_end_of_its_parent_end_it_at_once(worker, kafka):
    w = worker(topics=["order"])
    w.connected()
    w.send(frame(3, struct.pack("<Q", 7)))
    w.until(lambda: w.pongs == [7])
    begun = time.monotonic()
    w.send(frame(4))
    assert w.process.wait(2) == 0 and time.monotonic() - begun < 1
    w = worker(topics=["order"])
    w.connected()
    w.sock.close()
    assert w.process.wait(2) == 0
