# SPDX-License-Identifier: Apache-2.0
"""Sources as an operator handles them: the real daemon and the real tocsinctl."""
import json
import time

import pytest

from appliance import event
from world import wait_for


def status_of(appliance, plugin, token=None):
    """Of a push without events: 400 says that the token was good, 401 that it was not."""
    body = {"data_id": plugin["data_id"], "access_token": token or plugin["token"], "data": []}
    return appliance.post("/v2/push/", body).status


def test_a_rotated_token_holds_beside_the_old_one_until_the_overlap_ends(appliance):
    old = appliance.plugin("demo")
    new = appliance.ctl("plugin", "rotate", "demo", "--overlap", "3s")
    assert set(new) == {"plugin_id", "data_id", "token", "old_token_holds", "old_token_until"}
    assert len(new["token"]) == 32 and new["old_token_holds"] and new["old_token_until"].endswith("Z")
    assert [status_of(appliance, old), status_of(appliance, new)] == [400, 400]
    assert appliance.push(old, event("by the old one")).status == 200
    assert appliance.ctl("plugin", "show", "demo")["old_token_holds"] is True
    wait_for(lambda: status_of(appliance, old) == 401, 10, "the end of the old token", 0.2)
    assert status_of(appliance, new) == 400
    shown = appliance.ctl("plugin", "show", "demo")
    assert shown["old_token_holds"] is False and shown["old_token_until"] is None
    appliance.restart()
    assert [status_of(appliance, old), status_of(appliance, new)] == [401, 400]


