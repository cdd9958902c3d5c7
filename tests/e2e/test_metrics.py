# SPDX-License-Identifier: Apache-2.0
"""Custom metrics on POST /v2/push/: what an instance of type time_series takes, from the request to the broker."""
import time

from appliance import Appliance, event
from world import Mosquitto, Subscriber, wait_for

METRIC_REFUSALS = {
    "an event": (event("x"), "metrics missing (data[0])"),
    "no numbers": ({"metrics": {}}, "metrics cannot be empty (data[0])"),
    "a name with a dash": ({"metrics": {"cpu-load": 1}},
                           "name 'cpu-load' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[0])"),
    "a number that is text": ({"metrics": {"a": "1"}}, "value expected float64 type, got string (data[0])"),
    "a dimension with a blank": ({"metrics": {"a": 1}, "dimension": {"a b": "c"}},
                                 "name 'a b' required match regex [^[a-zA-Z_][a-zA-Z0-9_]*$] (data[0])"),
}


def test_metrics_go_to_flash_and_upstream(tmp_path):
    """The example of the documentation of custom metrics, from the request to the broker."""
    broker = Mosquitto(tmp_path / "broker")
    subscriber = Subscriber(broker.port)
    box = Appliance(tmp_path / "box", upstreams={"centre": {"servers": [broker.url]}}).start()
    try:
        series = box.plugin("series", "--type", "time_series")
        now = int(time.time() * 1000)
        taken = box.push(series, {"metrics": {"cpu_load": 10}, "target": "127.0.0.1",
                                  "dimension": {"module": "db", "rack": 7, "none": None}, "timestamp": now},
                         {"metrics": {"temperature": 20.5, "humidity": 4e1}})
        assert taken.status == 200, taken.body
        wanted = {"metrics": {"cpu_load": 10}, "target": "127.0.0.1", "dimension": {"module": "db", "rack": "7"}, "timestamp": now}
        stored = box.events()
        assert [e["kind"] for e in stored] == ["custom_metric"] * 2
        assert stored[0]["event"] == wanted
        second = stored[1]["event"]
        assert (second["metrics"], second["target"], second["dimension"]) == ({"temperature": 20.5, "humidity": 40}, "", {})
        assert abs(second["timestamp"] - now) < 60_000
        wait_for(lambda: len(subscriber.events()) == 2, what="the metrics at the broker")
        assert [item for _, item, _ in subscriber.events()] == [wanted, second]
        document = subscriber.messages[0].document()
        assert (document["dataid"], document["bk_data_id"]) == (series["data_id"], series["data_id"])
        for item, message in METRIC_REFUSALS.values():
            answer = box.push(series, {"metrics": {"good": 1}}, item)
            assert (answer.status, answer.json()["result"]) == (400, "false")
            assert answer.json()["message"] == message.replace("data[0]", "data[1]")
        assert len(box.events()) == 2 and box.alerts() == []
    finally:
        box.end()
        subscriber.close()
        broker.stop()
