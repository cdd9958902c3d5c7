# SPDX-License-Identifier: Apache-2.0
"""Stored events as people look at them: GET /api/v1/events and `tocsinctl events` with every filter and the cursor."""
import json
import shutil
import subprocess
import time
from urllib.parse import quote, urlencode

import pytest

from appliance import Appliance, event
from world import BIN, end_process, memory_folder

PUSHES, EACH = 30, 10


@pytest.fixture(scope="module")
def world():
    """Two sources that take turns, the second in lane critical, and one of alerts: 600 custom and 2 standard events."""
    folder = memory_folder()
    box = Appliance(folder / "box").start()
    try:
        plugins = [box.plugin("pump"), box.plugin("door", "--lane", "critical"), box.plugin("source", "--type", "alert_source")]
        for n in range(PUSHES):
            for plugin in plugins[:2]:
                items = [event(f"push {n} item {i}", f"e{i % 2}", f"host-{n}", {"module": f"m{i}", "round": str(n)}) for i in range(EACH)]
                assert box.push(plugin, *items).status == 200
        for status in ("ABNORMAL", "RECOVERED"):
            body = {"alert_name": "pump stopped", "target": "p7", "status": status, "tags": {"hall": "north"}}
            assert box.post("/api/v1/events", body, {"X-BK-TOKEN": plugins[2]["token"]}).status == 200
        yield box, plugins, box.events()
    finally:
        box.end()
        shutil.rmtree(folder, ignore_errors=True)


def ask(box, **query):
    return box.get("/api/v1/events?" + urlencode({"limit": 500, **query}, quote_via=quote))  # "+" stands for itself


def seqs(entries):
    return [one["seq"] for one in entries]


def follow(box, **query):
    """All entries of a query, page by page, and the number of pages."""
    found, pages = [], 0
    while True:
        page = ask(box, **query)
        assert page["damaged"] == 0
        found += page["items"]
        pages += 1
        if page["cursor"] is None:
            return found, pages
        query["cursor"] = page["cursor"]


def test_pages_join_whatever_their_size_and_come_newest_first(world):
    box, _, stored = world
    assert len(stored) == 2 * PUSHES * EACH + 2
    for limit in (1, 7, 100, 500):
        if limit == 1:  # the first few are enough
            page = ask(box, limit=1)
            assert seqs(page["items"]) == [stored[-1]["seq"]] and page["cursor"].startswith("b")
            continue
        found, pages = follow(box, limit=limit)
        assert seqs(found) == seqs(stored)[::-1]
        assert pages >= len(stored) / limit


def test_a_cursor_holds_while_new_events_arrive(world):
    box, plugins, _ = world
    before = seqs(box.events())
    first = ask(box, limit=100)
    assert box.push(plugins[0], event("arrived between two pages")).status == 200
    rest, _ = follow(box, limit=100, cursor=first["cursor"])
    assert seqs(first["items"]) + seqs(rest) == before[::-1]
    newer, _ = follow(box, after_seq=before[-1])
    assert [one["event"]["event"]["content"] for one in newer] == ["arrived between two pages"]


def test_an_instance_by_its_data_id_or_its_plugin_id(world):
    box, plugins, stored = world
    for plugin in plugins:
        wanted = [one["seq"] for one in stored if one["data_id"] == plugin["data_id"]]
        for query in ({"plugin": plugin["plugin_id"]}, {"plugin": plugin["data_id"]}, {"data_id": plugin["data_id"]}):
            found = [one for one in follow(box, limit=50, **query)[0] if one["seq"] <= stored[-1]["seq"]]
            assert seqs(found) == wanted[::-1], query
    assert ask(box, plugin=4711)["items"] == []


