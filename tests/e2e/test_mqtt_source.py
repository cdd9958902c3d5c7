# SPDX-License-Identifier: Apache-2.0
"""MQTT as a source, from a publisher over a real mosquitto into the log of one box, and through kills of each of the
three processes on the way. TOCSIN_SEED: the moments of an earlier run."""
import json
import os
import random
import shutil
import signal
import ssl
import threading
import time

import paho.mqtt.client as paho
import pytest

from appliance import Appliance
from world import Mosquitto, end_process, make_authority, memory_folder, seed_of_run, wait_for

NOW = int(time.time())  # old events open no alert, and a repeat has the time of the first
PROFILE = {"plugin_id": "plant", "name": "Plant", "type": "alert_source", "plugin_type": "http_push", "version": "1",
           "ingest_config": {"source_format": "json"},
           "normalization_config": [{"field": name, "expr": expression} for name, expression in (
               ("alert_name", "alert_name"), ("event_id", "event_id"), ("time", "time"), ("target", "device"),
               ("severity", "'1'"), ("status", "'ABNORMAL'"), ("tags", "{site: site}"), ("dimensions", "{site: site}"))]}


class Site:
    """A box that reads a plain broker, and one behind TLS."""

    def __init__(self, folder):
        authority = make_authority(folder / "tls")
        self.broker = Mosquitto(folder / "broker", persistent=True, start=False)
        self.secure = Mosquitto(folder / "secure", start=False, tls={
            "cafile": authority / "ca.pem", "certfile": authority / "server.pem", "keyfile": authority / "server.key"})
        topics = 'topics = ["{site}/{device}/alarm"]\nplugin = "plant"\nkind = "mqtt"'
        self.box = Appliance(folder / "box", f'[source.plant]\nservers = ["{self.broker.url}"]\n{topics}\n'
                                             f'[source.secure]\nservers = ["{self.secure.url}"]\n{topics}\n'
                                             f'ca_file = "{authority / "ca.pem"}"\n')
        # The memory of the second source comes from that of connections.
        self.box.config.write_text(self.box.config.read_text().replace("[http.push]", "[http.push]\nconnections_max = 64"))
        self.profile = folder / "profile.json"
        self.profile.write_text(json.dumps(PROFILE))
        self.ca = authority / "ca.pem"

    def start(self):
        self.broker.start()
        self.secure.start()
        self.box.start()
        self.plugin = self.box.ctl("plugin", "import", self.profile)[0]
        for name in ("plant", "secure"):
            wait_for(lambda name=name: self.status(name)["state"] == "connected", 20, lambda: self.box.status()["sources"])

    def status(self, name="plant"):
        return next(one for one in self.box.status()["sources"] if one["name"] == name)

    def alert(self, name):
        return wait_for(lambda: [one for one in self.box.alerts() if one["alert_name"] == name], 10, f"alert {name}", 0.05)[0]

    def ids(self):
        """The ids of the stored events, as often as they are there."""
        return [one["event"]["event_id"] for one in self.box.events() if "event_id" in one["event"]]

    def rejected(self, code):
        found = [one for one in self.box.ctl("reject", "list", "--plugin", self.plugin["data_id"]) if one["code"] == code]
        return self.box.ctl("reject", "show", found[0]["id"]) if found else None

    def end(self):
        self.box.end()
        self.broker.stop()
        self.secure.stop()


