# SPDX-License-Identifier: Apache-2.0
"""Alerts of other systems: the sources of conf/plugins, the ways to say who sends, and what the answers look like."""
import base64
import http.client
import json
import pathlib
import socket
import subprocess
import time

import pytest

from appliance import Appliance, exchange
from world import end_process, free_port, wait_for

READY = pathlib.Path(__file__).resolve().parents[2] / "conf/plugins"
TARGET = "10.0.0.7:9100"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    appliance = Appliance(tmp_path_factory.mktemp("sources"))
    appliance.other_port = free_port()  # stands for 4318 and 9004
    config = appliance.config.read_text()
    own = f'"127.0.0.1:{appliance.push_port}"'
    appliance.config.write_text(config.replace(own, f'{own}, "127.0.0.1:{appliance.other_port}"', 1))
    appliance.start()
    appliance.ready = {}
    for file in sorted(READY.glob("*.json")):
        appliance.ready[file.stem] = appliance.ctl("plugin", "import", file)[0]
        appliance.ctl("plugin", "update", file.stem, "--max-rate", 0)
    yield appliance
    appliance.end()


def send(box, name, body, path=None, headers=None):
    headers = {"X-BK-TOKEN": box.ready[name]["token"]} if headers is None else headers
    return box.post(path or f"/event/{name}/", body, headers)


def alert_of(box, name):
    found = [alert for alert in box.alerts() if alert["alert_name"] == name]
    assert len(found) == 1, found
    return found[0]


# https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
def alertmanager(status):
    ends = "0001-01-01T00:00:00Z" if status == "firing" else "2024-05-01T10:05:00Z"
    alert = {"status": status, "labels": {"alertname": "DiskFull", "instance": TARGET, "severity": "critical"},
             "annotations": {"summary": "disk is full"}, "startsAt": "2024-05-01T10:00:00.123Z", "endsAt": ends,
             "generatorURL": "http://prometheus/graph", "fingerprint": "1a30ba71cca2921f"}
    return {"version": "4", "groupKey": '{}:{alertname="DiskFull"}', "truncatedAlerts": 0, "status": status,
            "receiver": "tocsin", "groupLabels": {"alertname": "DiskFull"}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093", "alerts": [alert]}


# https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
def grafana(status):
    alert = {"status": status, "labels": {"alertname": "High memory usage", "team": "blue", "zone": "us-1"},
             "annotations": {"description": "The system has high memory usage"}, "startsAt": "2021-10-12T09:51:03.157076+02:00",
             "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2021-10-12T09:56:03.157076+02:00",
             "generatorURL": "https://play.grafana.org/alerting/1", "fingerprint": "c6eadffa33fcdf37",
             "silenceURL": "https://play.grafana.org/alerting/silence/new", "dashboardURL": "", "panelURL": "",
             "values": {"B": 44.23943737541908, "C": 1}}
    return {"receiver": "My Super Webhook", "status": status, "orgId": 1, "alerts": [alert], "groupLabels": {},
            "commonLabels": {"team": "blue"}, "commonAnnotations": {}, "externalURL": "https://play.grafana.org/",
            "version": "1", "groupKey": "{}:{}", "truncatedAlerts": 0, "title": "[FIRING:1]  (blue)", "state": "alerting",
            "message": "**Firing**"}


# https://www.zabbix.com/documentation/current/en/manual/appendix/macros/supported_by_location
def zabbix(value):
    return {"event_id": "7001", "event_name": "High load", "event_value": value, "event_nseverity": "4",
            "event_timestamp": str(int(time.time())), "event_opdata": "load 9.1", "host_name": "db1", "host_ip": "10.0.0.9",
            "event_tagsjson": '[{"tag":"scope","value":"performance"}]', "trigger_id": "15", "trigger_description": "load"}


def webhook(status):
    return {"title": "Door open", "host": "door-3", "severity": "warning", "message": "open for 5 minutes", "status": status,
            "labels": {"site": "north"}}


# The shape of BlueKing's own collectors (src/decisions/0018-gse-records.md); nothing in it says that an agent is back.
def gse():
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    extra = {"type": 2, "count": 1, "host": [{"bizid": 0, "cloudid": 0, "ip": "10.0.0.21", "agent_id": "0:10.0.0.21"}]}
    value = {"event_desc": "", "event_raw_id": 29, "event_source_system": "", "event_time": now, "event_title": "",
             "event_type": "gse_basic_alarm_type", "extra": extra}
    record = {"server": "10.1.0.1", "time": now, "timezone": 0, "utctime": now, "utctime2": now, "value": [value]}
    return json.dumps(record).encode() + b"\0"


CASES = {
    "gse": (gse(), None, "agent-gse", 2, "10.0.0.21|0"),
    "alertmanager": (alertmanager("firing"), alertmanager("resolved"), "DiskFull", 1, TARGET),
    "grafana": (grafana("firing"), grafana("resolved"), "High memory usage", 3, "us-1"),
    "zabbix": (zabbix("1"), zabbix("0"), "High load", 1, "10.0.0.9"),
    "webhook": (webhook("firing"), webhook("resolved"), "Door open", 2, "door-3"),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in READY.glob("*.json")))
