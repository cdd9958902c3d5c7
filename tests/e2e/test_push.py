# SPDX-License-Identifier: Apache-2.0
"""POST /v2/push/ from outside: the examples that BlueKing's documentation gives, and refusals that store nothing."""
import http.client
import json
import re
import socket
import subprocess
import sys
import time
import uuid

import pytest

from appliance import event

# As the documentation of custom reporting has them; only address, data id and token are put in.
CURL_EXAMPLE = """curl -X POST http://${PROXY_IP}:10205/v2/push/ -d '{
    "data_id": 1500006,
    "access_token": "2e5a9c5c05394df2a6d0c0347f1d7c77",
    "data": [{
        "event_name": "login_failed",
        "target": "0:192.168.0.1",
        "event": {
            "content": "user->[user00] login failed"
        },
        "dimension": {
            "module": "db",
            "set": "guangdong"
        },
        "timestamp": 1587218838000
    }]
}'
"""
PYTHON_EXAMPLE = """# -*- coding: utf-8 -*-
import datetime
import time
import requests
import json
import random

timestamp=int(time.time() * 1000)

#PROXY_IP
PROXY_IP='X.X.X.X'
PROXY_URL='http://%s:10205/v2/push/'%(PROXY_IP)

#data_id
DATA_ID=00000000
#access_token
ACCESS_TOKEN="XXXXX"

result = requests.post(PROXY_URL, data=json.dumps({
 "data_id": DATA_ID,
 "access_token": ACCESS_TOKEN,
 "data": [{
     "event_name": str(random.random())+" my event __name__",
          "event": {
               "content": "user->[root] login failedt"
      },

 "target": "0:192.168.0.1",
 "dimension": {
     "module": "db",
     "location": "guangdong"
 },
 "timestamp": timestamp
 }]
}))
print(result.text)
"""


@pytest.fixture
def plugin(appliance):
    return appliance.plugin()


def check_success(answer):
    assert answer.keys() == {"code", "message", "request_id", "result"}
    assert (answer["code"], answer["message"], answer["result"]) == ("200", "success", "true")
    assert str(uuid.UUID(answer["request_id"])) == answer["request_id"]


def test_the_curl_example_works_as_it_stands(appliance):
    plugin = appliance.ctl("plugin", "create", "example", "--data-id", 1500006, "--token", "2e5a9c5c05394df2a6d0c0347f1d7c77")
    assert (plugin["data_id"], plugin["token"]) == (1500006, "2e5a9c5c05394df2a6d0c0347f1d7c77")
    line = CURL_EXAMPLE.replace("${PROXY_IP}:10205", f"127.0.0.1:{appliance.push_port}")
    got = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)
    check_success(json.loads(got.stdout))
    assert re.fullmatch(r'{"code":"200","message":"success","request_id":"[0-9a-f-]{36}","result":"true"}', got.stdout.strip())
    stored = appliance.events()
    assert [e["event"] for e in stored] == [{
        "event_name": "login_failed", "target": "0:192.168.0.1", "event": {"content": "user->[user00] login failed"},
        "dimension": {"module": "db", "set": "guangdong"}, "timestamp": 1587218838000}]
    assert (stored[0]["data_id"], stored[0]["request_id"]) == (1500006, json.loads(got.stdout)["request_id"])


def test_the_python_example_works_as_it_stands(appliance, plugin):
    script = (PYTHON_EXAMPLE.replace("X.X.X.X", "127.0.0.1").replace(":10205", f":{appliance.push_port}")
              .replace("00000000", str(plugin["data_id"])).replace("XXXXX", plugin["token"]))
    got = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    check_success(json.loads(got.stdout))
    assert [e["event"]["event"]["content"] for e in appliance.events()] == ["user->[root] login failedt"]


def with_item(**changes):
    """A request whose only item has these members changed; None: without that member."""
    item = {**event("x"), **changes}
    return {"data": [{name: value for name, value in item.items() if value is not None}]}


