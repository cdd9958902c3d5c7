# SPDX-License-Identifier: Apache-2.0
"""Standard events and custom events raise alerts; operators see and acknowledge them; the audit log has all of it."""
import base64
import time

import pytest

from appliance import event
from world import wait_for


def standard(name="disk full", **members):
    return {"alert_name": name, "target": "10.0.0.1", "target_type": "HOST", "severity": 1, "status": "ABNORMAL",
            "tags": [{"key": "mount", "value": "/var"}], **members}


@pytest.fixture
def plugin(appliance):
    return appliance.plugin("centre", "--type", "alert_source")


def send(appliance, plugin, body, status=200):
    answer = appliance.post("/api/v1/events", body, {"X-BK-TOKEN": plugin["token"]})
    assert answer.status == status, answer.body
    return answer.json()


def outcomes(answer):
    return [item["outcome"] for item in answer["data"]["items"]]


def test_an_alert_opens_folds_and_recovers_under_one_event_id(appliance, plugin):
    opened = send(appliance, plugin, standard(event_id="e1"))
    assert opened.keys() == {"result", "code", "message", "request_id", "data"}
    assert (opened["result"], opened["code"], opened["message"]) == (True, 200, "success")
    item = opened["data"]["items"][0]
    assert (item["event_id"], item["outcome"]) == ("e1", "opened")
    alert_id = item["alert_id"]
    shown = appliance.ctl("alert", "show", alert_id)
    assert (shown["state"], shown["status"], shown["is_ack"], shown["severity"]) == ("ABNORMAL", "ABNORMAL", False, 1)
    assert (shown["alert_name"], shown["target"], shown["plugin_id"]) == ("disk full", "10.0.0.1", "centre")

    folded = send(appliance, plugin, standard(event_id="e2"))["data"]["items"][0]
    assert folded == {"event_id": "e2", "outcome": "folded", "alert_id": alert_id}
    repeated = send(appliance, plugin, standard(event_id="e1", time=appliance.events()[0]["event"]["time"]))
    assert outcomes(repeated) == ["repeat"]

    recovered = send(appliance, plugin, standard(event_id="e1", status="RECOVERED"))["data"]["items"][0]
    assert recovered == {"event_id": "e1", "outcome": "recovered", "alert_id": alert_id}
    shown = appliance.ctl("alert", "show", alert_id)
    assert (shown["state"], shown["status"], shown["event_count"]) == ("RECOVERED", "RECOVERED", 2)  # e1 and e2
    again = send(appliance, plugin, standard(event_id="e3"))["data"]["items"][0]
    assert again["outcome"] == "opened" and again["alert_id"] != alert_id
    assert [a["id"] for a in appliance.alerts()] == [again["alert_id"], alert_id]
    assert [a["state"] for a in appliance.ctl("alert", "list", "--state", "RECOVERED")] == ["RECOVERED"]
    actions = [row["action"] for row in appliance.audit_rows()][::-1]
    assert actions[-3:] == ["alert_opened", "alert_recovered", "alert_opened"]
    appliance.verify_audit()


def test_a_list_is_one_request_and_each_item_has_its_outcome(appliance, plugin):
    events = [standard("a"), standard("a"), standard("b"), standard("c", status="RECOVERED"), standard("b", status="CLOSED")]
    assert outcomes(send(appliance, plugin, events)) == ["opened", "folded", "opened", "ignored", "closed"]
    assert {a["alert_name"]: a["state"] for a in appliance.alerts()} == {"a": "ABNORMAL", "b": "CLOSED"}
    assert len(appliance.events()) == 5


def test_the_token_may_be_in_either_header_or_the_body(appliance, plugin):
    bearer = appliance.post("/api/v1/events", standard("b"), {"Authorization": "Bearer " + plugin["token"]})
    assert outcomes(bearer.json()) == ["opened"]
    body = {"data_id": plugin["data_id"], "access_token": plugin["token"], "data": [standard("c"), standard("c")]}
    assert outcomes(appliance.post("/api/v1/events", body).json()) == ["opened", "folded"]
    beside = {**standard("d"), "data_id": plugin["data_id"], "access_token": plugin["token"]}
    assert outcomes(appliance.post("/api/v1/events", beside).json()) == ["opened"]
    assert not any(plugin["token"] in str(e["event"]) for e in appliance.events())


@pytest.mark.parametrize("body, status", [
    (b"{", 400), (b"[]", 400), (b"5", 400), (b'{"severity":1}', 400), (b'{"alert_name":""}', 400), (b'{"alert_name":5}', 400),
    (b'[{"alert_name":"x"},{}]', 400), (b'{"alert_name":"x","tags":5}', 400),
])
def test_a_bad_standard_event_is_refused_whole(appliance, plugin, body, status):
    answer = send(appliance, plugin, body, status)
    assert answer["result"] is False and answer["code"] == status and answer["message"]
    assert answer["data"] == {"items": []}
    assert appliance.events() == [] and appliance.alerts() == []
    assert appliance.post("/api/v1/events", standard(), {"X-BK-TOKEN": "wrong"}).status == 401
    assert appliance.post("/api/v1/events", standard()).status == 401


