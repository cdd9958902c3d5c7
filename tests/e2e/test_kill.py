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


class RetryingClient(threading.Thread):
    """Sends standard events with ids and sends each again until it is answered 200, as a careful device does. Every fourth
    event of a name recovers its alert."""

    def __init__(self, appliance, plugin, number):
        super().__init__(daemon=True)
        self.appliance, self.number = appliance, number
        self.headers = {"Content-Type": "application/json", "X-BK-TOKEN": plugin["token"]}
        self.answered, self.outcomes = [], []
        self.ending = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.ending.is_set():
                count = len(self.answered)
                body = {"alert_name": f"client {self.number} alert {count // 40}", "event_id": f"{self.number}-{count}",
                        "time": int(time.time()), "status": "RECOVERED" if count % 4 == 3 else "ABNORMAL"}
                self.outcomes.append(self.send(json.dumps(body)))
                self.answered.append(body["event_id"])
                time.sleep(0.002)
        except Exception as unexpected:  # shown by the test's own thread
            self.failure = unexpected

    def send(self, body):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            connection = http.client.HTTPConnection("127.0.0.1", self.appliance.push_port, timeout=30)
            try:
                connection.request("POST", "/api/v1/events", body, self.headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status == 200:
                    return answer["data"]["items"][0]["outcome"]
                assert response.status == 503, answer
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.01)
        raise AssertionError(f"not taken within a minute: {body}")


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


def test_events_with_ids_that_are_sent_until_answered_are_stored_once_over_kills(site):
    appliance, _, subscriber = site
    seed = seed_of_run()
    moments = random.Random(seed)
    plugin = appliance.plugin("devices", "--type", "alert_source")
    clients = [RetryingClient(appliance, plugin, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(ROUNDS):
        time.sleep(0.1 + moments.random() * 0.5)
        appliance.kill()
        appliance.start()
        appliance.verify_audit()
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(90)
        assert client.failure is None, client.failure
    repeats = sum(client.outcomes.count("repeat") for client in clients)
    answered = [event_id for client in clients for event_id in client.answered]
    stored = [e["event"]["event_id"] for e in appliance.events()]
    print(f"answered {len(answered)}, of them {repeats} known from before a kill; stored {len(stored)}")
    assert sorted(stored) == sorted(answered)

    # Each client's alert saw its events in order: what it is now follows from how many there were.
    states = {}
    for client in clients:
        for count in range(len(client.answered)):
            states[f"client {client.number} alert {count // 40}"] = "RECOVERED" if count % 4 == 3 else "ABNORMAL"
    newest = {}
    for alert in appliance.alerts():
        newest.setdefault(alert["alert_name"], alert)
    assert {name: alert["state"] for name, alert in newest.items()} == states
    folded = sum(client.outcomes.count("folded") for client in clients)
    assert sum(alert["event_count"] for alert in appliance.alerts()) == sum(
        1 for client in clients for count in range(len(client.answered)) if count % 4 != 3), folded

    appliance.wait_drained(120)
    wait_for(lambda: {i["event_id"] for _, i, _ in subscriber.events()} == set(answered), 60, "all delivered", 0.5)
    transitions = {}
    for message in subscriber.messages:
        if message.topic.endswith("/alerts") and not message.is_redelivered:
            document = message.document()
            here = document.pop("tocsin")
            seq = here["seq"][0][0]
            assert seq not in transitions or here["repeat"] and transitions[seq] == document, document
            transitions[seq] = document
    opened = [d["id"] for d in transitions.values() if d["transition"] == "opened"]
    assert sorted(opened) == sorted(a["id"] for a in appliance.alerts())
    recovered = [d["id"] for d in transitions.values() if d["transition"] == "recovered"]
    assert sorted(recovered) == sorted(a["id"] for a in appliance.alerts() if a["state"] == "RECOVERED")


def test_everything_fails_at_once_and_nothing_is_lost(site):
    appliance, broker, _ = site
    seed = seed_of_run()
    moments = random.Random(seed)
    load = Load(appliance, seed)
    for _ in range(max(ROUNDS // 5, 1)):
        victims = [victim for victim in ("daemon", "worker", "broker") if moments.random() < 0.7]
        moments.shuffle(victims)
        for victim in victims:
            time.sleep(moments.random() * 0.3)
            if victim == "daemon":
                appliance.kill()
                appliance.start()
            elif victim == "worker" and appliance.worker_pid():
                os.kill(appliance.worker_pid(), signal.SIGKILL)
            elif victim == "broker":
                broker.stop()
        if broker.process.poll() is not None:
            broker.start()
        appliance.verify_audit()
    finish(site, load)
