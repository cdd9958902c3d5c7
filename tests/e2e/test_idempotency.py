# SPDX-License-Identifier: Apache-2.0
"""Idempotency-Key on POST /v2/push/ from outside: stored once, whatever happens between the sends."""
import concurrent.futures
import gzip
import http.client
import json

import pytest

from appliance import event
from world import wait_for


def body_of(plugin, *contents):
    items = [event(content, timestamp=1700000000000) for content in contents]
    return json.dumps({"data_id": plugin["data_id"], "access_token": plugin["token"], "data": items}).encode()


def send(appliance, body, key, headers=None):
    return appliance.post("/v2/push/", body, {"Idempotency-Key": key, **(headers or {})})


def contents(appliance):
    return [e["event"]["event"]["content"] for e in appliance.events()]


def wait_for_ids(appliance):
    wait_for(lambda: appliance.status()["events"]["ids_ready"], 30, "the id window", 0.01)


def assert_taken(answer):
    assert answer.status == 200, answer.body
    assert {name: answer.json()[name] for name in ("code", "message", "result")} == {
        "code": "200", "message": "success", "result": "true"}


def assert_conflict(answer):
    assert answer.status == 409, answer.body
    assert {name: answer.json()[name] for name in ("code", "message", "result")} == {
        "code": "409", "message": "Idempotency-Key came before with another body", "result": "false"}


def test_the_same_request_is_stored_once(appliance):
    plugin = appliance.plugin()
    first = send(appliance, body_of(plugin, "a", "b"), "k")
    again = send(appliance, body_of(plugin, "a", "b"), "k")
    assert_taken(first)
    assert_taken(again)
    assert first.json()["request_id"] == again.json()["request_id"]
    assert_taken(send(appliance, body_of(plugin, "a", "b"), "l"))
    assert contents(appliance) == ["a", "b", "a", "b"]


def test_another_body_under_the_key_is_409_and_leaves_nothing(appliance):
    plugin, other = appliance.plugin(), appliance.plugin("other")
    assert_taken(send(appliance, body_of(plugin, "a"), "k"))
    assert_conflict(send(appliance, body_of(plugin, "b"), "k"))
    assert_taken(send(appliance, body_of(plugin, "a"), "k"))
    assert_taken(send(appliance, body_of(other, "c"), "k"))
    assert contents(appliance) == ["a", "c"]


def test_a_compressed_repeat_is_the_same_body(appliance):
    plugin = appliance.plugin()
    body = body_of(plugin, "a")
    assert_taken(send(appliance, body, "k"))
    assert_taken(send(appliance, gzip.compress(body), "k", {"Content-Encoding": "gzip"}))
    assert contents(appliance) == ["a"]


@pytest.mark.parametrize("key, message", [
    ("", "Idempotency-Key cannot be empty"),
    ("a b", "Idempotency-Key may have visible ASCII characters only"),
    ("k" * 256, "Idempotency-Key is longer than 255 bytes"),
])
def test_an_odd_key_is_refused(appliance, key, message):
    plugin = appliance.plugin()
    answer = send(appliance, body_of(plugin, "a"), key)
    assert (answer.status, answer.json()["message"]) == (400, message)
    assert_taken(send(appliance, body_of(plugin, "a"), "k" * 255))
    assert contents(appliance) == ["a"]


def test_a_kill_between_two_sends_changes_nothing(appliance):
    plugin = appliance.plugin()
    keys = [f"key-{n}" for n in range(20)]
    for key in keys:
        assert_taken(send(appliance, body_of(plugin, key, key + "'"), key))
    appliance.kill()
    appliance.start()
    wait_for_ids(appliance)
    for key in keys:
        assert_taken(send(appliance, body_of(plugin, key, key + "'"), key))
    assert_conflict(send(appliance, body_of(plugin, "other"), keys[0]))
    assert contents(appliance) == [content for key in keys for content in (key, key + "'")]


def test_who_sends_until_answered_over_kills_stores_each_request_once(appliance):
    plugin = appliance.plugin()
    keys = [f"key-{n}" for n in range(400)]

    def send_until_taken(key):
        def is_taken():
            try:
                status = send(appliance, body_of(plugin, key), key).status
            except (OSError, http.client.HTTPException):
                return False
            assert status in (200, 503)
            return status == 200
        wait_for(is_taken, 60, key, 0.005)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sends = [pool.submit(send_until_taken, key) for key in keys]
        for done in (50, 150, 250):
            wait_for(lambda done=done: sum(s.done() for s in sends) >= done, 60, "sends", 0.002)
            appliance.kill()
            appliance.start()
        for one in sends:
            one.result()
    assert sorted(contents(appliance)) == sorted(keys)