REFUSALS = {
    "a wrong token": ({"access_token": "wrong"}, 401),
    "no token": ({"access_token": ""}, 401),
    "an unknown data id": ({"data_id": 77}, 401),
    "a data id that is text": ({"data_id": "10000001"}, 400),
    "a token that is a number": ({"access_token": 5}, 400),
    "an empty list": ({"data": []}, 400),
    "data that is no list": ({"data": {}}, 400),
    "no data": ({"data": None}, 400),
    "an item that is no object": ({"data": [5]}, 400),
    "a good item before a bad one": ({"data": [event("good"), {}]}, 400),
    "no event name": (with_item(event_name=None), 400),
    "an empty event name": (with_item(event_name=""), 400),
    "an event name of 129 characters": (with_item(event_name="磁" * 129), 400),
    "an event name that is a number": (with_item(event_name=5), 400),
    "no target": (with_item(target=None), 400),
    "a target that is a list": (with_item(target=[]), 400),
    "no event": (with_item(event=None), 400),
    "an event that is text": (with_item(event="content"), 400),
    "no content": (with_item(event={"contents": "x"}), 400),
    "a dimension that is a list": (with_item(dimension=[1]), 400),
    "a dimension within a dimension": (with_item(dimension={"a": {}}), 400),
    "a timestamp that is text": (with_item(timestamp="1587218838000"), 400),
    "a timestamp of the year 2100": (with_item(timestamp=4102444800000), 400),
}


