# SPDX-License-Identifier: Apache-2.0
"""The reject box from outside: what known sources were refused, over kill -9, sent again, and the alert about it."""
import json
import shutil
import time

import pytest

from appliance import Appliance, event
from world import memory_folder, wait_for

ITEM = {"event_name": "e", "target": "t", "event": {"content": "c"}}


def without(name):
    return {key: value for key, value in ITEM.items() if key != name}


# One wrong batch for each rule that /v2/push/ checks behind the token.
WRONG = {
    "data_type": {},
    "data_empty": [],
    "event_name_missing": [without("event_name")],
    "event_target_missing": [without("target")],
    "event_missing": [without("event")],
}


@pytest.fixture(scope="module")
def box():
    folder = memory_folder()
    appliance = Appliance(folder / "box").start()
    yield appliance
    appliance.end()
    shutil.rmtree(folder, ignore_errors=True)


def rejects(box, plugin):
    return {one["code"]: one for one in box.ctl("reject", "list", "--plugin", plugin["data_id"])}


def wait_rejects(box, plugin, count):
    """Written at once when nothing was for 10 s, else then."""
    wait_for(lambda: sum(one["count"] for one in rejects(box, plugin).values()) == count, 15, "the reject box", 0.1)
    return rejects(box, plugin)


def push(box, plugin, data):
    return box.post("/v2/push/", {"data_id": plugin["data_id"], "access_token": plugin["token"], "data": data})


def test_every_reason_shows_up_is_kept_over_a_kill_and_opens_the_alert(box):
    plugin = box.plugin("wrong")
    told = {}
    for _ in range(4):
        for data in WRONG.values():
            answer = push(box, plugin, data)
            assert answer.status == 400, answer.body
            told[json.dumps(data)] = answer.json()["message"]
    kept = wait_rejects(box, plugin, 4 * len(WRONG))
    assert kept.keys() == WRONG.keys()
    assert sorted(one["message"] for one in kept.values()) == sorted(told.values())
    assert {one["count"] for one in kept.values()} == {4}
    assert box.run_ctl("reject", "list").returncode == 0
    for one in kept.values():
        shown = box.ctl("reject", "show", one["id"])
        assert plugin["token"] not in shown["body"]
        body = json.loads(shown["body"])
        assert body["data_id"] == plugin["data_id"] and json.dumps(body["data"]) in told
    assert box.ctl("plugin", "show", plugin["data_id"])["rejects"] == 4 * len(WRONG)
    metrics = box.api("GET", "/metrics").body.decode()
    assert f'tocsin_instance_rejects_total{{data_id="{plugin["data_id"]}"}} {4 * len(WRONG)}\n' in metrics

    def own_alerts():
        return [one for one in box.alerts() if one["alert_name"] == "requests refused"]
    wait_for(own_alerts, 15, "the alert", 0.1)
    assert str(plugin["data_id"]) in json.dumps(own_alerts())
    box.kill()
    box.start()
    assert rejects(box, plugin) == kept
    assert own_alerts()[0]["state"] == "ABNORMAL"
    assert plugin["token"].encode() not in b"".join(path.read_bytes() for path in box.data_dir.iterdir())
    # Of a source that is gone nobody needs to be told any more.
    box.run_ctl("plugin", "delete", plugin["data_id"])
    wait_for(lambda: own_alerts()[0]["state"] == "RECOVERED", 15, "its end", 0.1)


def test_a_replay_takes_what_is_no_longer_refused_once(box):
    plugin = box.plugin("slow", "--max-rate", -2)
    assert push(box, plugin, [ITEM]).status == 429
    answer = push(box, plugin, [event("x" * 5000)])
    assert answer.status == 429
    box.restart()  # a planned end writes what waits
    kept = rejects(box, plugin)["rate_limited"]
    assert kept["count"] == 2
    assert kept["can_replay"]
    box.run_ctl("plugin", "update", plugin["data_id"], "--max-rate", 0)
    for _ in range(2):
        assert box.run_ctl("reject", "replay", kept["id"]).returncode == 0
    stored = [one for one in box.events() if one["data_id"] == plugin["data_id"]]
    assert [one["event"]["event"]["content"] for one in stored] == ["c"]
    assert [row["object"] for row in box.audit_rows() if row["action"] == "reject_replayed"] == [f"reject:{kept['id']}"] * 2


def test_what_cannot_be_replayed_says_why(box):
    plugin = box.plugin("odd")
    assert push(box, plugin, []).status == 400
    assert push(box, plugin, [{**ITEM, "event": "x" * 5000}]).status == 400
    box.restart()
    kept = rejects(box, plugin)
    shown = {code: box.run_ctl("reject", "replay", one["id"]) for code, one in kept.items()}
    assert {one.returncode for one in shown.values()} == {1}
    assert "still refused: event data cannot be empty" in shown.pop("data_empty").stderr
    long = shown.popitem()
    assert "only a part of that body was kept" in long[1].stderr
    assert not kept[long[0]]["can_replay"] and kept[long[0]]["body_bytes"] > 5000
    assert "nothing of this id" in box.run_ctl("reject", "show", "1.none").stderr


def test_refusals_alone_cost_one_small_commit_in_ten_seconds(box):
    plugin = box.plugin("many")
    push(box, plugin, [])
    wait_rejects(box, plugin, 1)
    wait_for(lambda: box.ctl("user", "list"), what="the first user, whose password is stretched after the start")
    before = metric(box, "tocsin_store_written_bytes_total")
    until = time.monotonic() + 2.5
    sent = 0
    while time.monotonic() < until:
        assert push(box, plugin, []).status == 400
        sent += 1
    assert metric(box, "tocsin_store_written_bytes_total") == before
    box.restart()
    assert rejects(box, plugin)["data_empty"]["count"] == sent + 1


def metric(box, name):
    lines = box.api("GET", "/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))
