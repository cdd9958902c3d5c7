# SPDX-License-Identifier: Apache-2.0
"""Compressed bodies on the push paths: taken as their text would be, cut at the limit of the inflated body."""
import gzip
import http.client
import json
import os
import socket
import subprocess
import zlib

import pytest

from appliance import event


@pytest.fixture
def plugin(appliance):
    return appliance.plugin()


def body_of(plugin, *items):
    return json.dumps({"data_id": plugin["data_id"], "access_token": plugin["token"], "data": items}).encode()


def send(appliance, body, encoding, path="/v2/push/"):
    return appliance.post(path, body, {"Content-Encoding": encoding})


def contents(appliance):
    return [e["event"]["event"]["content"] for e in appliance.events()]


def test_gzip_and_deflate_are_stored_as_their_text(appliance, plugin):
    for level in (0, 1, 9):
        assert send(appliance, gzip.compress(body_of(plugin, event(f"gzip {level}")), level), "gzip").status == 200
        assert send(appliance, zlib.compress(body_of(plugin, event(f"zlib {level}")), level), "deflate").status == 200
    many = body_of(plugin, *[event(f"{n} of many") for n in range(3000)])[:-1]
    many += b" " * (512_000 - len(many) - 1) + b"}"
    assert send(appliance, gzip.compress(many), "gzip").status == 200
    stored = contents(appliance)
    assert stored[:6] == [f"{kind} {level}" for level in (0, 1, 9) for kind in ("gzip", "zlib")]
    assert stored[6:] == [f"{n} of many" for n in range(3000)]
    standard = json.dumps({"alert_name": "a", "target": "t", "description": "d"}).encode()
    answer = appliance.post("/api/v1/events", gzip.compress(standard), {"Content-Encoding": "gzip", "X-BK-TOKEN": plugin["token"]})
    assert answer.status == 200, answer.body


def test_chunked_gzip_is_inflated_too(appliance, plugin):
    packed = gzip.compress(body_of(plugin, *[event(os.urandom(30).hex()) for _ in range(1000)]))
    connection = http.client.HTTPConnection("127.0.0.1", appliance.push_port, timeout=30)
    parts = (packed[at:at + 5000] for at in range(0, len(packed), 5000))
    connection.request("POST", "/v2/push/", parts, encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"})
    assert connection.getresponse().status == 200
    assert len(appliance.events()) == 1000


def test_a_bomb_is_cut_and_costs_no_memory(appliance, plugin):
    assert send(appliance, gzip.compress(body_of(plugin, event("before"))), "gzip").status == 200
    before = appliance.status()["memory"]["rss_anon_bytes"]
    bomb = gzip.compress(b"[" * (256 << 20), 9)  # 256 MiB in 256 KiB
    for _ in range(20):
        answer = send(appliance, bomb, "gzip")
        assert answer.status == 413
        assert answer.json()["message"] == "the gzip body is larger than 512000 bytes when inflated"
    over = b" " * 512_001
    assert send(appliance, zlib.compress(over), "deflate").status == 413
    assert appliance.status()["memory"]["rss_anon_bytes"] < before + (1 << 20)
    assert contents(appliance) == ["before"]


def test_what_is_no_such_stream_is_400_and_foreign_encodings_are_415(appliance, plugin):
    text = body_of(plugin, event("x"))
    packed = gzip.compress(text)
    wrong_sum = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    for bad, encoding in ((text, "gzip"), (packed[:-1], "gzip"), (packed[:20], "gzip"), (wrong_sum, "gzip"), (packed, "deflate"),
                          (zlib.compress(text)[:-3], "deflate"), (packed + b"more", "gzip"), (gzip.compress(packed), "gzip"),
                          (gzip.compress(b""), "gzip")):
        answer = send(appliance, bad, encoding)
        assert answer.status == 400, (bad, encoding)
        assert (answer.json()["code"], answer.json()["result"]) == ("400", "false")
    for encoding in ("br", "zstd", "gzip, gzip", "deflate,gzip", "compress"):
        answer = send(appliance, packed, encoding)
        assert (answer.status, answer.json()["code"]) == (415, "415")
    assert appliance.events() == []
    assert send(appliance, text, "identity").status == 200


def test_two_encodings_in_two_lines_are_refused(appliance, plugin):
    packed = gzip.compress(gzip.compress(body_of(plugin, event("x"))))
    with socket.create_connection(("127.0.0.1", appliance.push_port), timeout=20) as s:
        s.sendall(b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(packed) + packed)
        assert s.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert appliance.events() == []


def test_curl_sends_what_gzip_made(appliance, plugin, tmp_path):
    packed = tmp_path / "body.gz"
    packed.write_bytes(subprocess.run(["gzip", "-c"], input=body_of(plugin, event("curl")), capture_output=True, check=True).stdout)
    got = subprocess.run(["curl", "-s", "-H", "Content-Encoding: gzip", "--data-binary", f"@{packed}",
                          f"http://127.0.0.1:{appliance.push_port}/v2/push/"], capture_output=True, text=True, timeout=30)
    assert json.loads(got.stdout)["result"] == "true"
    assert contents(appliance) == ["curl"]
