# SPDX-License-Identifier: Apache-2.0
"""HTTP framing of the whole daemon, byte for byte: what is sent over one connection has one verdict, which is the statuses
of all answers and whether the connection goes on. framing_cases.py has the table."""
import json
import socket

import pytest

from appliance import Appliance
from framing_cases import CASES, CLOSED, HEALTHZ, OPEN
from framing_wire import ANSWER_SECONDS, Wire, fill


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    appliance = Appliance(tmp_path_factory.mktemp("framing"))
    appliance.start()
    appliance.source = appliance.plugin("framing")
    yield appliance
    appliance.end()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_has_one_verdict(box, case):
    content = "taken" if 200 in case.statuses else "refused"
    wire = Wire(socket.create_connection(("127.0.0.1", box.push_port), timeout=ANSWER_SECONDS))
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
