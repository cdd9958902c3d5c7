# SPDX-License-Identifier: Apache-2.0
"""Operating one box: its command line, accounts, health, start and end, configuration, systemd."""
import base64
import grp
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from appliance import Appliance, event, registered
from world import BIN, end_process, wait_for

CONF = pathlib.Path(__file__).resolve().parents[2] / "conf"


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# The command line


def test_every_command_of_the_release_against_the_daemon(appliance):
    plugin = appliance.ctl("plugin", "create", "demo", "--biz", 7, "--name", "演示", "--alert", 2, "--max-rate", 0)
    assert plugin.keys() == {"plugin_id", "data_id", "token"} and plugin["data_id"] == 10000001
    assert [p["plugin_id"] for p in appliance.ctl("plugin", "list")] == ["demo"]
    shown = appliance.ctl("plugin", "show", "demo")
    assert (shown["bk_biz_id"], shown["name"], shown["alert"], shown["max_rate"], shown["type"]) == (7, "演示", 2, 0, "event")
    assert "token" not in shown
    appliance.ctl("plugin", "update", "demo", "--alert", 1, "--name", "Demo")
    assert appliance.ctl("plugin", "show", 10000001)["alert"] == 1
    url = f"http://127.0.0.1:{appliance.push_port}"
    pushed = appliance.ctl("push", "--data-id", plugin["data_id"], "--token", plugin["token"], "--event-name", "login",
                           "--target", "10.0.0.9", "--content", "磁盘 full", "--dimension", "module=db")
    assert pushed == {"events": 1, "requests": 1}
    lines = "\n".join(f"line {i}" for i in range(150))
    got = appliance.run_ctl("push", "--url", url, "--data-id", plugin["data_id"], "--token", plugin["token"], "--event-name", "log",
                            "--target", "t", "-", stdin=lines)
    assert got.returncode == 0, got.stderr

    alerts = appliance.ctl("alert", "list")
    assert [a["alert_name"] for a in alerts] == ["log", "login"]
    assert appliance.ctl("alert", "show", alerts[1]["id"])["severity"] == 1
    appliance.ctl("alert", "ack", alerts[1]["id"], "--message", "mine")
    assert [a["id"] for a in appliance.ctl("alert", "list", "--state", "ACK")] == [alerts[1]["id"]]

    assert len(appliance.ctl("events", "query", "--limit", 1000)) == 151
    found = appliance.ctl("events", "query", "--plugin", "demo", "--text", "磁盘", "--dimension", "module=db", "--since", "2020-01-01T00:00:00Z")
    assert [e["event"]["target"] for e in found] == ["10.0.0.9"]
    assert appliance.ctl("events", "query", "--until", "2020-01-01T00:00:00Z") == []
    tail = appliance.run_ctl("--format", "json", "events", "tail", "--limit", 3)
    assert [json.loads(line)["event"]["event"]["content"] for line in tail.stdout.splitlines()] == ["line 147", "line 148", "line 149"]

    assert appliance.ctl("audit", "verify")["intact"] is True
    status = appliance.ctl("status")
    assert (status["ready"], status["events"]["accepted"], status["alerts"]["open"]) == (True, 151, 2)
    assert appliance.run_ctl("config", "check", appliance.config).returncode == 0
    explained = appliance.ctl("config", "explain", "http.push.listen")
    assert explained[0]["value"] == [f"127.0.0.1:{appliance.push_port}"] and explained[0]["layer"] == "file"
    assert appliance.ctl("config", "explain", "store.retention_hours")[0]["value"] == 168
    for words in (["status"], ["status", "--all"], ["plugin", "list"], ["alert", "list"], ["events", "query", "--limit", "100"],
                  ["audit", "verify"], ["clock", "show"]):
        got = appliance.run_ctl(*words)
        assert got.returncode == 0 and got.stdout and not got.stderr, words
    assert len(appliance.run_ctl("status").stdout.splitlines()) <= 20
    assert appliance.run_ctl("events", "query").stderr == "tocsinctl: 100 shown, more exist: --limit N\n"
    appliance.ctl("plugin", "delete", "demo")
    assert appliance.ctl("plugin", "list") == []
    assert len(appliance.events()) == 151
    assert "no plugin" in appliance.run_ctl("plugin", "show", "10000001").stderr