class Publisher:
    """Publishes with QoS 1 and connects again by itself; what the broker acknowledged is in `acknowledged`."""

    def __init__(self, port, ca=None):
        self.client = paho.Client(client_id=f"publisher-{port}", clean_session=False)
        if ca:
            self.client.tls_set(str(ca), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.reconnect_delay_set(0.1, 0.2)
        self.done = set()
        self.client.on_publish = lambda client, user, number: self.done.add(number)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.acknowledged = []

    def send(self, *messages, topic="north/pump/alarm"):
        out = [(m, self.client.publish(topic, m if isinstance(m, bytes) else json.dumps(m), qos=1).mid) for m in messages]
        for message, number in out:
            wait_for(lambda number=number: number in self.done, 30, "acknowledgement", 0.002)
            if isinstance(message, dict):
                self.acknowledged.append(message["event_id"])

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def site():
    folder = memory_folder()
    made = Site(folder)
    try:
        made.start()
        yield made
    finally:
        made.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def publisher(site):
    made = Publisher(site.broker.port)
    yield made
    made.close()


def message(number, name="Hot"):
    return {"alert_name": name, "event_id": f"{name} {number}", "time": NOW}


def test_a_message_opens_an_alert_with_the_levels_of_its_topic(site, publisher):
    publisher.send(message(1, "Opened"))
    alert = site.alert("Opened")
    assert (alert["target"], alert["severity"]) == ("pump", 1)
    stored = next(one["event"] for one in site.box.events() if one["event"].get("event_id") == "Opened 1")
    assert {"key": "site", "value": "north"} in stored["tags"], stored
    status = site.status()
    assert (status["kind"], status["plugin"], status["obstacle"]) == ("mqtt", "plant", "")
    assert status["settled"] >= 1


def test_the_same_over_tls_with_a_pinned_authority(site):
    publisher = Publisher(site.secure.port, site.ca)
    publisher.send(message(1, "Sealed"), topic="south/fan/alarm")
    assert site.alert("Sealed")["target"] == "fan"
    publisher.close()


def test_what_cannot_be_read_is_kept_aside_and_holds_nothing_up(site, publisher):
    publisher.send(b'{"alert_name": "torn', b"\xff" * 70_000, message(1, "Behind"))
    site.alert("Behind")
    torn = wait_for(lambda: site.rejected("json_invalid"), 15, lambda: site.box.ctl("reject", "list"), 0.1)
    assert "north/pump/alarm" in str(torn), torn
    large = wait_for(lambda: site.rejected("body_too_long"), 15, lambda: site.box.ctl("reject", "list"), 0.1)
    assert large["count"] == 1, large


class Stream(threading.Thread):
    """Messages without a pause until it is told to end."""

    def __init__(self, port, name):
        super().__init__(daemon=True)
        self.publisher, self.name_of_alert = Publisher(port), name
        self.ending = threading.Event()
        self.failure = None
        self.start()

    def run(self):
        try:
            number = 0
            while not self.ending.is_set():
                self.publisher.send(*[message(number + i, self.name_of_alert) for i in range(20)])
                number += 20
                time.sleep(0.005)
        except Exception as unexpected:  # shown by the test's own thread
            self.failure = unexpected

    def end(self):
        self.ending.set()
        self.join(60)
        self.publisher.close()
        assert self.failure is None, self.failure
        return self.publisher.acknowledged


def all_once(site, acknowledged):
    wait_for(lambda: set(acknowledged) <= set(site.ids()), 60,
             lambda: f"{len(set(acknowledged) - set(site.ids()))} of {len(acknowledged)} messages ({site.status()})", 0.2)
    stored = [one for one in site.ids() if one in set(acknowledged)]
    assert len(stored) == len(set(stored)) == len(acknowledged)


def test_kills_of_the_box_and_of_its_worker_lose_and_repeat_nothing(site):
    dice = random.Random(seed_of_run())
    stream = Stream(site.broker.port, "Streamed")
    for victim in ("worker", "box", "worker", "box"):
        wait_for(lambda: site.status()["state"] == "connected", 30, lambda: site.status())
        time.sleep(dice.uniform(0.05, 0.4))
        if victim == "box":
            site.box.kill()
            site.box.start()
        else:
            os.kill(site.status()["worker_pid"], signal.SIGKILL)
    wait_for(lambda: site.status()["state"] == "connected", 30, lambda: site.status())
    acknowledged = stream.end()
    assert len(acknowledged) > 200
    all_once(site, acknowledged)


def test_a_kill_of_the_broker_loses_and_repeats_nothing_that_it_had_saved(site):
    """mosquitto saves when asked, and not with each message: what it kept only in memory is its own loss."""
    publisher = Publisher(site.broker.port)
    worker = site.status()["worker_pid"]
    os.kill(worker, signal.SIGSTOP)
    publisher.send(*[message(number, "Saved") for number in range(300)])
    saved = site.broker.folder / "mosquitto.db"
    before = saved.stat().st_mtime_ns if saved.exists() else 0
    site.broker.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: saved.exists() and saved.stat().st_mtime_ns > before, 10, "the broker's file")
    os.kill(worker, signal.SIGCONT)
    time.sleep(0.03)
    end_process(site.broker.process, signal.SIGKILL)
    site.broker.start()
    publisher.send(*[message(number, "Saved") for number in range(300, 400)])
    all_once(site, publisher.acknowledged)
    publisher.close()
