# SPDX-License-Identifier: Apache-2.0
"""The largest requests: an idle box takes each of them, or says for good why not."""
import json
import threading
import time

import pytest

from appliance import event

LIMIT = 512_000
TARGETS = 100  # each opens an alert; the more, the longer a slow machine needs for the turn


def items_of(count, size, plugin):
    """So many events of TARGETS targets, in one body of about `size` bytes."""
    def item(i, text):
        return event(text, "large", f"host-{i % TARGETS}")
    bare = len(json.dumps({"data_id": plugin["data_id"], "access_token": plugin["token"],
                           "data": [item(i, "") for i in range(count)]}))
    text = "x" * max((size - bare) // count, 0)
    return [item(i, text) for i in range(count)]


@pytest.fixture
def loud(appliance):
    return appliance.plugin("loud", "--alert", 1)


@pytest.mark.parametrize("count, size", [(1, 350_000), (1, LIMIT), (100, 350_000), (100, LIMIT), (1000, 200_000),
                                         (1000, LIMIT), (2000, 300_000), (3000, LIMIT)])
def test_an_idle_box_takes_any_legal_push(appliance, loud, count, size):
    answer = appliance.push(loud, *items_of(count, size, loud))
    assert answer.status == 200, answer.body
    assert appliance.status()["events"]["accepted"] == count
    assert appliance.status()["alerts"]["opened"] == min(count, TARGETS)


@pytest.mark.parametrize("count, size", [(1, 350_000), (1, 500_000), (100, 500_000), (2000, 500_000)])
def test_an_idle_box_takes_any_legal_list_of_standard_events(appliance, count, size):
    source = appliance.plugin("source", "--type", "alert_source")
    text = "x" * (size // count - 100)
    events = [{"alert_name": "large", "target": f"host-{i % TARGETS}", "severity": 1, "description": text} for i in range(count)]
    answer = appliance.post("/api/v1/events", events, {"X-BK-TOKEN": source["token"]})
    assert answer.status == 200, answer.body
    assert [item["outcome"] for item in answer.json()["data"]["items"]] == [
        "opened" if i < TARGETS else "folded" for i in range(count)]


def test_what_can_never_fit_is_refused_for_good_and_in_words(appliance):
    source = appliance.plugin("source", "--type", "alert_source")
    tags = {str(100 + n): "" for n in range(256)}
    events = [{"alert_name": "large", "target": f"host-{i}", "tags": tags} for i in range(180)]  # stored as {key, value}
    answer = appliance.post("/api/v1/events", json.dumps(events, separators=(",", ":")).encode(),
                            {"X-BK-TOKEN": source["token"]})
    assert answer.status == 413, answer.body
    assert "send fewer at once" in answer.json()["message"]
    assert answer.json()["data"] == {"items": []}


def test_two_large_clients_at_once_both_get_through(appliance, loud):
    statuses = []

    def send():
        for _ in range(50):
            answer = appliance.push(loud, *items_of(100, LIMIT, loud))
            statuses.append(answer.status)
            if answer.status == 200:
                return
            assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.1)
    clients = [threading.Thread(target=send) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert statuses.count(200) == 2, statuses