def test_data_ids_and_names_that_are_taken_or_odd_are_refused(appliance):
    appliance.ctl("plugin", "create", "a", "--data-id", 5)
    for words in (["a2", "--data-id", 5], ["b", "--data-id", 0], ["b", "--data-id", 2147483648], ["", "--data-id", 6], ["x y"],
                  ["b", "--alert", 2, "--type", "alert_source"], ["b", "--token", "tab\tinside"], ["b", "--token", "t" * 513]):
        assert appliance.run_ctl("plugin", "create", *words).returncode in (1, 2), words
    assert [p["data_id"] for p in appliance.ctl("plugin", "list")] == [5]
    appliance.ctl("plugin", "create", "a", "--data-id", 9)
    several = appliance.run_ctl("plugin", "show", "a")
    assert several.returncode == 1 and "5" in several.stderr and "9" in several.stderr


# Accounts


def test_users_and_tokens_live_and_end(appliance):
    password = (appliance.data_dir / "first-password").read_text().split()[1]
    assert (appliance.data_dir / "first-password").stat().st_mode & 0o777 == 0o600
    wait_for(lambda: appliance.ctl("user", "list"), what="the first user")
    assert appliance.admin("GET", "/api/v1/status", headers=basic("admin", password)).status == 200
    page = appliance.admin("GET", "/", headers=basic("admin", password))
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html") and b"Tocsin" in page.body
    assert appliance.admin("GET", "/").status == 401

    vera = appliance.ctl("user", "add", "vera", "--role", "viewer")
    assert appliance.run_ctl("user", "add", "vera", "--role", "viewer").returncode == 1
    assert appliance.admin("GET", "/api/v1/alerts", headers=basic("vera", vera["password"])).status == 200
    assert appliance.admin("GET", "/api/v1/users", headers=basic("vera", vera["password"])).status == 403
    new = appliance.ctl("user", "passwd", "vera")["password"]
    assert appliance.admin("GET", "/api/v1/alerts", headers=basic("vera", vera["password"])).status == 401
    assert appliance.admin("GET", "/api/v1/alerts", headers=basic("vera", new)).status == 200
    appliance.ctl("user", "delete", "vera")
    assert appliance.admin("GET", "/api/v1/alerts", headers=basic("vera", new)).status == 401

    token = appliance.ctl("token", "create", "ci", "--role", "admin")["token"]
    bearer = {"Authorization": "Bearer " + token}
    assert appliance.admin("GET", "/api/v1/users", headers=bearer).status == 200
    listed = appliance.ctl("token", "list")
    assert [t["name"] for t in listed] == ["ci"] and token not in json.dumps(listed)
    appliance.restart()
    assert appliance.admin("GET", "/api/v1/users", headers=bearer).status == 200
    appliance.ctl("token", "delete", "ci")
    assert appliance.admin("GET", "/api/v1/users", headers=bearer).status == 401
    assert appliance.run_ctl("token", "create", "old", "--role", "admin", "--expires", "2020-01-01T00:00:00Z").returncode == 1
    expires_ms = int(time.time() * 1000) + 1500
    short = {"Authorization": "Bearer " + appliance.ctl("token", "create", "short", "--role", "admin", "--expires", expires_ms)["token"]}
    assert appliance.admin("GET", "/api/v1/users", headers=short).status == 200
    wait_for(lambda: appliance.admin("GET", "/api/v1/users", headers=short).status == 401, what="the token's end")
    actions = {row["action"] for row in appliance.audit_rows()}
    assert {"user_created", "user_deleted", "password_changed", "token_created", "token_deleted"} <= actions
    assert not any(new in json.dumps(row) or token in json.dumps(row) for row in appliance.audit_rows())
    raw = (appliance.data_dir / "data.mdb").read_bytes()
    assert token.encode() not in raw and new.encode() not in raw
    appliance.verify_audit()