def test_each_ready_source_opens_and_recovers_an_alert(box, name):
    firing, resolved, alert_name, severity, target = CASES[name]
    answer = send(box, name, firing)
    assert answer.status == 200, answer.body
    assert answer.json()["result"] is True and answer.json()["data"] is None and len(answer.json()["request_id"]) == 36
    opened = alert_of(box, alert_name)
    assert (opened["state"], opened["severity"], opened["target"]) == ("ABNORMAL", severity, target)
    assert send(box, name, firing).status == 200
    assert alert_of(box, alert_name)["id"] == opened["id"], "what fires again is the same alert"
    if resolved is None:
        return
    assert send(box, name, resolved).status == 200
    assert alert_of(box, alert_name)["state"] == "RECOVERED"


def test_the_documented_sender_of_bk_collector_is_answered_in_its_words(box):
    token = box.ready["webhook"]["token"]
    for path in ("/fta/v1/event", "/fta/v1/event/"):
        assert send(box, "webhook", webhook("firing"), path).body == b'{"status": "success"}'
        assert send(box, "webhook", webhook("firing"), f"{path}?token={token}&source=x", {}).body == b'{"status": "success"}'
    none = send(box, "webhook", webhook("firing"), "/fta/v1/event", {})
    assert (none.status, none.body) == (403, b'{"error":"empty token","status":"error"}')
    wrong = send(box, "webhook", webhook("firing"), "/fta/v1/event", {"X-BK-TOKEN": "wrong"})
    assert wrong.status == 401 and wrong.json() == {
        "status": "error", "error": "run pre-check failed, rtype=fta, code=401, ip=127.0.0.1: reject invalid token"}
    bad = send(box, "webhook", b"[1", "/fta/v1/event")
    assert bad.status == 400 and bad.json()["status"] == "error" and "JSON" in bad.json()["error"]
    assert send(box, "webhook", b"[1]", "/fta/v1/event").json()["error"] == "body: expected an object, got array"
    assert send(box, "webhook", {"host": "x"}, "/fta/v1/event").status == 400, "an event without a name"


def test_every_path_of_senders_answers_on_each_address(box):
    def post(port, path, body, token=None):
        headers = {"X-BK-TOKEN": token} if token else {}
        return exchange(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "POST", path, body, headers)
    ready = box.ready["webhook"]
    event = {"alert_name": "on another port", "target": "t"}
    for port in (box.push_port, box.other_port):
        assert post(port, "/fta/v1/event", webhook("firing"), ready["token"]).body == b'{"status": "success"}'
        assert post(port, "/event/webhook/", webhook("firing"), ready["token"]).status == 200
        assert post(port, "/api/v1/events", event, ready["token"]).status == 200
        assert post(port, "/v2/push/", {"data_id": ready["data_id"], "access_token": "wrong", "data": [{}]}).status == 401
    assert box.log_tail().count("listening on 127.0.0.1:") >= 3