def test_the_time_range_is_of_arrival_and_half_open(world):
    box, _, stored = world
    since, until = stored[200]["received_ms"], stored[400]["received_ms"]
    wanted = [one["seq"] for one in stored if since <= one["received_ms"] < until]
    assert 0 < len(wanted) < len(stored)
    assert seqs(follow(box, since=since, until=until, limit=33)[0]) == wanted[::-1]
    text = {"since": stored[200]["received"], "until": stored[400]["received"]}
    assert seqs(follow(box, **text)[0]) == wanted[::-1]
    assert ask(box, since=until, until=since) == {"items": [], "damaged": 0, "complete": True, "cursor": None}
    assert ask(box, until="1970-01-01T00:00:00Z")["items"] == []


def test_text_and_dimensions_each_and_together(world):
    box, plugins, stored = world
    found = follow(box, text="push 7 item", limit=3)[0]
    assert len(found) == 2 * EACH and all("push 7 item" in one["event"]["event"]["content"] for one in found)
    assert ask(box, text="PUSH 7 ITEM")["items"] == []
    assert len(follow(box, dimension="module=m3")[0]) == 2 * PUSHES
    assert ask(box, dimension="module=m")["items"] == []
    assert len(ask(box, dimension="hall=north")["items"]) == 2  # tags of a standard event
    one = ask(box, dimension="round=7", text="item 4", plugin="door", since=stored[0]["received_ms"])["items"]
    assert [(e["lane"], e["event"]["event"]["content"], e["data_id"]) for e in one] == [("critical", "push 7 item 4", plugins[1]["data_id"])]


@pytest.mark.parametrize("query, member", [
    ({"limit": 0}, "limit"), ({"limit": 501}, "limit"), ({"limit": "x"}, "limit"), ({"cursor": "x1"}, "cursor"), ({"cursor": "b"}, "cursor"),
    ({"after_seq": "-1"}, "after_seq"), ({"since": "yesterday"}, "since"), ({"until": ""}, "until"), ({"plugin": "nobody"}, "plugin"),
    ({"dimension": "module"}, "dimension"), ([("dimension", f"{n}=") for n in range(9)], "dimension"), ({"dimension": "=m1"}, "dimension"), ({"text": "x" * 1025}, "text")])
def test_a_query_that_makes_no_sense_is_refused_by_its_name(world, query, member):
    answer = world[0].api("GET", "/api/v1/events?" + urlencode(query))
    assert (answer.status, answer.headers["X-Tocsin-Error"]) == (400, "invalid_input")
    assert answer.json()["message"].startswith(member + ": "), answer.body


def test_the_command_line_has_the_same_filters(world):
    box, _, stored = world
    since, until = stored[200]["received"], stored[400]["received"]
    wanted = [one["seq"] for one in stored if since <= one["received"] < until]
    assert seqs(box.ctl("events", "query", "--since", since, "--until", until, "--limit", 1000)) == wanted[::-1]
    found = box.ctl("events", "query", "--plugin", "pump", "--dimension", "round=9", "--text", "item 2")
    assert [one["event"]["event"]["content"] for one in found] == ["push 9 item 2"]
    first = ask(box, plugin="pump", limit=5)
    rest = box.ctl("events", "query", "--plugin", "pump", "--cursor", first["cursor"], "--limit", 5)
    assert seqs(rest) == seqs(ask(box, plugin="pump", limit=10)["items"])[5:]
    table = box.run_ctl("events", "query", "--plugin", "pump", "--text", "push 9 item 2").stdout.split()
    assert table[:7] == ["SEQ", "RECEIVED", "DATA", "ID", "EVENT", "TARGET", "CONTENT"] and "host-9" in table


def test_tail_follows_what_passes_its_filters(world):
    box, plugins, _ = world
    words = [BIN / "tocsinctl", "--socket", box.socket, "--format", "json", "events", "tail", "--plugin", "pump", "--dimension", "tail=yes",
             "--limit", "2"]
    tail = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        for plugin in plugins[:2]:
            for content in ("first", "second"):
                assert box.push(plugin, event("not for it"), event(content, dimension={"tail": "yes"})).status == 200
                time.sleep(0.01)
        out, _ = tail.communicate(timeout=20)
        assert [(json.loads(line)["data_id"], json.loads(line)["event"]["event"]["content"]) for line in out.splitlines()] == [
            (plugins[0]["data_id"], "first"), (plugins[0]["data_id"], "second")]
        assert tail.returncode == 0
    finally:
        if tail.poll() is None:
            end_process(tail)