def test_custom_events_of_a_plugin_with_alert_raise_alerts_by_name_target_and_dimensions(appliance):
    plugin = appliance.plugin("demo", "--alert", 2)
    quiet = appliance.plugin("quiet")
    begun = time.monotonic()
    same = event("full", name="disk", target="a", dimension={"x": "1", "y": "2"})
    assert appliance.push(plugin, same, {**same, "dimension": {"y": "2", "x": "1"}}, {**same, "dimension": {"x": "1"}},
                          {**same, "target": "b"}, {**same, "event_name": "disks"}).status == 200
    assert len(appliance.alerts()) == 4 and time.monotonic() - begun < 5
    assert appliance.push(quiet, same).status == 200
    assert len(appliance.alerts()) == 4
    assert {a["severity"] for a in appliance.alerts()} == {2}
    appliance.restart()
    assert appliance.push(plugin, same).status == 200
    assert len(appliance.alerts()) == 4  # a restart does not make it open again
    appliance.verify_audit()


def test_folds_are_counted_over_a_kill(appliance):
    plugin = appliance.plugin("demo", "--alert", 2)
    for _ in range(7):
        assert appliance.push(plugin, event("x")).status == 200
    appliance.kill()
    appliance.start()
    assert appliance.push(plugin, event("x")).status == 200
    alert = appliance.alerts()[0]
    appliance.ctl("alert", "ack", alert["id"], "--message", "counted")
    assert appliance.alerts()[0]["event_count"] == 8


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_acknowledging_needs_credentials_and_is_audited(appliance):
    plugin = appliance.plugin("demo", "--alert", 1)
    appliance.push(plugin, *[event("x", name=f"n{i}") for i in range(5)])
    ids = [a["id"] for a in appliance.alerts()]
    viewer = appliance.ctl("user", "add", "vera", "--role", "viewer")
    oscar = appliance.ctl("user", "add", "oscar", "--role", "operator")
    token = appliance.ctl("token", "create", "ci", "--role", "operator")["token"]

    def ack(path, number, headers, message="on it"):
        return appliance.admin("POST", path, {"ids": [ids[number]], "message": message}, headers)

    for path in ("/api/v1/alerts/ack", "/ack_alert"):
        refused = ack(path, 0, None)
        assert refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Basic")
        assert refused.json()["result"] is False and refused.json()["code"] == 401
        wait_for(lambda: appliance.audit_rows()[0]["action"] == "alert_ack_refused", what="audit row")
        assert appliance.audit_rows()[0]["object"] == path
        time.sleep(1.1)  # refusals are recorded once a second
    assert ack("/ack_alert", 0, basic("oscar", "wrong")).status == 401
    assert ack("/ack_alert", 0, basic(viewer["user"], viewer["password"])).status == 403
    assert ack("/ack_alert", 0, {"Authorization": "Bearer nonsense"}).status == 401
    assert {a["state"] for a in appliance.alerts()} == {"ABNORMAL"}

    assert ack("/api/v1/alerts/ack", 0, basic(oscar["user"], oscar["password"])).data["alerts_ack_success"] == [ids[0]]
    assert ack("/ack_alert", 1, {"Authorization": "Bearer " + token}).data["alerts_ack_success"] == [ids[1]]
    aliased = appliance.admin("POST", "/ack_alert", {"alert_ids": [ids[2]], "message": "m"}, {"Authorization": "Bearer " + token})
    assert aliased.data["alerts_ack_success"] == [ids[2]]
    assert appliance.ctl("alert", "ack", ids[3], "--message", "by socket")["alerts_ack_success"] == [ids[3]]
    assert appliance.ctl("alert", "ack", ids[3], "--message", "again")["alerts_already_ack"] == [ids[3]]
    assert appliance.ctl("alert", "ack", "1700000000999", "--message", "m", code=1)["alerts_not_exist"] == ["1700000000999"]

    alerts = {a["id"]: a for a in appliance.alerts()}
    assert [alerts[i]["state"] for i in ids] == ["ACK"] * 4 + ["ABNORMAL"]
    first = alerts[ids[0]]
    assert (first["is_ack"], first["status"], first["ack_message"]) == (True, "ABNORMAL", "on it")
    assert "oscar" in first["ack_operator"]
    acked = [row for row in appliance.audit_rows() if row["action"] == "alert_acked"][::-1]
    assert [row["actor"].split(":")[0] for row in acked] == ["user", "token", "token", "uid"]
    assert all(i in row["object"] for i, row in zip(ids, acked))
    appliance.restart()
    assert {a["id"]: a["state"] for a in appliance.alerts()} == {i: alerts[i]["state"] for i in ids}
    appliance.verify_audit()


def test_transitions_travel_upstream_in_order(make_appliance, make_broker, subscribe, fast_path):
    broker = make_broker(fast_path / "broker")
    subscriber = subscribe(broker, topic="tocsin/+/alerts")
    appliance = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    plugin = appliance.plugin("centre", "--type", "alert_source")
    for status in ("ABNORMAL", "ABNORMAL"):
        send(appliance, plugin, standard(status=status))
    appliance.ctl("alert", "ack", appliance.alerts()[0]["id"], "--message", "mine")
    send(appliance, plugin, standard(status="RECOVERED"))
    wait_for(lambda: len(subscriber.messages) >= 3, what="three transitions")
    documents = [m.document() for m in subscriber.messages]
    assert [d["transition"] for d in documents] == ["opened", "acked", "recovered"]
    assert {d["id"] for d in documents} == {appliance.alerts()[0]["id"]}
    assert [d["tocsin"]["lane"] for d in documents] == ["alert"] * 3
    seqs = [d["tocsin"]["seq"][0][0] for d in documents]
    assert seqs == sorted(set(seqs)) and not any(d["tocsin"]["repeat"] for d in documents)
