# SPDX-License-Identifier: Apache-2.0
"""Kills at random moments under load from eight clients: no answered event is lost, none is repeated without saying so.
TOCSIN_KILLS: rounds of each test (default 50). TOCSIN_SEED: the moments of an earlier run."""
import http.client
import json
import os
import random
import signal
import threading
import time

import pytest

from appliance import event
from world import seed_of_run, wait_for

ROUNDS = int(os.environ.get("TOCSIN_KILLS", "50"))
CLIENTS = 8


class Client(threading.Thread):
    """Sends events whose content nobody else has, one request at a time, and keeps which were answered 200."""

    def __init__(self, appliance, plugin, number, seed):
        super().__init__(daemon=True)
        self.appliance, self.plugin, self.number = appliance, plugin, number
        self.random = random.Random(f"{seed} client {number}")
        self.sent, self.answered, self.statuses = [], [], {}
        self.ending = threading.Event()
        self.failure = None

    def run(self):
        connection = None
        try:
            while not self.ending.is_set():
                contents = [f"client {self.number} event {len(self.sent) + i}" for i in range(self.random.choice((1, 1, 2, 5)))]
                self.sent += contents
                body = {"data_id": self.plugin["data_id"], "access_token": self.plugin["token"],
                        "data": [event(c) for c in contents]}
                try:
                    connection = connection or http.client.HTTPConnection("127.0.0.1", self.appliance.push_port, timeout=30)
                    connection.request("POST", "/v2/push/", json.dumps(body))
                    response = connection.getresponse()
                    answer = json.loads(response.read())
                    self.statuses[response.status] = self.statuses.get(response.status, 0) + 1
                    if response.status == 200:
                        assert answer["result"] == "true", answer
                        self.answered += contents
                except (OSError, http.client.HTTPException):
                    connection.close()
                    connection = None
                    self.statuses["no answer"] = self.statuses.get("no answer", 0) + 1
                    time.sleep(0.01)
                time.sleep(self.random.random() * 0.01)
        except Exception as unexpected:  # shown by the test's own thread
            self.failure = unexpected

    def end(self):
        self.ending.set()
        self.join(60)
        if self.failure:
            raise self.failure


class Load:
    def __init__(self, appliance, seed):
        self.appliance = appliance
        self.plugin = appliance.plugin()
        self.clients = [Client(appliance, self.plugin, number, seed) for number in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def end(self):
        for client in self.clients:
            client.end()
        statuses = {}
        for client in self.clients:
            for status, count in client.statuses.items():
                statuses[status] = statuses.get(status, 0) + count
        print(f"requests {statuses}, events answered 200: {sum(len(c.answered) for c in self.clients)}")
        assert set(statuses) <= {200, 503, "no answer"}, statuses

    def sent(self):
        return {content for client in self.clients for content in client.sent}

    def answered(self):
        return {content for client in self.clients for content in client.answered}


def check_delivered(subscriber, load):
    first, order, repeats = {}, [], 0
    for seq, item, repeat in subscriber.events():
        content = item["event"]["content"]
        if seq in first:
            assert first[seq] == item, f"sequence {seq} has two payloads: {first[seq]} and {item}"
            assert repeat, f"sequence {seq} came again and its envelope did not say so"
            repeats += 1
            continue
        first[seq] = item
        order.append((seq, content))
    delivered = {content for _, content in order}
    lost = load.answered() - delivered
    again = sum(m.is_redelivered for m in subscriber.messages)
    print(f"delivered {len(order)}, marked repeats {repeats}, redelivered by the broker {again}, lost {len(lost)}")
    assert not lost, f"{len(lost)} answered events lost, such as {sorted(lost)[:5]}"
    assert delivered <= load.sent(), "something was delivered that nobody sent"
    assert len(delivered) == len(order), "one event was stored twice"
    assert [seq for seq, _ in order] == sorted(seq for seq, _ in order), "out of order"
    return len(order)


def check_stored(appliance, load):
    stored = [e["event"]["event"]["content"] for e in appliance.events()]
    assert load.answered() <= set(stored) <= load.sent()
    assert len(stored) == len(set(stored))


@pytest.fixture
def site(make_appliance, make_broker, subscribe, fast_path):
    """A broker that keeps what it took, a subscriber that stays subscribed, an appliance that sends there."""
    broker = make_broker(fast_path / "broker", persistent=True)
    subscriber = subscribe(broker)
    appliance = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    return appliance, broker, subscriber


def finish(site, load):
    appliance, _, subscriber = site
    load.end()
    appliance.wait_drained(180)
    wait_for(lambda: load.answered() <= {i["event"]["content"] for _, i, _ in subscriber.events()}, 60, "all delivered", 0.5)
    check_delivered(subscriber, load)
    check_stored(appliance, load)
    appliance.verify_audit()


def test_a_killed_daemon_loses_nothing_it_answered(site):
    appliance, _, _ = site
    seed = seed_of_run()
    moments = random.Random(seed)
    load = Load(appliance, seed)
    for _ in range(ROUNDS):
        time.sleep(0.1 + moments.random() * 0.7)
        appliance.kill()
        appliance.start()
        appliance.verify_audit()
    assert appliance.status()["boot"] == ROUNDS + 1
    finish(site, load)


def test_a_killed_worker_loses_nothing(site):
    appliance, _, _ = site
    seed = seed_of_run()
    moments = random.Random(seed)
    load = Load(appliance, seed)
    killed = 0
    for _ in range(ROUNDS):
        pid = wait_for(appliance.worker_pid, what="a worker")
        time.sleep(0.1 + moments.random() * 0.7)
        if appliance.worker_pid() == pid:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        wait_for(lambda: appliance.worker_pid() not in (0, pid), 60, "a new worker")
    finish(site, load)
    assert killed == ROUNDS
    assert appliance.upstream()["restarts"] == ROUNDS


def test_a_broker_that_stops_and_starts_costs_nothing(site):
    _, broker, _ = site
    seed = seed_of_run()
    moments = random.Random(seed)
    load = Load(site[0], seed)
    for _ in range(ROUNDS):
        time.sleep(0.1 + moments.random() * 0.7)
        broker.stop()
        time.sleep(moments.random() * 0.2)
        broker.start()
    finish(site, load)