def check_refusal(answer, status):
    assert answer.status == status, answer.body
    body = answer.json()
    assert body.keys() == {"code", "message", "request_id", "result"}
    assert all(isinstance(value, str) for value in body.values())
    assert (body["code"], body["result"]) == (str(status), "false")
    assert body["message"] and str(uuid.UUID(body["request_id"])) == body["request_id"]
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One daemon for all refusals: none of them may change it."""
    from appliance import Appliance
    one = Appliance(tmp_path_factory.mktemp("box")).start()
    one.demo = one.plugin()
    yield one
    assert one.push(one.demo, event("after all")).status == 200
    assert [e["event"]["event"]["content"] for e in one.events()] == ["after all"]
    one.end()


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_with_four_strings_and_nothing_stored(shared, what):
    changes, status = REFUSALS[what]
    body = {"data_id": shared.demo["data_id"], "access_token": shared.demo["token"], "data": [event("x")], **changes}
    check_refusal(shared.post("/v2/push/", body), status)
    assert shared.events() == []


@pytest.mark.parametrize("broken", [
    b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"data_id": 1} x', b"\xef\xbb\xbf{}",
    b'{"unread": tru, %s}', b'{"unread": "\\x", %s}', b'{"unread": "\xff", %s}', b'{"unread": [1,], %s}', b'{"unread": 01, %s}',
    b'{"unread": {"a":1 "b":2}, %s}', b'{%s, "unread": 1', b'{"unread": "\n", %s}', b'{"unread": ' + b"[" * 64 + b"]" * 64 + b', %s}',
])
def test_bad_json_is_refused_also_where_nobody_reads(shared, broken):
    good = json.dumps({"data_id": shared.demo["data_id"], "access_token": shared.demo["token"], "data": [event("x")]})[1:-1].encode()
    check_refusal(shared.post("/v2/push/", broken.replace(b"%s", good)), 400)
    assert shared.events() == []


def test_unread_members_that_are_good_json_do_no_harm(appliance, plugin):
    item = {**event("x"), "more": [1, {"a": None}]}
    body = {"data_id": plugin["data_id"], "access_token": plugin["token"], "data": [item], "more": {"deep": [[[]]]}}
    assert appliance.post("/v2/push/", body).status == 200
    assert len(appliance.events()) == 1


def test_a_body_above_500_kb_is_refused_and_one_below_is_taken(appliance, plugin):
    def body_of(size):
        raw = json.dumps({"data_id": plugin["data_id"], "access_token": plugin["token"], "data": [event("x"), event("y")]}).encode()
        return raw.replace(b'"x"', b'"' + b"x" * (size - len(raw) + 1) + b'"')
    assert len(body_of(512_000)) == 512_000
    check_refusal(appliance.post("/v2/push/", body_of(512_001)), 413)
    assert appliance.events() == []
    check_success(appliance.post("/v2/push/", body_of(512_000)).json())
    assert len(appliance.events()) == 2


def post_chunked(appliance, body, chunk_bytes=4096):
    connection = http.client.HTTPConnection("127.0.0.1", appliance.push_port, timeout=30)
    chunks = (body[at:at + chunk_bytes] for at in range(0, len(body), chunk_bytes))
    connection.request("POST", "/v2/push/", chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def padded(plugin, size):
    body = json.dumps({"data_id": plugin["data_id"], "access_token": plugin["token"], "data": [event("x")]}).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize("size", [65_537, 262_145, 512_000])
def test_a_chunked_body_up_to_the_limit_is_taken(appliance, plugin, size):
    assert post_chunked(appliance, padded(plugin, size))[0] == 200


@pytest.mark.parametrize("size", [512_001, 1_000_000])
def test_a_chunked_body_over_the_limit_is_told_so(appliance, plugin, size):
    status, answer = post_chunked(appliance, padded(plugin, size))
    assert (status, answer["code"]) == (413, "413")
    assert appliance.events() == []


def test_an_endless_chunked_body_is_cut(appliance, plugin):
    # More than is worth reading only to answer: the connection ends in the middle of it.
    sent = 0

    def forever():
        nonlocal sent
        while sent < 64 * 2**20:
            yield b" " * 65536
            sent += 65536
    connection = http.client.HTTPConnection("127.0.0.1", appliance.push_port, timeout=30)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.request("POST", "/v2/push/", forever(), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert sent < 32 * 2**20
    assert appliance.push(plugin, event("still there")).status == 200


def test_unknown_paths_are_404_and_wrong_methods_405(shared):
    check_refusal(shared.post("/v2/pushes/", {}), 404)
    check_refusal(shared.post("/", b"{}"), 404)
    check_refusal(shared.post("/api/v1/status", None, method="GET"), 404)  # the operator API is not on this listener
    wrong = shared.post("/v2/push/", None, method="GET")
    check_refusal(wrong, 405)
    assert wrong.headers["Allow"] == "POST"
    check_refusal(shared.post("/v2/push/", None, method="DELETE"), 405)


def test_without_its_final_slash_the_path_is_another_but_the_answer_helps(shared):
    answer = shared.post("/v2/push", {"data": []})
    check_refusal(answer, 404)
    assert "/v2/push/" in answer.json()["message"]


def test_a_disabled_plugin_and_an_old_token_are_refused_at_once(appliance, plugin):
    assert appliance.push(plugin, event("1")).status == 200
    appliance.ctl("plugin", "disable", "demo")
    check_refusal(appliance.push(plugin, event("2")), 401)
    appliance.ctl("plugin", "enable", "demo")
    assert appliance.push(plugin, event("3")).status == 200
    new = appliance.ctl("plugin", "rotate", "demo", "--overlap", 0)
    check_refusal(appliance.push(plugin, event("4")), 401)
    assert appliance.push(new, event("5")).status == 200
    assert [e["event"]["event"]["content"] for e in appliance.events()] == ["1", "3", "5"]


def test_above_the_rate_there_is_429_with_retry_after(appliance):
    slow = appliance.ctl("plugin", "create", "slow", "--max-rate", 3)
    answers = [appliance.push(slow, event(str(i))) for i in range(6)]
    assert [a.status for a in answers] == [200, 200, 200, 429, 429, 429]
    check_refusal(answers[3], 429)
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert len(appliance.events()) == 3


def test_above_the_rate_of_the_box_there_is_429_whoever_sends(make_appliance, fast_path):
    appliance = make_appliance(fast_path / "box", start=False)
    config = appliance.config.read_text().replace("[http.push]", "[http.push]\nrequests_per_second_max = 1")
    appliance.config.write_text(config)
    appliance.start()
    plugins = [appliance.plugin(name) for name in ("one", "two", "three")]
    answers = [appliance.push(plugins[i % 3], event(str(i))) for i in range(12)]
    taken, refused = ([a for a in answers if a.status == status] for status in (200, 429))
    assert taken and refused and len(taken) + len(refused) == 12
    for answer in refused:
        check_refusal(answer, 429)
        assert answer.headers["Retry-After"] == "1"
    assert len(appliance.events()) == len(taken)


def raw_answer(appliance, request):
    with socket.create_connection(("127.0.0.1", appliance.push_port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        got = b""
        while chunk := connection.recv(65536):
            got += chunk
    return got


def test_what_is_refused_before_it_is_understood_shows_no_token_either(appliance, plugin):
    token = plugin["token"]
    body = json.dumps({"data_id": plugin["data_id"], "access_token": token, "data": [event("a")]})
    head = f"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nX-BK-TOKEN: {token}\r\n"
    requests = [f"{head}Content-Length: {token}\r\n\r\n{body}", f"{head}Content-Length: 5, 6\r\n\r\n{body}",
                f"{head}Transfer-Encoding: {token}\r\n\r\n{body}", f"{head}Transfer-Encoding: chunked\r\n\r\n{token}\r\n",
                f"{head}{token}\r\n\r\n{body}", f"{head}Content-Length: 999999999\r\n\r\n{body}",
                f"{head}Content-Encoding: {token}\r\nContent-Length: {len(body)}\r\n\r\n{body}",
                f"{head}Idempotency-Key: {token} {token}\r\nContent-Length: {len(body)}\r\n\r\n{body}",
                f"POST /{token} HTTP/1.1\r\nHost: {token}\r\nContent-Length: {len(body)}\r\n\r\n{body}",
                f"{token} /v2/push/?access_token={token} HTTP/1.1\r\nHost: x\r\n\r\n",
                f"POST {token} HTTP/1.1\r\nHost: x\r\n\r\n", f"POST /v2/push/ HTTP/1.1\r\nHost: a b {token}\r\n\r\n"]
    for request in requests:
        answer = raw_answer(appliance, request.encode())
        assert re.match(rb"HTTP/1.1 [45]", answer) or not answer, (request, answer)
        assert token.encode() not in answer, (request, answer)
    assert appliance.events() == []
    assert token not in appliance.log.read_text()


def test_a_hundred_pipelined_and_slow_clients_do_not_disturb_each_other(appliance, plugin):
    """Some send a byte at a time, some hang up in the middle: the daemon serves the others and takes only what was whole."""
    raw = json.dumps({"data_id": plugin["data_id"], "access_token": plugin["token"], "data": [event("cut")]}).encode()
    head = b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(raw)
    cut = []
    for i in range(50):
        s = socket.create_connection(("127.0.0.1", appliance.push_port))
        s.sendall((head + raw)[:40 + 3 * i])
        cut.append(s)
    pipelined = socket.create_connection(("127.0.0.1", appliance.push_port))
    pipelined.sendall((head + raw).replace(b'"cut"', b'"all"') * 20)
    got = b""
    end = time.monotonic() + 20
    while got.count(b'"result":"true"') < 20 and time.monotonic() < end:
        got += pipelined.recv(65536)
    assert got.count(b'"result":"true"') == 20
    for s in [*cut, pipelined]:
        s.close()
    assert [e["event"]["event"]["content"] for e in appliance.events()] == ["all"] * 20
