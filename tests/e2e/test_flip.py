# SPDX-License-Identifier: Apache-2.0
"""One bit flipped in each of 200 random places of a populated store, half of them in what leads to its entries: the daemon
never crashes, and nothing is shown or sent that was not there before. TOCSIN_FLIPS: how many. TOCSIN_SEED: the places of an earlier run."""
import concurrent.futures
import json
import os
import queue
import random
import shutil
import struct
import threading

import pytest

from appliance import Appliance, event, registered
from world import Mosquitto, Subscriber, seed_of_run, wait_for

FLIPS = int(os.environ.get("TOCSIN_FLIPS", "200"))
LANES = 2
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# The events of one request share its id, which only the first of them carries: without that one it is not known.
# The largest segment of the store that populate() makes: one bit that leaves the structure sound costs no more.
SEGMENT_RECORDS_MAX = 20
UNKNOWN_REQUEST = "00000000-0000-0000-0000-000000000000"
# What an alert is about does not change; counts and times of folds are derived again after a start.
ALERT_FACTS = ("alert_name", "target", "severity", "bk_data_id", "plugin_id", "dimensions", "dedupe_md5", "create_time_ms",
               "description", "state", "ack_message", "ack_operator")


def is_of_the_box(alert):
    """Raised by the daemon itself: that its store was damaged."""
    return alert["bk_data_id"] == 0 and alert["alert_name"] == "store salvaged"


def facts(alert):
    return {name: alert[name] for name in ALERT_FACTS}


def populate(folder):
    """A store with everything in it, and nothing of it delivered yet."""
    box = Appliance(folder, upstreams={"centre": {"servers": ["mqtt://127.0.0.1:1"]}}).start()
    plugins = [box.plugin("demo", "--alert", 2), box.plugin("bulk"), box.plugin("urgent", "--lane", "critical")]
    centre = box.plugin("centre", "--type", "alert_source")
    for i in range(40):
        box.push(plugins[0], event(f"demo {i} " + "d" * (i * 7), name=f"n{i % 20}", dimension={"i": str(i % 5)}))
        box.push(plugins[1], *[event(f"bulk {i} {j} " + "b" * (j * 40)) for j in range(20)])
        box.push(plugins[2], event(f"urgent {i}"))
        box.post("/api/v1/events", [{"alert_name": f"a{i % 15}", "event_id": f"e{i}", "severity": 1 + i % 3}],
                 {"X-BK-TOKEN": centre["token"]})
    box.post("/api/v1/events", [{"alert_name": f"a{i}", "status": "RECOVERED"} for i in range(5)], {"X-BK-TOKEN": centre["token"]})
    ids = [a["id"] for a in box.alerts()]
    box.ctl("alert", "ack", *ids[:10], "--message", "seen")
    for i in range(60):
        box.ctl("user", "add", f"user{i}", "--role", "viewer") if i < 3 else box.api("POST", "/api/v1/clock", {})
    box.ctl("token", "create", "ci", "--role", "viewer")
    for i in range(170):
        box.api("POST", f"/api/v1/plugins/{plugins[1]['data_id']}", {"name": f"Bulk {i}"})
    box.verify_audit()
    box.restart()
    return box, plugins[1]


class Originals:
    """What may be shown and sent."""

    def __init__(self, box):
        self.events = {e["seq"]: e["event"] for e in box.events()}
        self.received = {e["seq"]: (e["data_id"], e["received_ms"], e["request_id"], e["lane"]) for e in box.events()}
        self.alerts = {a["id"]: facts(a) for a in box.alerts()}
        self.rows = {row["index"]: row for row in box.audit_rows()}
        self.newest_row_ms = max(row["time_ms"] for row in self.rows.values())
        self.store_id = box.status()["store_id"]
        self.plugins = {p["data_id"]: registered(p) for p in box.get("/api/v1/plugins")["items"]}
        self.users = {u["user"]: u for u in box.get("/api/v1/users")["items"]}
        self.transitions = None  # by sequence; known after the first delivery

    def check_event(self, seq, item):
        if item.get("event", {}).get("content") == "after the flip":
            return
        assert seq in self.events, f"an event {seq} that was never stored: {item}"
        assert self.events[seq] == item, f"event {seq} was changed: {self.events[seq]} and {item}"