@pytest.mark.parametrize("headers, query", [
    ({"X-BK-TOKEN": "{}"}, ""), ({"X-Tps-TenantID": "{}"}, ""), ({"X-Bk-Fta-Token": "{}"}, ""),
    ({"Authorization": "Bearer {}"}, ""), ({"Authorization": "Basic"}, ""), ({}, "X-BK-TOKEN={}"),
    ({}, "X-Tps-TenantID={}"), ({}, "token={}")])
def test_a_token_may_come_in_any_of_the_known_places(box, headers, query):
    token = box.ready["webhook"]["token"]
    headers = {name: value.format(token) for name, value in headers.items()}
    if headers.get("Authorization") == "Basic":
        headers["Authorization"] = "Basic " + base64.b64encode(f"bkmonitor:{token}".encode()).decode()
    assert send(box, "webhook", webhook("ok"), "/event/webhook?" + query.format(token), headers).status == 200


def test_the_path_names_the_plugin_or_the_plugin_and_its_data_id(box):
    plugin = box.ready["webhook"]
    for path in (f"/event/webhook_{plugin['data_id']}", f"/event/webhook_{plugin['data_id']}/"):
        assert send(box, "webhook", webhook("ok"), path).status == 200
    unknown = send(box, "webhook", webhook("ok"), "/event/nobody/")
    assert unknown.status == 404 and unknown.json()["message"] == "unknown plugin" and unknown.json()["result"] is False
    assert send(box, "webhook", webhook("ok"), f"/event/webhook_{plugin['data_id'] + 7}/").status == 404
    assert send(box, "webhook", webhook("ok"), "/event/grafana/").status == 401, "another plugin's token"
    exact = box.plugin(f"webhook_{plugin['data_id']}", "--type", "alert_source")
    path = f"/event/webhook_{plugin['data_id']}/"
    assert send(box, "webhook", webhook("ok"), path).status == 401, "an exact plugin id wins"
    assert send(box, "webhook", {"alert_name": "n"}, path, {"X-BK-TOKEN": exact["token"]}).status == 200
    box.ctl("plugin", "delete", exact["data_id"])


def test_debug_shows_the_events_and_stores_nothing(box):
    before = box.status()["seq"] if "seq" in box.status() else len(box.events())
    answer = send(box, "alertmanager", alertmanager("firing"), "/event/alertmanager/?debug=1")
    assert answer.status == 200 and answer.data[0]["alert_name"] == "DiskFull" and answer.data[0]["severity"] == 1
    assert send(box, "webhook", webhook("ok"), "/fta/v1/event?debug=1").json()["data"][0]["status"] == "RECOVERED"
    assert (box.status()["seq"] if "seq" in box.status() else len(box.events())) == before


def test_a_request_id_that_the_sender_gives_is_used(box):
    given = "0F8FAD5B-d9cb-469f-a165-70867728950e"
    headers = {"X-BK-TOKEN": box.ready["webhook"]["token"], "X-Request-ID": given}
    assert send(box, "webhook", webhook("ok"), headers=headers).json()["request_id"] == given.lower()
    headers["X-Request-ID"] = "not-a-uuid"
    assert send(box, "webhook", webhook("ok"), headers=headers).json()["request_id"] != "not-a-uuid"


FORMATS = {
    "yaml": b"name: Pump\nhost: p1\nparts: {a: 1}\n",
    "xml": b"<doc><name>Pump</name><host>p1</host></doc>",
    "text": b"Pump p1 failed",
}


@pytest.mark.parametrize("source_format", sorted(FORMATS))
def test_bodies_may_be_yaml_xml_or_text(box, source_format, tmp_path):
    name = "text && regex_extract(text, '^(\\\\w+)')[1] || doc.name || name"
    profile = {"plugin_id": f"in_{source_format}", "type": "alert_source", "max_rate": 0,
               "ingest_config": {"source_format": source_format},
               "normalization_config": [{"field": "alert_name", "expr": name.replace("\\\\", "\\")},
                                        {"field": "description", "expr": "__http_headers__.\"X-Line\""},
                                        {"field": "target", "expr": "__http_query_params__.unit"}]}
    file = tmp_path / "plugin.json"
    file.write_text(json.dumps(profile))
    plugin = box.ctl("plugin", "import", file)[0]
    headers = {"X-BK-TOKEN": plugin["token"], "x-line": "7"}
    shown = box.post(f"/event/in_{source_format}?unit=u%209&debug=1", FORMATS[source_format], headers)
    assert shown.status == 200, shown.body
    event = shown.data[0]
    assert (event["alert_name"], event["description"], event["target"]) == ("Pump", "7", "u 9")
    assert plugin["token"] not in shown.body.decode()
    assert box.post(f"/event/in_{source_format}", FORMATS[source_format], headers).status == 200
    broken = {"yaml": b"a: [", "xml": b"<a>", "text": b""}[source_format]
    assert box.post(f"/event/in_{source_format}", broken, headers).status == 400