def test_what_people_read_is_what_they_search(world):
    """However the sender wrote it: with escapes as Python's json does, or without."""
    box, plugins, _ = world
    items = [event('磁盘 "full"\n/var', dimension={"site": "北京", "path": "C:\\new"})]
    for ascii_only in (True, False):
        body = {"data_id": plugins[0]["data_id"], "access_token": plugins[0]["token"], "data": items}
        assert box.post("/v2/push/", json.dumps(body, ensure_ascii=ascii_only).replace("/", "\\/").encode()).status == 200
    for text in ("磁盘", '盘 "full"', "/var", "full\"\n", "C:\\new"):
        assert len(ask(box, text=text)["items"]) == 2, text
        assert len(box.ctl("events", "query", "--text", text)) == 2, text
    assert ask(box, text="u78c1")["items"] == []
    several = urlencode([("dimension", "site=北京"), ("dimension", "path=C:\\new")])
    assert len(box.get("/api/v1/events?" + several)["items"]) == 2
    assert box.get("/api/v1/events?" + several + "&dimension=module%3Dm1")["items"] == []
    assert len(box.ctl("events", "query", "--dimension", "site=北京", "--dimension", "path=C:\\new")) == 2
    assert len(box.get("/api/v1/events?text=push+7+item+1")["items"]) == 2, "+ is a blank"
    assert box.get("/api/v1/events?text=push%2B7")["items"] == []


def test_every_listener_says_the_request_id_in_the_head_too(world):
    box, plugins, _ = world
    def ids(answer):
        return answer.headers["X-Request-ID"], answer.json()["request_id"]
    for answer in (box.push(plugins[0], event("x")), box.push(plugins[0]), box.post("/elsewhere", {}), box.post("/event/pump/", b"x"),
                   box.api("GET", "/api/v1/status"), box.admin("GET", "/api/v1/status")):
        assert len(ids(answer)[0]) == 36 and ids(answer)[0] == ids(answer)[1], answer.body
    assert len(box.post("/fta/v1/event", {}).headers["X-Request-ID"]) == 36
    assert len({box.post("/v2/push/", {}).headers["X-Request-ID"] for _ in range(3)}) == 3


def test_when_each_instance_was_heard_last_survives_a_restart(world):
    box, plugins, _ = world
    mute = box.plugin("mute")

    def heard():
        return {one["plugin_id"]: one for one in box.get("/api/v1/plugins")["items"]}
    before = heard()
    assert (before["mute"]["seen"], before["mute"]["last_seen"], before["mute"]["silent_s"]) == ("never", None, None)
    newest = {one["data_id"]: one["received_ms"] for one in box.events()}
    for plugin in plugins:
        one = before[plugin["plugin_id"]]
        assert one["seen"] == "yes" and abs(one["last_seen_ms"] - newest[plugin["data_id"]]) <= 2 and one["silent_s"] < 60
        assert one["events_per_minute"] > 0 and one["requests_per_minute"] > 0, "each has sent within the last minute"
    assert before["pump"]["rejects_per_minute"] > 0
    box.restart()
    after = heard()
    for plugin in plugins:
        one = after[plugin["plugin_id"]]
        assert (one["seen"], one["last_seen_ms"], one["events_per_minute"]) == ("yes", newest[plugin["data_id"]], 0)
    assert after["mute"]["seen"] == "never"
    assert box.get("/api/v1/plugins/pump")["last_seen_ms"] == newest[plugins[0]["data_id"]]
    table = box.run_ctl("plugin", "list").stdout.splitlines()
    assert "LAST SEEN" in table[0] and " s ago" in [line for line in table if " pump " in line][0]
    assert " never " in [line for line in table if str(mute["data_id"]) in line][0]