class Site:
    """One lane of cases: a broker and a subscriber that all of its daemons use, one after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.broker = Mosquitto(folder / "broker")
        self.subscriber = Subscriber(self.broker.port)

    def close(self):
        self.subscriber.close()
        self.broker.stop()


def read(box, path):
    """A list, all pages; None when the daemon says that it cannot read it."""
    items, cursor = [], ""
    while True:
        answer = box.api("GET", f"{path}?limit=500{cursor}")
        assert answer.status in (200, 500, 503), (path, answer.status, answer.body)
        if answer.status != 200:
            assert answer.json()["message"], answer.body
            return None
        items += answer.data["items"]
        if answer.data.get("cursor") is None:
            return items
        cursor = f"&cursor={answer.data['cursor']}"


def check_shown(box, originals, counts):
    lists = {path: read(box, "/api/v1/" + path) for path in ("events", "alerts", "audit", "plugins", "users")}
    for path, items in lists.items():
        if items is None:
            counts[f"{path} unreadable"] = counts.get(f"{path} unreadable", 0) + 1
    for one in lists["events"] or []:
        originals.check_event(one["seq"], one["event"])
        if one["seq"] in originals.received and one["event"].get("event", {}).get("content") != "after the flip":
            data_id, received_ms, request_id, lane = originals.received[one["seq"]]
            assert (one["data_id"], one["received_ms"], one["lane"]) == (data_id, received_ms, lane), one
            assert one["request_id"] in (request_id, UNKNOWN_REQUEST), one
    for alert in lists["alerts"] or []:
        assert facts(alert) == originals.alerts.get(alert["id"]) or is_of_the_box(alert), alert
    for row in lists["audit"] or []:
        # A damaged meta page takes the last commit with it; a row of now may then have the number of one that is gone.
        assert row == originals.rows.get(row["index"]) or row["time_ms"] > originals.newest_row_ms, row
    for plugin in lists["plugins"] or []:
        assert registered(plugin) == originals.plugins.get(plugin["data_id"]), plugin
    for user in lists["users"] or []:
        assert user == originals.users.get(user["user"]), user
    fewer = len(lists["events"] or []) < len(originals.events)
    return fewer


def transitions(messages):
    """{sequence: document} of the alert transitions among them, without what says how they travelled."""
    documents = [m.document() for m in messages if m.topic.endswith("/alerts")]
    return {d["tocsin"]["seq"][0][0]: {k: v for k, v in d.items() if k != "tocsin"} for d in documents}


def events_of(messages):
    return [m for m in messages if not m.topic.endswith(("/alerts", "/gaps"))]


def check_sent(messages, originals):
    for seq, document in transitions(messages).items():
        assert document == originals.transitions.get(seq) or is_of_the_box(document), (seq, document)
    for got in events_of(messages):
        for seq, item in got.items():
            added = item.pop("__bk_event_id__", None)
            assert added is None or added == item["event_id"], item
            originals.check_event(seq, item)


def deliver_unharmed(golden, originals, sites):
    """Learns what the transitions look like on their way, from a store that has no fault."""
    site = sites.get()
    box = Appliance(site.folder / "box", upstreams={"centre": {"servers": [site.broker.url]}})
    shutil.copytree(golden, box.data_dir)
    try:
        box.start()
        box.wait_drained()
        wait_for(lambda: sum(len(m.items()) for m in list(site.subscriber.messages) if not m.topic.endswith("/alerts"))
                 >= len(originals.events), what="all events")
        originals.transitions = transitions(site.subscriber.messages)
        assert len(originals.transitions) >= len(originals.alerts)
        check_sent(site.subscriber.messages, originals)
        assert not check_shown(box, originals, {})
    finally:
        box.end()
        sites.put(site)


def node_bytes(store):
    """Where the heads and keys of the entries lie: few bytes, and each of them leads."""
    places = []
    for start in range(2 * PAGE_BYTES, len(store), PAGE_BYTES):
        number, _, flags, lower, upper = struct.unpack_from("<QHHHH", store, start)
        if number != start // PAGE_BYTES or flags & 0x13 not in (1, 2) or not 16 < lower <= upper <= PAGE_BYTES:
            continue  # not a branch or a leaf
        for slot in range(16, lower, 2):
            node = start + struct.unpack_from("<H", store, start + slot)[0]
            places += range(node, node + 8 + struct.unpack_from("<H", store, node + 6)[0])
    return places


def flip_once(number, seed, golden, plugin, originals, sites, counts):
    site = sites.get()
    chance = random.Random(f"{seed} case {number}")
    folder = site.folder / "box"
    shutil.rmtree(folder, ignore_errors=True)
    box = Appliance(folder, upstreams={"centre": {"servers": [site.broker.url]}})
    shutil.copytree(golden, box.data_dir)
    content = (box.data_dir / "data.mdb").read_bytes()
    place = chance.choice(node_bytes(content)) if number % 2 else chance.randrange(len(content))
    bit = chance.randrange(8)
    with open(box.data_dir / "data.mdb", "r+b") as store:
        store.seek(place)
        byte = store.read(1)[0]
        store.seek(place)
        store.write(bytes([byte ^ (1 << bit)]))
    seen = len(site.subscriber.messages)
    outcome = {}
    try:
        box.start()
        fewer = check_shown(box, originals, outcome)
        # What was salvaged may number anew what is gone: it is another store to everyone who counts.
        assert ("was damaged" in box.log_tail()) == (box.status()["store_id"] != originals.store_id), "store id"
        verified = box.api("GET", "/api/v1/audit/verify")
        assert verified.status in (200, 500, 503), verified.body
        pushed = box.push(plugin, event("after the flip"))
        assert pushed.status in (200, 401, 503), pushed.body
        box.wait_drained(20)
        if pushed.status == 200:
            wait_for(lambda: any(b"after the flip" in m.payload for m in site.subscriber.messages[seen:]), 10, "the new event upstream")
        shown = {e["seq"] for e in read(box, "/api/v1/events") or []}
        wait_for(lambda: shown <= {seq for m in events_of(site.subscriber.messages[seen:]) for seq, _ in m.items()}, 10,
                 "upstream all that is shown")
        if "was damaged" not in box.log_tail():
            lost = len(originals.events) - len(shown & set(originals.events))
            assert lost <= SEGMENT_RECORDS_MAX, f"{lost} events are gone for one bit"
        upstream = box.upstream()
        assert upstream["restarts"] == 0, upstream
        check_sent(site.subscriber.messages[seen:], originals)
        check_shown(box, originals, {})
        code, _ = box.stop()
        assert code == 0, code
        outcome |= {f"push {pushed.status}": 1, "salvaged": int("was damaged" in box.log_tail()), "fewer events": int(fewer),
                    "audit fault": int(verified.status != 200 or not verified.data["intact"])}
    except Exception as failure:
        raise AssertionError(f"case {number} of seed {seed}: byte {place} bit {bit} (page {place // 4096} + {place % 4096}): "
                             f"{type(failure).__name__} {failure}; log: {box.log_tail()}") from failure
    finally:
        box.end()
        sites.put(site)
    with counts["lock"]:
        for name, count in outcome.items():
            counts[name] = counts.get(name, 0) + count


@pytest.fixture
def sites(fast_path):
    made = [Site(fast_path / f"lane{n}") for n in range(LANES)]
    free = queue.Queue()
    for site in made:
        free.put(site)
    yield free
    for site in made:
        site.close()


def test_a_flipped_bit_never_crashes_the_daemon_and_never_makes_it_lie(sites, fast_path):
    seed = seed_of_run()
    box, plugin = populate(fast_path / "golden")
    originals = Originals(box)
    assert box.stop()[0] == 0
    deliver_unharmed(box.data_dir, originals, sites)
    counts = {"lock": threading.Lock()}
    failures = []
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        cases = [pool.submit(flip_once, n, seed, box.data_dir, plugin, originals, sites, counts) for n in range(FLIPS)]
        for case in cases:
            if case.exception():
                failures.append(str(case.exception()))
    counts.pop("lock")
    print(f"{FLIPS} flips in {(box.data_dir / 'data.mdb').stat().st_size} bytes, {len(failures)} failed: {json.dumps(counts)}")
    assert not failures, "\n\n".join(failures[:10])
