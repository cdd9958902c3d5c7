# SPDX-License-Identifier: Apache-2.0
"""A short life of the whole box, for programs built with a sanitizer: `make test-asan` and `make test-tsan` give them in
TOCSIN_BIN_DIR. A finding ends the program that has it, here or as a child, and stands in the log."""
import http.client
import re
import threading
import time

import pytest

from appliance import event
from world import wait_for

CLIENTS = 8
SECONDS = 5
FINDING = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")


class Sender(threading.Thread):
    """Custom events whose every tenth recurs, so that alerts open and fold, beside standard ones that recover."""

    def __init__(self, box, plugin, source, number):
        super().__init__(daemon=True)
        self.box, self.plugin, self.source, self.number = box, plugin, source, number
        self.answered, self.statuses = 0, set()
        self.failure = None

    def run(self):
        try:
            self.send(time.monotonic() + SECONDS)
        except Exception as unexpected:  # shown by the test's own thread
            self.failure = unexpected

    def send(self, end):
        count = 0
        while time.monotonic() < end:
            items = [event(f"{self.number} {count + i}", target=f"t{count % 10}") for i in range(count % 3 + 1)]
            answer = self.box.push(self.plugin, *items)
            self.statuses.add(answer.status)
            self.answered += len(items) if answer.status == 200 else 0
            answer = self.box.post("/api/v1/events", {
                "alert_name": f"standard {self.number}", "event_id": f"{self.number} {count}", "time": int(time.time()),
                "status": "RECOVERED" if count % 4 == 3 else "ABNORMAL"}, {"X-BK-TOKEN": self.source["token"]})
            self.statuses.add(answer.status)
            self.answered += answer.status == 200
            self.statuses.add(self.box.post("/v2/push/", b"{" * (count % 64)).status)
            count += 1


@pytest.fixture
def box(make_appliance, make_broker, subscribe, fast_path):
    broker = make_broker(fast_path / "broker")
    subscriber = subscribe(broker)
    box = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    box.subscriber = subscriber
    return box


def ask_around(box):
    """What an operator may ask while the devices send."""
    for path in ("alerts", "events?limit=50", "audit", "audit/verify", "status"):
        box.get(f"/api/v1/{path}")
    for alert in box.get("/api/v1/alerts?limit=3")["items"]:
        done = box.run_ctl("alert", "ack", alert["id"], "--message", "seen")
        assert done.returncode in (0, 1) and not FINDING.search(done.stderr), done  # 1: it recovered in between
    assert box.api("GET", "/metrics").status == 200
    assert box.api("GET", "/").status == 200
    assert box.admin("POST", "/api/v1/alerts/ack", {}).status == 401


def test_load_questions_and_an_orderly_end_leave_no_finding(box):
    plugin = box.plugin("demo", "--alert", 2)
    source = box.plugin("standard", "--type", "alert_source")
    senders = [Sender(box, plugin, source, number) for number in range(CLIENTS)]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        ask_around(box)
    for sender in senders:
        assert sender.failure is None, (sender.failure, box.log_tail())
    statuses = set().union(*(sender.statuses for sender in senders))
    assert statuses <= {200, 400, 503}, statuses
    answered = sum(sender.answered for sender in senders)
    assert answered > 50
    box.wait_drained(120)
    wait_for(lambda: len(box.subscriber.events()) >= answered, 60, "all delivered", 0.2)
    assert len(box.events()) == answered
    assert box.upstream()["restarts"] == 0, box.log_tail()

    again = Sender(box, plugin, source, CLIENTS)
    again.start()
    time.sleep(0.5)
    code, _ = box.stop()
    again.join()
    assert isinstance(again.failure, (OSError, http.client.HTTPException)), again.failure
    log = box.log.read_text(errors="replace")
    assert not FINDING.search(log), log[:20_000]
    assert code == 0, log[-3000:]