def test_a_profile_that_cannot_be_used_is_refused_when_it_is_saved(box, tmp_path):
    file = tmp_path / "plugin.json"
    for part, value, why in (
            ("normalization_config", [{"field": "target", "expr": "a ||"}], "normalization_config[0].expr"),
            ("clean_configs", [{"rules": [{"key": "a", "value": ["("], "method": "reg", "condition": ""}],
                                "normalization_config": []}], "clean_configs[0].rules[0].value[0]"),
            ("ingest_config", {"events_path": "alerts["}, "ingest_config.events_path")):
        file.write_text(json.dumps({"plugin_id": "broken", "type": "alert_source", part: value}))
        got = box.run_ctl("plugin", "import", file)
        assert got.returncode == 1 and why in got.stderr, got
    assert "broken" not in [one["plugin_id"] for one in box.ctl("plugin", "list")]


def test_a_changed_profile_counts_from_the_next_request_on_and_after_a_restart(box, tmp_path):
    file = tmp_path / "plugin.json"
    profile = {"plugin_id": "changing", "type": "alert_source", "max_rate": 0,
               "normalization_config": [{"field": "alert_name", "expr": "a"}]}
    file.write_text(json.dumps(profile))
    plugin = box.ctl("plugin", "import", file)[0]

    def named():
        answer = box.post("/event/changing?debug=1", {"a": "one", "b": "two"}, {"X-BK-TOKEN": plugin["token"]})
        return answer.data[0]["alert_name"]

    assert named() == "one"
    profile["normalization_config"][0]["expr"] = "b"
    file.write_text(json.dumps({**profile, "data_id": plugin["data_id"]}))
    box.ctl("plugin", "import", file)
    assert named() == "two"
    box.kill()
    box.start()
    answer = box.post("/event/changing", {"b": "the first request after a start"}, {"X-BK-TOKEN": plugin["token"]})
    assert answer.status == 200, answer.body
    assert alert_of(box, "the first request after a start")["state"] == "ABNORMAL"
    assert named() == "two"


def test_many_alerts_at_once_and_more_than_fit(box):
    alert = alertmanager("firing")["alerts"][0]
    many = [{**alert, "labels": {**alert["labels"], "alertname": "Many", "instance": f"h{i}"}, "fingerprint": f"{i:016x}"}
            for i in range(300)]
    answer = send(box, "alertmanager", {"alerts": many})
    assert answer.status == 200, answer.body
    assert len([one for one in box.alerts() if one["alert_name"] == "Many"]) == 300
    assert send(box, "alertmanager", {"alerts": []}).status == 200
    too_many = send(box, "alertmanager", {"alerts": [{"status": "firing", "labels": {"alertname": "x"}}] * 1001})
    assert too_many.status == 413 and "1000 events" in too_many.json()["message"]
    large = [{**one, "annotations": {"summary": "s" * 1500}} for one in many[:280]]
    refused = send(box, "alertmanager", {"alerts": large})
    assert refused.status == 413, refused.body
    assert box.post("/event/alertmanager", b"{}" + b" " * 600_000, {"X-BK-TOKEN": "x"}).status == 413


