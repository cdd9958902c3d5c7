# SPDX-License-Identifier: Apache-2.0
"""HTTP framing of the whole daemon, byte for byte: what is sent over one connection has one verdict, which is the statuses
of all answers and whether the connection goes on. framing_cases.py has the table."""
import json
import socket

import pytest

from appliance import Appliance, event
from framing_cases import CASES, CLOSED, HEALTHZ, OPEN

ANSWER_SECONDS = 30


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    appliance = Appliance(tmp_path_factory.mktemp("framing"))
    appliance.start()
    appliance.source = appliance.plugin("framing")
    yield appliance
    appliance.end()


def fill(template, source, content):
    """BODY, LENGTH and CHUNK of a push that the daemon takes when the framing lets it through."""
    item = event(content)
    body = json.dumps({"data_id": source["data_id"], "access_token": source["token"], "data": [item]}).encode()
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    return template.replace(b"LENGTH", b"%d" % len(body)).replace(b"CHUNK", chunk).replace(b"BODY", body)


class Wire:
    """One connection: what came, taken apart into answers."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.got = b""
        self.ended = False

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent

    def receive(self):
        try:
            part = self.socket.recv(65536)
        except ConnectionResetError:
            part = b""
        self.got += part
        self.ended = not part

    def statuses(self, is_head=False):
        """Statuses of the complete answers. The library answers an odd length with its head twice: the first one counts."""
        out, rest = [], self.got
        while True:
            head, separator, behind = rest.partition(b"\r\n\r\n")
            if not separator:
                return out
            words = head.split(b" ", 2)
            assert words[0] == b"HTTP/1.1" and len(words) == 3, self.got
            out.append(int(words[1]))
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            size = 0 if is_head or out[-1] == 100 else int(fields.get(b"content-length", b"0"))
            if len(behind) < size:
                return out[:-1]
            rest = behind[size:]
            if rest and not rest.startswith(b"HTTP/1.1 "):
                return out

    def until(self, count, is_head):
        while not self.ended and len(self.statuses(is_head)) < count:
            self.receive()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_has_one_verdict(box, case):
    content = "taken" if 200 in case.statuses else "refused"
    wire = Wire(box.push_port)
    with wire.socket:
        wire.send(fill(case.sent, box.source, content))
        if case.half_close:
            wire.socket.shutdown(socket.SHUT_WR)
        is_head = case.sent.startswith(b"HEAD ")
        wire.until(len(case.statuses) or 1, is_head)
        if case.fate == OPEN:
            assert wire.statuses(is_head) == case.statuses, wire.got
            wire.got = b""
            wire.send(HEALTHZ)
            wire.until(1, False)
            assert wire.statuses() == [200] and not wire.ended, wire.got
        else:
            assert case.fate == CLOSED
            while not wire.ended:
                wire.receive()
            assert wire.statuses(is_head) == case.statuses, wire.got


def test_there_are_as_many_cases_as_promised():
    assert len(CASES) >= 120
    assert len({case.sent for case in CASES}) == len(CASES) == len({case.name for case in CASES})


def test_nothing_of_a_refused_message_was_stored(box):
    stored = [row["item"] if "item" in row else row for row in box.events()]
    assert stored and "refused" not in json.dumps(stored), stored
    assert box.api("GET", "/readyz").status == 200
