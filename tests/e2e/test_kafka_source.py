# SPDX-License-Identifier: Apache-2.0
"""Kafka as a source of a running daemon: a record is in the log once, whoever is killed; what cannot be read stops nothing."""
import concurrent.futures
import json
import os
import shutil
import signal

import pytest

from appliance import Appliance
from world import memory_folder, wait_for

SOURCES = {"plant": "plant-events", "flood": "flood", "ended": "ended", "later": "not-there-yet"}


def toml(server):
    lines = []
    for name, topic in SOURCES.items():
        lines += [f"[source.{name}]", 'kind = "kafka"', f'servers = ["{server}"]', f'topics = ["{topic}"]',
                  f'plugin = "{name}"', 'from = "end"' if name == "ended" else 'from = "start"']
    return "\n".join(lines)


class SmallAppliance(Appliance):
    def toml(self, extra, upstreams):
        """Each source has its line in the ledger: fewer connections make room for so many."""
        return super().toml(extra, upstreams).replace("[http.push]", "[http.push]\nconnections_max = 64")


@pytest.fixture(scope="module")
def box(kafka):
    for name in ("plant", "flood"):
        kafka.produce(SOURCES[name], [message("0/0")], 0)
    kafka.produce(SOURCES["ended"], [message("before the first start")], 0)
    folder = memory_folder()
    appliance = SmallAppliance(folder / "box", toml(kafka.server)).start()
    appliance.data_ids = {name: appliance.plugin(name, "--type", "alert_source")["data_id"] for name in SOURCES}
    yield appliance
    appliance.end()
    shutil.rmtree(folder, ignore_errors=True)


def message(text, name="reading"):
    return json.dumps({"alert_name": name, "target": "pump-7", "description": text}).encode()


def source(box, name):
    return next(one for one in box.status()["sources"] if one["name"] == name)


def texts(box, name):
    """What the records of that source said, in the order of the log."""
    data_id = box.data_ids[name]
    return [event["event"]["description"] for event in box.events() if event["data_id"] == data_id]


def test_a_record_opens_an_alert(box, kafka):
    kafka.produce(SOURCES["plant"], [message("it is hot", "pump too hot")])
    wait_for(lambda: [a for a in box.alerts() if a["alert_name"] == "pump too hot"], 20, "the alert", 0.1)
    assert source(box, "plant")["state"] == "connected"


def test_what_cannot_be_read_is_in_the_reject_box_and_the_rest_goes_on(box, kafka):
    kafka.produce(SOURCES["plant"], [message("one"), b"no JSON", message("x" * 70_000), message("two")], 0)
    wait_for(lambda: texts(box, "plant")[-2:] == ["one", "two"], 20, "what can be read", 0.1)

    def refused():
        return {one["code"]: one["message"] for one in box.ctl("reject", "list", "--plugin", "plant")}
    wait_for(lambda: len(refused()) == 2, 20, lambda: f"two reasons, not {refused()}", 0.1)
    assert "topic plant-events, partition 0, offset" in refused()["body_too_long"]
    assert source(box, "plant")["refused"] == 2


def test_a_topic_that_is_made_later_is_found_and_read_from_its_start(box, kafka):
    wait_for(lambda: source(box, "later")["state"] == "connected", 20, "connected", 0.1)
    kafka.produce(SOURCES["later"], [message("first")])
    wait_for(lambda: texts(box, "later") == ["first"], 20, "the record", 0.1)


def test_from_the_end_is_the_end_of_the_first_start_for_empty_partitions_too(box, kafka):
    wait_for(lambda: source(box, "ended")["settled"] == 3, 20, "three marks", 0.1)
    box.kill()
    kafka.produce(SOURCES["ended"], [message("while away, 0")], 0)
    kafka.produce(SOURCES["ended"], [message("while away, 1")], 1)
    box.start()
    wait_for(lambda: sorted(texts(box, "ended")) == ["while away, 0", "while away, 1"], 20, lambda: texts(box, "ended"), 0.1)


def test_every_record_is_in_the_log_once_over_kills_of_all_three(box, kafka):
    made = [1, 0, 0]

    def produce(partition, count=400):
        first, made[partition] = made[partition], made[partition] + count
        messages = [message(f"{partition}/{n}" + " " * 200) for n in range(first, first + count)]
        kafka.produce(SOURCES["flood"], messages, partition)

    def kill_worker():
        os.kill(source(box, "flood")["worker_pid"], signal.SIGKILL)

    def kill_daemon():
        box.kill()
        box.start()

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for fault in (kill_worker, kill_daemon, kill_worker, kill_daemon, None):
            before = source(box, "flood")["settled"]
            producing = [pool.submit(produce, partition) for partition in range(3)]
            if fault:
                wait_for(lambda: source(box, "flood")["settled"] > before, 60, "records", 0)
                fault()
            for one in producing:
                one.result()
    # A producer would repeat what a broker that dies leaves unanswered: this one dies when the worker, which has been
    # stopped, can have no more than its queue and one answer of what was written.
    wait_for(lambda: source(box, "flood")["state"] == "connected", 30, "connected", 0.1)
    pid = source(box, "flood")["worker_pid"]
    os.kill(pid, signal.SIGSTOP)
    for partition in range(3):
        produce(partition, 800)
    kafka.kill()
    os.kill(pid, signal.SIGCONT)
    kafka.start()
    wait_for(lambda: len(texts(box, "flood")) >= sum(made), 60, lambda: f"{len(texts(box, 'flood'))} of {sum(made)}", 0.3)
    kafka.produce(SOURCES["flood"], [message("last")], 0)
    wait_for(lambda: texts(box, "flood")[-1] == "last", 20, "the last record", 0.1)
    got = [text.strip() for text in texts(box, "flood")[:-1]]
    for partition in range(3):
        mine = [int(text.split("/")[1]) for text in got if text.startswith(f"{partition}/")]
        assert mine == list(range(made[partition])), f"partition {partition}: {len(mine)} of {made[partition]}"
    assert len(got) == sum(made) >= 8_000