def test_a_real_alertmanager_opens_and_recovers_an_alert(box, tmp_path):
    token = box.ready["alertmanager"]["token"]
    port = free_port()
    config = tmp_path / "alertmanager.yml"
    config.write_text(f"""
route: {{receiver: tocsin, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: tocsin
    webhook_configs:
      - url: http://127.0.0.1:{box.push_port}/event/alertmanager/
        send_resolved: true
        http_config: {{authorization: {{credentials: {token}}}}}
""")
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={tmp_path}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stdout=log, stderr=log)
    try:
        def alert(**times):
            one = {"labels": {"alertname": "RealOne", "instance": "rack-1", "severity": "warning"},
                   "annotations": {"summary": "from a real Alertmanager"}, **times}
            got = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
                                  "-d", json.dumps([one]), f"http://127.0.0.1:{port}/api/v2/alerts"],
                                 capture_output=True, text=True)
            return got.stdout == "200"

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        def state():
            return [one["state"] for one in box.alerts() if one["alert_name"] == "RealOne"]

        wait_for(listens, 20, lambda: (tmp_path / "log").read_text(), 0.05)
        wait_for(alert, 20, lambda: (tmp_path / "log").read_text(), 0.1)
        wait_for(lambda: state() == ["ABNORMAL"], 20, lambda: (tmp_path / "log").read_text(), 0.1)
        assert alert_of(box, "RealOne")["severity"] == 2
        assert alert(endsAt=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1)))
        wait_for(lambda: state() == ["RECOVERED"], 20, lambda: (tmp_path / "log").read_text(), 0.1)
    finally:
        end_process(process)


def explain(box, name, sample, code=0):
    got = box.run_ctl("--format", "json", "explain", name, "-", stdin=sample if isinstance(sample, str) else json.dumps(sample))
    assert got.returncode == code, (got.stdout, got.stderr)
    return json.loads(got.stdout) if got.stdout else got.stderr


def test_explain_shows_every_step_and_what_would_come_of_it_and_stores_nothing(box):
    sample = webhook("firing") | {"title": "Explained"}
    before = len(box.events())
    shown = explain(box, "webhook", sample)
    steps = {step["place"]: step for step in shown["steps"] if step["what"] == "field"}
    assert steps["alert_name"]["value"] == '"Explained"' and steps["event_id"]["reason"] == "the expression gives null"
    assert [step["place"] for step in shown["steps"] if step["what"] == "config"] == ["normalization_config"]
    (one,) = shown["events"]
    assert one["event"]["target"] == "door-3" and one["outcome"] == "opened" and one["alert_id"] is None
    assert len(one["dedupe_md5"]) == 32 and one["severity"] == 2 and shown["refused"] is None
    assert len(box.events()) == before and not [a for a in box.alerts() if a["alert_name"] == "Explained"]
    assert send(box, "webhook", sample).status == 200
    again = explain(box, "webhook", sample)["events"][0]
    assert again["outcome"] == "folded" and again["alert_id"] == alert_of(box, "Explained")["id"]
    assert again["dedupe_md5"] == one["dedupe_md5"]
    refused = explain(box, "webhook", {"host": "x"}, code=1)["refused"]
    assert (refused["status"], refused["code"]) == (400, "alert_name_missing")
    assert explain(box, "webhook", "[", code=1)["refused"]["code"] == "json_invalid"
    text = box.run_ctl("explain", "webhook", "-", stdin=json.dumps(sample))
    assert "folded, open alert" in text.stdout and "alert_name" in text.stdout
    assert "no instance of a plugin nobody" in explain(box, "nobody", "{}", code=1)


def test_explain_reads_items_of_custom_events_too(box):
    plugin = box.plugin("explained", "--alert", "2")
    item = {"event_name": "e", "target": "t", "event": {"content": "c"}, "dimension": {"k": 1}}
    for sample in (item, [item], {"data_id": plugin["data_id"], "access_token": "x", "data": [item]}):
        (one,) = explain(box, "explained", sample)["events"]
        assert one["event"]["dimension"] == {"k": "1"} and one["outcome"] == "opened" and one["severity"] == 2
    assert explain(box, "explained", {"event_name": "e"}, code=1)["refused"]["code"] == "event_target_missing"
    plain = box.plugin("explained_plain")
    assert explain(box, plain["data_id"], item)["events"][0] | {"event": None} == {
        "event": None, "dedupe_md5": None, "outcome": "stored", "alert_id": None}