def test_the_overlap_is_a_day_unless_told_and_zero_ends_it_at_once(appliance):
    first = appliance.plugin("demo")
    second = appliance.ctl("plugin", "rotate", "demo")
    until_ms = time.mktime(time.strptime(second["old_token_until"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert abs(until_ms - time.time() - 86_400) < 30
    appliance.restart()
    assert [status_of(appliance, first), status_of(appliance, second)] == [400, 400]
    third = appliance.ctl("plugin", "rotate", "demo", "--overlap", 0)
    assert third["old_token_holds"] is False
    assert [status_of(appliance, one) for one in (first, second, third)] == [401, 401, 400]


@pytest.mark.parametrize("overlap", ["5", "h", "-1h", "1.5h", "1w", "", "99999999999999999999d"])
def test_an_overlap_that_is_no_time_is_wrong_usage(appliance, overlap):
    plugin = appliance.plugin("demo")
    got = appliance.run_ctl("plugin", "rotate", "demo", "--overlap=" + overlap)
    assert got.returncode == 2 and "overlap" in got.stderr, got
    assert status_of(appliance, plugin) == 400


def test_an_overlap_beyond_a_month_is_refused(appliance):
    appliance.plugin("demo")
    got = appliance.run_ctl("plugin", "rotate", "demo", "--overlap", "31d")
    assert got.returncode == 1 and "overlap_s: must be a whole number from 0 to 2592000" in got.stderr


def test_any_printable_token_can_be_given_and_none_is_kept_in_clear(appliance):
    longest = "".join(chr(0x21 + i % 94) for i in range(512))
    given = appliance.plugin("demo", "--token", longest)
    assert given["token"] == longest and status_of(appliance, given) == 400
    spaced = appliance.ctl("plugin", "rotate", "demo", "--token", "a token with spaces", "--overlap", 0)
    assert status_of(appliance, spaced) == 400
    for refused in ("é" * 4, "x" * 513, "tab\there"):
        got = appliance.run_ctl("plugin", "rotate", "demo", "--token", refused)
        assert got.returncode == 1 and "token" in got.stderr and refused not in got.stderr
    assert status_of(appliance, spaced) == 400
    for path in ("/api/v1/plugins", "/api/v1/plugins/demo", "/api/v1/audit"):
        assert "a token with spaces" not in json.dumps(appliance.get(path)) and longest not in json.dumps(appliance.get(path))
    appliance.stop()
    stored = (appliance.data_dir / "data.mdb").read_bytes()
    assert b"a token with spaces" not in stored and longest.encode() not in stored


def test_a_disabled_source_is_answered_like_an_unknown_one_until_it_is_enabled(appliance):
    plugin = appliance.plugin("demo")
    appliance.ctl("plugin", "disable", "demo")
    refused = appliance.push(plugin, event("x"))
    unknown = appliance.push({**plugin, "data_id": 1}, event("x"))
    assert refused.status == unknown.status == 401
    said = [{**answer.json(), "request_id": ""} for answer in (refused, unknown)]
    assert said[0] == said[1] and said[0]["code"] == "401" and said[0]["result"] == "false"
    assert plugin["token"] not in refused.body.decode()
    assert appliance.ctl("plugin", "show", "demo")["enabled"] is False
    appliance.restart()
    assert appliance.push(plugin, event("x")).status == 401
    appliance.ctl("plugin", "enable", "demo")
    assert appliance.push(plugin, event("y")).status == 200
    assert [e["event"]["event"]["content"] for e in appliance.events()] == ["y"]


def test_the_data_id_of_a_deleted_source_is_not_given_again(appliance):
    ids = [appliance.plugin(name)["data_id"] for name in ("a", "b", "c")]
    for name in ("b", "c"):
        appliance.ctl("plugin", "delete", name)
    appliance.restart()
    again = appliance.plugin("d")["data_id"]
    assert again == max(ids) + 1
    assert [p["plugin_id"] for p in appliance.ctl("plugin", "list")] == ["a", "d"]
    assert appliance.run_ctl("plugin", "show", "b").returncode == 1


def test_every_change_is_in_the_audit_log(appliance):
    appliance.plugin("demo")
    for words in (["update", "--name", "Demo"], ["disable"], ["enable"], ["rotate", "--overlap", "1h"], ["delete"]):
        appliance.ctl("plugin", words[0], "demo", *words[1:])
    rows = [row["action"] for row in appliance.audit_rows() if row["object"].startswith("plugin:")]
    assert sorted(rows) == sorted(["plugin_created", "plugin_updated", "plugin_disabled", "plugin_enabled",
                                   "plugin_token_rotated", "plugin_deleted"])
    appliance.verify_audit()


def test_a_profile_is_kept_beside_its_source_and_survives(appliance):
    profile = {"version": "2026.11.21.1", "strict": True, "rewrite_cloud": True, "plugin_type": "bk_collector",
               "ingest_config": {"source_format": "json", "multiple_events": True, "events_path": "alerts"},
               "config_params": [{"field": "secret", "value": "s", "is_sensitive": True}],
               "normalization_config": [{"field": "alert_name", "expr": "labels.alertname"}],
               "clean_configs": [{"rules": [{"key": "status", "value": ["firing"], "method": "eq", "condition": ""}],
                                  "normalization_config": [{"field": "status", "expr": "`ABNORMAL`"}]}],
               "alert_config": [{"name": "disk", "rules": [{"key": "name", "value": ["^disk"], "method": "reg"}]}]}
    made = appliance.api("POST", "/api/v1/plugins", {"plugin_id": "am", "type": "alert_source", **profile})
    assert made.status == 200, made.body
    appliance.restart()
    shown = appliance.ctl("plugin", "show", "am")
    assert {name: shown[name] for name in profile} == profile
    refused = appliance.api("POST", "/api/v1/plugins/am", {"alert_config": [{"name": "x", "rules": [
        {"key": "a", "value": ["b"], "method": "like"}]}], "strict": False})
    assert refused.status == 400 and "alert_config[0].rules[0].method" in refused.json()["message"]
    assert appliance.ctl("plugin", "show", "am")["strict"] is True  # nothing of a refused body is done
    appliance.ctl("plugin", "update", "am", "--strict", "off")
    shown = appliance.ctl("plugin", "show", "am")
    assert shown["strict"] is False and shown["alert_config"] == profile["alert_config"]
    assert "clean_configs" not in appliance.ctl("plugin", "list")[0]


def test_a_pull_type_is_taken_as_disabled_and_says_so(appliance):
    appliance.plugin("polled", "--plugin-type", "http_pull")
    shown = appliance.ctl("plugin", "show", "polled")
    assert (shown["plugin_type"], shown["enabled"], shown["note"]) == ("http_pull", False, "not run on this box")
    got = appliance.run_ctl("plugin", "enable", "polled")
    assert got.returncode == 1 and "not run on this box" in got.stderr


def write(folder, name, what):
    path = folder / name
    path.write_text(what if isinstance(what, str) else json.dumps(what))
    return path


def test_an_export_is_imported_again_on_another_box(appliance, make_appliance, fast_path):
    appliance.plugin("a", "--alert", 2, "--lane", "critical", "--name", "源")
    appliance.api("POST", "/api/v1/plugins", {"plugin_id": "b", "type": "alert_source", "data_id": 1500001, "enabled": False,
                                              "version": "1", "alert_config": [{"name": "disk"}]})
    exported = appliance.ctl("plugin", "export")
    assert [one["plugin_id"] for one in exported] == ["b", "a"] and exported[0]["alert_config"] == [{"name": "disk"}]
    assert appliance.ctl("plugin", "export", "a") == [exported[1]]
    other = make_appliance(fast_path / "other")
    made = other.ctl("plugin", "import", write(fast_path, "all.json", exported))
    assert [(one["plugin_id"], one["data_id"]) for one in made] == [("b", 1500001), ("a", 10000001)]
    assert all(len(one["token"]) == 32 for one in made)
    assert other.ctl("plugin", "export") == exported
    assert other.push(made[1], event("x")).status == 200
    again = other.ctl("plugin", "import", write(fast_path, "one.json", exported[1]))
    assert again == [{"plugin_id": "a", "data_id": 10000001}]  # it keeps its token
    assert other.push(made[1], event("y")).status == 200


def test_a_dry_run_shows_the_difference_and_changes_nothing(appliance, fast_path):
    old = appliance.plugin("demo", "--data-id", 1500001)
    before = appliance.ctl("plugin", "export")
    file = write(fast_path, "f.json", [
        {"plugin_id": "demo", "data_id": 1500001, "max_rate": 60, "token": "new", "alert_config": [{"name": "n"}]},
        {"plugin_id": "more"}, {"plugin_id": "demo", "data_id": 1500001 + 1}])
    shown = appliance.ctl("plugin", "import", file, "--dry-run")
    assert [(one["action"], one["data_id"]) for one in shown] == [("update", 1500001), ("create", None), ("create", 1500002)]
    assert shown[0]["changes"] == ["max_rate: 0 -> 60", 'alert_config: nothing -> [{"name":"n"}]', "token"]
    assert appliance.ctl("plugin", "export") == before and status_of(appliance, old) == 400
    made = appliance.ctl("plugin", "import", file)
    assert [one.get("token") for one in made][0] == "new" and made[1]["data_id"] == 10000001
    assert [status_of(appliance, old), status_of(appliance, old, "new")] == [401, 400]
    assert [one["action"] for one in appliance.ctl("plugin", "import", write(fast_path, "same.json", made[:1]), "--dry-run")] == ["none"]


@pytest.mark.parametrize("bad, why", [
    ({"plugin_id": "1x"}, "instances[1]: plugin_id: must match"),
    ({"plugin_id": "a", "data_id": 5}, "instances[1]: data_id: stands twice"),
    ({"plugin_id": "other", "data_id": 1500001}, "instances[1]: plugin_id: data_id 1500001 is of plugin demo"),
    ({"plugin_id": "a", "clean_configs": [{}]}, "instances[1]: clean_configs[0].normalization_config: missing"),
    ({"plugin_id": "a", "plugin_type": "http_pull", "enabled": True}, "not run on this box"),
    (7, "instances[1]: the body must be a JSON object"),
])
def test_a_file_is_imported_as_a_whole_or_not_at_all(appliance, fast_path, bad, why):
    appliance.plugin("demo", "--data-id", 1500001)
    before = appliance.ctl("plugin", "export")
    rows = len(appliance.audit_rows())
    file = write(fast_path, "f.json", [{"plugin_id": "good", "data_id": 5}, bad])
    for dry in ([], ["--dry-run"]):
        got = appliance.run_ctl("plugin", "import", file, *dry)
        assert got.returncode == 1 and why in got.stderr, got
    assert appliance.ctl("plugin", "export") == before and len(appliance.audit_rows()) == rows


def test_files_of_the_receivers_keep_data_ids_tokens_and_rates(appliance, fast_path):
    report = """
type: report
max_length: 512000
config_list:
  - {dataid: 1500001, datatype: event, version: v2, rate: 1000, accesstoken: t-one, max_future_time_offset: 3600}
  - {dataid: 1500002, datatype: time_series, version: v2, rate: -1, accesstoken: t-two}
"""
    report_v2 = """
type: "report_v2"
token: "outer"
bk_biz_id: 7
default:
  processor:
    - name: "token_checker/proxy"
      config: {type: "proxy", proxy_dataid: 1500003, proxy_token: "t-three"}
    - name: "rate_limiter/token_bucket"
      config: {type: "token_bucket", qps: 5, burst: 10}
    - name: "proxy_validator/common"
      config: {type: "time_series", version: "v2", max_future_time_offset: 3600}
"""
    first = appliance.ctl("plugin", "import", write(fast_path, "report.conf", report))
    assert [(one["data_id"], one["token"]) for one in first] == [(1500001, "t-one"), (1500002, "t-two")]
    appliance.ctl("plugin", "import", write(fast_path, "v2.conf", report_v2))
    shown = {one["data_id"]: one for one in appliance.ctl("plugin", "export")}
    assert [shown[n]["max_rate"] for n in (1500001, 1500002, 1500003)] == [1000, -1, 300]  # qps is a second
    assert [shown[n]["type"] for n in (1500001, 1500002, 1500003)] == ["event", "time_series", "time_series"]
    assert shown[1500003]["bk_biz_id"] == 7 and shown[1500001]["upstream_data_id"] == 1500001
    assert appliance.push({"data_id": 1500001, "token": "t-one"}, event("x")).status == 200
    got = appliance.run_ctl("plugin", "import", write(fast_path, "bad.conf", report_v2.replace("qps: 5", "qps: 0.5")))
    assert got.returncode == 1 and "qps must be a whole number" in got.stderr
    got = appliance.run_ctl("plugin", "import", write(fast_path, "no.conf", "a: [1"))
    assert got.returncode == 1 and "neither JSON nor YAML" in got.stderr


def test_a_file_has_512_instances_at_most(appliance, fast_path):
    entries = [{"plugin_id": "site", "name": f"source {n}"} for n in range(513)]
    got = appliance.run_ctl("plugin", "import", write(fast_path, "many.json", entries))
    assert got.returncode == 1 and "instances: at most 512 at a time" in got.stderr
    assert appliance.ctl("plugin", "export") == []
    made = appliance.ctl("plugin", "import", write(fast_path, "most.json", entries[:512]))
    assert len({one["data_id"] for one in made}) == len({one["token"] for one in made}) == 512
    assert [one["name"] for one in appliance.ctl("plugin", "export")] == [one["name"] for one in entries[:512]]
    assert appliance.push(made[-1], event("x")).status == 200
    long = [{"plugin_id": "site", "name": "x" * 120, "config_params": {"a": "y" * 400}} for n in range(300)]
    got = appliance.run_ctl("plugin", "import", write(fast_path, "long.json", long))
    assert got.returncode == 1 and "131072" in got.stderr, got.stderr


def test_a_name_can_be_asked_for_before_it_is_given(appliance):
    assert appliance.ctl("plugin", "check", "pump", "--name", "泵") == {"free": True}
    plugin = appliance.plugin("pump", "--name", "泵")
    for words, why in ((["pump"], "plugin_id"), (["--name", "泵"], "name")):
        got = appliance.run_ctl("plugin", "check", *words)
        assert (got.returncode, got.stdout) == (1, "") and f"{why}: data_id {plugin['data_id']} has it already" in got.stderr, got
    assert appliance.run_ctl("plugin", "check", "--name", "泵", "--biz", "7").stdout == "free\n"
    assert appliance.run_ctl("plugin", "check", "--name", "泵", "--except", plugin["data_id"]).stdout == "free\n"
    assert "plugin_id: must match" in appliance.run_ctl("plugin", "check", "1pump").stderr
    assert appliance.run_ctl("plugin", "check").returncode == 2
    answer = appliance.api("GET", "/validate_custom_event_group_name?bk_biz_id=2&name=pump")
    assert (answer.status, answer.data) == (200, True)