def test_another_sites_page_cannot_use_a_login(appliance):
    oscar = appliance.ctl("user", "add", "oscar", "--role", "admin")
    login = basic("oscar", oscar["password"])
    body = {"name": "eve", "role": "admin"}
    assert appliance.admin("POST", "/api/v1/users", body, {**login, "Origin": "http://evil.example"}).status == 403
    assert appliance.admin("POST", "/api/v1/users", body,
                           {**login, "Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}).status == 415
    assert "eve" not in [u["user"] for u in appliance.ctl("user", "list")]
    here = f"http://127.0.0.1:{appliance.admin_port}"
    assert appliance.admin("POST", "/api/v1/users", body, {**login, "Origin": here}).status == 200


def test_a_stranger_on_the_box_may_not_use_the_control_socket(appliance, fast_path):
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if os.getuid() != 0:
        pytest.skip("becoming another user needs root")
    for folder in (fast_path, appliance.folder):
        folder.chmod(0o755)
    shutil.copy(BIN / "tocsinctl", fast_path / "tocsinctl")  # the checkout may be closed to others

    def stranger(*ctl):
        return subprocess.run([*words, fast_path / "tocsinctl", "--socket", appliance.socket, *ctl], capture_output=True, text=True, timeout=30)
    for ctl in (["status"], ["plugin", "list"], ["user", "add", "eve", "--role", "admin"]):
        got = stranger(*ctl)
        assert got.returncode == 1 and got.stdout == "", got
    assert "eve" not in [u["user"] for u in appliance.ctl("user", "list")]
    secrets = [appliance.data_dir / name for name in ("first-password", "data.mdb")]
    for path in (appliance.data_dir, *secrets):
        assert path.stat().st_mode & 0o077 == 0, path


def test_members_of_the_group_use_the_control_socket_and_others_do_not(make_appliance, fast_path):
    """As under the systemd unit: an ordinary user whose supplementary group tocsin-admin is, and no capability."""
    if os.getuid() != 0:
        pytest.skip("becoming other users and making a group needs root")
    made = subprocess.run(["groupadd", "--system", "tocsin-admin"], capture_output=True).returncode == 0
    try:
        group = grp.getgrnam("tocsin-admin").gr_gid

        def become(uid, gid, groups):
            words = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--inh-caps=-all", "--bounding-set=-all"]
            return words + ([f"--groups={groups}"] if groups else ["--clear-groups"])

        def box(name, groups):
            made = make_appliance(fast_path / name, start=False)
            programs = fast_path / f"bin-{name}"  # the checkout may be closed to others
            programs.mkdir()
            for program in ("tocsind", "tocsin-mqtt", "tocsinctl"):
                shutil.copy(BIN / program, programs / program)
            os.chown(made.folder, 65533, 65533)
            made.launch(before=become(65533, 65533, groups), program=programs / "tocsind")
            made.wait_ready()
            made.programs = programs
            return made

        def status(box, uid, gid):
            words = [*become(uid, gid, ""), box.programs / "tocsinctl", "--socket", box.socket, "status"]
            return subprocess.run(words, capture_output=True, text=True, timeout=30)
        fast_path.chmod(0o755)
        good = box("good", group)
        assert (good.socket.stat().st_gid, good.socket.stat().st_mode & 0o777) == (group, 0o660)
        assert status(good, 65532, group).returncode == 0
        refused = status(good, 65532, 65532)
        assert refused.returncode == 1 and "be root, the owner of the daemon, or in group tocsin-admin" in refused.stderr
        assert "chown" not in good.log_tail()

        alone = box("alone", "")
        assert "control socket: group tocsin-admin cannot use it: chown: Operation not permitted" in alone.log_tail()
        assert status(alone, 65532, group).returncode == 1
        assert status(alone, 65533, 65533).returncode == 0
    finally:
        if made:
            subprocess.run(["groupdel", "tocsin-admin"], check=True)


def test_the_unit_lets_the_daemon_give_its_socket_away():
    unit = (CONF / "systemd/tocsind.service").read_text().splitlines()
    assert "SupplementaryGroups=tocsin-admin" in unit
    filters = [line.partition("=")[2] for line in unit if line.startswith("SystemCallFilter=")]
    assert "@chown" in filters[-1].split(), "@privileged, refused before, has it"
    users = (CONF / "systemd/tocsin.sysusers.conf").read_text().splitlines()
    assert any(line.split()[:2] == ["g", "tocsin-admin"] for line in users)
    assert any(line.split()[:2] == ["u", "tocsin"] for line in users)


# Health


def test_health_readiness_and_metrics(appliance):
    plugin = appliance.plugin()
    appliance.push(plugin, event("a"), event("b"))
    assert appliance.post("/healthz", None, method="GET").body == b"ok\n"
    for path in ("/healthz", "/readyz"):
        assert appliance.admin("GET", path).status == 200
    metrics = appliance.admin("GET", "/metrics")
    assert metrics.status == 200 and metrics.headers["Content-Type"].startswith("text/plain")
    lines = metrics.body.decode().splitlines()
    assert "tocsin_events_accepted_total 2" in lines
    for line in lines:
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+', line), line
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) > 10


# Start and end


def test_what_was_answered_before_sigterm_is_there_afterwards(appliance):
    plugin = appliance.plugin()
    for _ in range(5):
        answered, stop = [], threading.Event()

        def client(number, answered=answered, stop=stop):
            i = 0
            while not stop.is_set():
                i += 1
                content = f"{time.monotonic_ns()} {number} {i}"
                try:
                    if appliance.push(plugin, event(content)).status == 200:
                        answered.append(content)
                except OSError:
                    return
                except Exception:  # a connection that ended without an answer
                    return
        threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        code, seconds = appliance.stop()
        stop.set()
        for thread in threads:
            thread.join(60)
        assert code == 0 and seconds < 2, (code, seconds)
        appliance.start()
        stored = {e["event"]["event"]["content"] for e in appliance.events()}
        assert len(answered) > 10 and set(answered) <= stored
        appliance.verify_audit()


def test_sigterm_ends_within_two_seconds_beside_idle_and_stuck_clients(appliance):
    idle = [socket.create_connection(("127.0.0.1", appliance.push_port)) for _ in range(20)]
    for s in idle[:10]:
        s.sendall(b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")
    time.sleep(0.1)
    code, seconds = appliance.stop()
    assert code == 0 and seconds < 2, (code, seconds)
    for s in idle:
        s.close()


def test_sigint_ends_it_too(appliance):
    assert end_process(appliance.process, signal.SIGINT) == 0


def test_a_restart_keeps_everything(appliance):
    plugin = appliance.plugin("demo", "--alert", 2)
    appliance.push(plugin, *[event(str(i), name=f"n{i}") for i in range(10)])
    def kept():
        plugins = [registered(one) for one in appliance.ctl("plugin", "list")]
        return appliance.events(), appliance.alerts(), plugins, appliance.ctl("user", "list")

    before = kept()
    identity = {k: appliance.status()[k] for k in ("appliance", "store_id")}
    rows = appliance.audit_rows()
    appliance.restart()
    assert kept() == before
    assert {k: appliance.status()[k] for k in identity} == identity
    assert appliance.status()["boot"] == 2
    assert appliance.audit_rows()[-len(rows):] == rows
    appliance.push(plugin, event("next"))
    assert appliance.events()[-1]["seq"] > max(e["seq"] for e in before[0])


def test_an_ordinary_user_is_told_what_to_do(tmp_path, fast_path):
    """The configuration of the README, by somebody who may write neither /var/lib/tocsin nor /run/tocsin."""
    before = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"] if os.getuid() == 0 else []
    closed = fast_path / "closed"
    closed.mkdir(mode=0o555)
    data = fast_path / "data"
    data.mkdir()
    if before:
        fast_path.chmod(0o755)
        os.chown(data, 65533, 65533)
    shutil.copy(BIN / "tocsind", fast_path / "tocsind")
    file = fast_path / "tocsin.toml"

    def run(data_dir, socket_path):
        file.write_text(f'[appliance]\ndata_dir = "{data_dir}"\n[control]\nsocket = "{socket_path}"\n'
                        '[http.push]\nlisten = ["127.0.0.1:0"]\n[http.admin]\nlisten = []\n')
        got = subprocess.run([*before, fast_path / "tocsind", "--config", file], capture_output=True, text=True, timeout=30)
        assert got.returncode == 1 and "errno" not in got.stderr
        return got.stderr
    shown = run(closed / "data", data / "s")
    assert f"cannot open the store in {closed}/data: Permission denied" in shown and "name another place under appliance.data_dir" in shown
    shown = run(data / "d", closed / "run" / "s")
    assert f"cannot listen on {closed}/run/s: No such file or directory" in shown and "name another place under control.socket" in shown


def test_a_second_instance_on_the_same_folder_is_refused_with_words(appliance, fast_path):
    other = Appliance(fast_path / "other", data_dir=appliance.data_dir)
    got = subprocess.run([BIN / "tocsind", "--config", other.config], capture_output=True, text=True, timeout=30)
    assert got.returncode == 1 and "in use by another process" in got.stderr
    assert appliance.push(appliance.plugin(), event("unharmed")).status == 200


def test_a_taken_port_is_refused_with_words(appliance, fast_path):
    other = Appliance(fast_path / "other")
    other.config.write_text(other.config.read_text().replace(str(other.push_port), str(appliance.push_port)))
    got = subprocess.run([BIN / "tocsind", "--config", other.config], capture_output=True, text=True, timeout=30)
    assert got.returncode == 1 and f"127.0.0.1:{appliance.push_port}: Address already in use" in got.stderr
    assert "change http.push.listen" in got.stderr


@pytest.mark.parametrize("text, line, word", [
    ("[http.push]\nlisten = 5\n", 2, "http.push.listen"), ("\n\n[store]\nquota = 1\n", 4, "store.quota"),
    ("[http.admin]\nlisten = [\"0.0.0.0:1\"]\n", 2, "loopback"), ("[appliance\n", 1, ""), ("[upstream.x]\nkind = \"mqtt\"\nservers = [\"mqtts://h\"]\n", 3, "ca_file"),
    ("[upstream.x]\nkind = \"kafka\"\nservers = [\"h:1\"]\n", 2, "kafka"), ("[upstream.x]\nkind = \"mqtt\"\nservers = [\"h\"]\n", 3, "mqtt://"),
])
def test_configuration_errors_are_exit_2_with_file_and_line(tmp_path, text, line, word):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    for words in ([], ["--check"]):
        got = subprocess.run([BIN / "tocsind", "--config", file, *words], capture_output=True, text=True, timeout=30)
        assert got.returncode == 2, got.stderr
        assert got.stderr.startswith(f"{file}:{line}:") and word in got.stderr, got.stderr
    got = subprocess.run([BIN / "tocsinctl", "config", "check", file], capture_output=True, text=True, timeout=30)
    assert got.returncode == 1 and f"{file}:{line}:" in got.stdout + got.stderr


def test_a_missing_key_is_named_with_its_file(tmp_path):
    (tmp_path / "bad.toml").write_text('[upstream.x]\nkind = "mqtt"\n')
    got = subprocess.run([BIN / "tocsind", "--config", tmp_path / "bad.toml"], capture_output=True, text=True, timeout=30)
    assert got.returncode == 2 and got.stderr == f"{tmp_path}/bad.toml:1: upstream.x.servers: is missing\n"


def test_a_file_that_cannot_be_read_is_named_and_read_when_it_is_there(make_appliance, fast_path):
    ca = fast_path / "ca.pem"
    box = make_appliance(fast_path / "box", upstreams={"centre": {"servers": ["mqtts://127.0.0.1:1"], "ca_file": str(ca)}})
    why = f"cannot read {ca}: No such file or directory"
    wait_for(lambda: (box.upstream()["state"], box.upstream()["detail"]) == ("refused", why), 10, lambda: f"{why} ({box.upstream()})")
    assert f"upstream.centre.ca_file: warning: {ca}: No such file or directory" in box.log_tail()
    ca.write_text("-----BEGIN CERTIFICATE-----\n")
    wait_for(lambda: why not in box.upstream()["detail"], 30, lambda: f"another state ({box.upstream()})")
    assert box.upstream()["restarts"] == 0


def test_a_missing_configuration_and_wrong_usage_are_exit_2(tmp_path):
    for words in ([], ["--config"], ["--config", tmp_path / "none"], ["--nope"]):
        assert subprocess.run([BIN / "tocsind", *words], capture_output=True, timeout=30).returncode == 2, words


# systemd


def test_systemd_is_told_ready_alive_and_stopping(make_appliance, fast_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(fast_path / "notify"))
        notify.settimeout(10)
        appliance = make_appliance(fast_path / "box", start=False)
        appliance.launch({"NOTIFY_SOCKET": str(fast_path / "notify"), "WATCHDOG_USEC": "1000000"})
        seen, begun = [], time.monotonic()
        while seen.count("WATCHDOG=1") < 4:
            seen.append(notify.recv(1024).decode())
        assert "READY=1" in seen
        assert time.monotonic() - begun < 10  # at least twice in each period of a second, with a wide margin
        assert appliance.stop()[0] == 0
        notify.settimeout(0.2)
        try:
            while True:
                seen.append(notify.recv(1024).decode())
        except TimeoutError:
            pass
        assert seen.index("READY=1") < seen.index("STOPPING=1")
