# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a box: no broker, a broker with TLS and passwords, a full disk."""
import contextlib
import os
import signal
import subprocess
import time

import pytest

from appliance import event
from world import make_authority, memory_folder, wait_for


def contents(subscriber):
    return [item["event"]["content"] for _, item, _ in subscriber.events()]


def absent_broker(make_broker, subscribe, folder):
    """A broker that is not there yet, and a subscriber whose session it keeps: nothing can come before the subscription."""
    broker = make_broker(folder, persistent=True)
    subscriber = subscribe(broker)
    broker.stop()
    return broker, subscriber


def test_what_came_before_the_broker_is_delivered_in_order_when_it_is_there(make_appliance, make_broker, subscribe, fast_path):
    broker, subscriber = absent_broker(make_broker, subscribe, fast_path / "broker")
    appliance = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    plugin = appliance.plugin()
    sent = [f"event {i}" for i in range(300)]
    for i in range(0, 300, 10):
        assert appliance.push(plugin, *[event(c) for c in sent[i:i + 10]]).status == 200
    assert appliance.admin("GET", "/readyz").status == 200  # a dead link is a normal day
    upstream = appliance.upstream()
    assert upstream["state"] != "connected" and upstream["backlog_at_most"] == 300
    broker.start()
    appliance.wait_drained()
    wait_for(lambda: len(contents(subscriber)) >= 300, what="the backlog")
    assert contents(subscriber) == sent
    assert not any(repeat for _, _, repeat in subscriber.events())
    envelope = subscriber.messages[0].document()
    assert (envelope["bk_data_id"], envelope["dataid"]) == (plugin["data_id"],) * 2
    assert envelope["tocsin"]["store"] == appliance.status()["store_id"]
    assert subscriber.messages[0].topic == f"tocsin/{appliance.status()['appliance']}/{plugin['data_id']}"


def test_what_was_delivered_is_not_sent_again_after_an_orderly_restart(make_appliance, make_broker, subscribe, fast_path):
    broker = make_broker(fast_path / "broker")
    subscriber = subscribe(broker)
    appliance = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    plugin = appliance.plugin()
    appliance.push(plugin, *[event(f"a{i}") for i in range(50)])
    wait_for(lambda: len(contents(subscriber)) == 50, what="fifty events")
    appliance.wait_drained()
    appliance.restart()
    appliance.push(plugin, *[event(f"b{i}") for i in range(50)])
    wait_for(lambda: "b49" in contents(subscriber), what="fifty more")
    assert contents(subscriber) == [f"a{i}" for i in range(50)] + [f"b{i}" for i in range(50)]


def test_two_upstreams_each_get_everything(make_appliance, make_broker, subscribe, fast_path):
    late, second = absent_broker(make_broker, subscribe, fast_path / "two")
    brokers = [make_broker(fast_path / "one"), late]
    appliance = make_appliance(fast_path / "box", upstreams={"one": {"servers": [brokers[0].url]}, "two": {"servers": [brokers[1].url]}})
    first = subscribe(brokers[0])
    plugin = appliance.plugin()
    appliance.push(plugin, *[event(str(i)) for i in range(100)])
    wait_for(lambda: len(contents(first)) == 100, what="the one that is there")
    late.start()
    wait_for(lambda: len(contents(second)) == 100, 60, "the late one")
    assert contents(first) == contents(second) == [str(i) for i in range(100)]


def test_a_tls_broker_with_a_pinned_authority_and_a_password_from_a_file(make_appliance, make_broker, subscribe, fast_path):
    authority = make_authority(fast_path / "authority")
    secret = fast_path / "password"
    secret.write_text("s3cret\n")
    passwords = fast_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "box", "s3cret"], check=True, capture_output=True)
    broker = make_broker(fast_path / "broker", lines=("allow_anonymous false", f"password_file {passwords}"),
                         tls={"cafile": authority / "ca.pem", "certfile": authority / "server.pem", "keyfile": authority / "server.key"})
    subscriber = subscribe(broker, tls_ca=str(authority / "ca.pem"), username="box", password="s3cret")

    def box(name, **keys):
        keys = {"servers": [broker.url], "username": "box", "password_file": str(secret), "ca_file": str(authority / "ca.pem"), **keys}
        return make_appliance(fast_path / name, upstreams={"centre": keys})
    good = box("good")
    plugin = good.plugin()
    good.push(plugin, event("over TLS"))
    wait_for(lambda: contents(subscriber) == ["over TLS"], what="the event")
    assert good.upstream()["state"] == "connected"
    for field in ("cmdline", "environ"):
        with open(f"/proc/{good.worker_pid()}/{field}", "rb") as shown:
            assert b"s3cret" not in shown.read()
    assert "s3cret" not in str(good.get("/api/v1/config")) + str(good.status()) + good.log_tail()

    (fast_path / "wrong").write_text("wrong\n")
    for one, word in ((box("other", ca_file=str(authority / "other.pem")), "certificate"),
                      (box("wrong-password", password_file=str(fast_path / "wrong")), "")):
        one.push(one.plugin(), event("must not arrive"))
        wait_for(lambda: one.upstream()["state"] == "refused" and word in one.upstream()["detail"], 30,
                 lambda: f"refused ({one.upstream()})")
        assert one.admin("GET", "/readyz").status == 200
    assert contents(subscriber) == ["over TLS"]


@contextlib.contextmanager
def small_disk(size):
    folder = memory_folder()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True).returncode == 0
    try:
        if not mounted:
            pytest.skip("needs the right to mount (root in a container may lack it); test_a_limit_on_file_size stands for it")
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def use_until_full(appliance, make_room):
    """Pushes until there is no room, makes some, and looks whether all that was answered is there."""
    plugin = appliance.plugin()
    answered, refused, number = [], 0, 0
    for _ in range(3000):
        number += 1
        content = f"event {number} " + "x" * 2000
        answer = appliance.push(plugin, event(content))
        if answer.status == 200:
            answered.append(content)
        else:
            assert answer.status == 503 and answer.json()["result"] == "false", answer.body
            assert int(answer.headers["Retry-After"]) >= 1
            refused += 1
            if refused >= 20:
                break
    assert refused == 20 and len(answered) > 100
    assert appliance.post("/healthz", None, method="GET").status == 200
    make_room()

    def is_taken():
        return appliance.push(plugin, event("room again")).status == 200
    wait_for(is_taken, 30, "an answer of 200 after there is room", 0.2)
    stored = [e["event"]["event"]["content"] for e in appliance.events()]
    assert stored[:len(answered)] == answered
    assert set(stored[len(answered):]) == {"room again"}
    appliance.verify_audit()
    assert appliance.stop()[0] == 0
    appliance.start()
    assert [e["event"]["event"]["content"] for e in appliance.events()] == stored
    appliance.verify_audit()
    appliance.end()


def test_a_full_disk_is_503_loses_nothing_and_is_over_when_there_is_room(make_appliance, fast_path):
    with small_disk("12m") as disk:
        appliance = make_appliance(fast_path / "box", data_dir=disk / "data")
        ballast = disk / "ballast"
        with open(ballast, "wb") as out, contextlib.suppress(OSError):
            while os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > 2 << 20:
                out.write(b"\0" * 65536)
                out.flush()
        use_until_full(appliance, ballast.unlink)


def test_a_limit_on_file_size_is_503_loses_nothing_and_is_over_when_it_is_raised(make_appliance, fast_path):
    """A full disk for every user: the store's file may not grow, and says so by EFBIG instead of ENOSPC."""
    appliance = make_appliance(fast_path / "box", start=False)
    appliance.start(before=["env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={4 << 20}:"])
    use_until_full(appliance, lambda: subprocess.run(["prlimit", f"--pid={appliance.process.pid}", "--fsize=unlimited:"], check=True))


def test_a_client_that_waits_longer_than_a_commit_gets_its_answer(appliance):
    """The batch delay is a configured wait: the answer comes after it, never before."""
    appliance.end()
    appliance.config.write_text(appliance.config.read_text() + "[store]\ncommit_delay_ms = 300\n")
    appliance.start()
    plugin = appliance.plugin()
    begun = time.monotonic()
    assert appliance.push(plugin, event("x")).status == 200
    assert time.monotonic() - begun > 0.29
    assert len(appliance.events()) == 1


def test_when_the_quota_is_full_the_oldest_go_and_a_gap_record_says_which(make_appliance, make_broker, subscribe, fast_path):
    broker, subscriber = absent_broker(make_broker, subscribe, fast_path / "broker")
    appliance = make_appliance(fast_path / "box", extra="[store]\nquota_bytes = 16777216", upstreams={"centre": {"servers": [broker.url]}})
    plugin = appliance.plugin()
    urgent = appliance.plugin("urgent", "--lane", "critical")
    assert appliance.push(urgent, event("urgent")).status == 200
    sent = [f"event {i} " + "x" * 2000 for i in range(10_000)]  # 20 MB; the log's share is 70 % of 16 MiB

    def push(first, last):
        for i in range(first, last, 50):
            answer = appliance.push(plugin, *[event(c) for c in sent[i:i + 50]])
            assert answer.status == 200, answer.body
    push(0, 9000)
    status = appliance.status()
    assert 0 < status["events"]["evicted"] < len(sent)
    assert status["store"]["used_bytes"] < 16777216 and (appliance.data_dir / "data.mdb").stat().st_size <= 16777216
    appliance.restart()
    push(9000, 10_000)  # the gap goes on growing
    broker.start()
    appliance.wait_drained(120)
    wait_for(lambda: sent[-1] in contents(subscriber), what="the newest event")
    received = subscriber.events()
    covered = {seq for seq, _, _ in received}
    assert len(covered) == len(received)
    gaps = [m.document()["gap"] for m in subscriber.messages if m.topic.endswith("/gaps")]
    assert {gap["reason"] for gap in gaps} == {"room"}
    missing = sum(gap["events"] for gap in gaps)
    assert missing == appliance.status()["events"]["evicted"]
    kept = [item["event"]["content"] for _, item, _ in received]
    assert kept[0] == "urgent"  # the less important lane went first
    assert kept[1:] == sent[missing:]
    lost = {seq for gap in gaps for seq in range(gap["first"], gap["last"] + 1)} - covered
    assert len(lost) == missing
    appliance.verify_audit()


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("frozen", ["broker", "worker"])
def test_what_is_frozen_neither_delays_the_end_nor_outlives_it(make_appliance, make_broker, subscribe, fast_path, frozen):
    broker = make_broker(fast_path / "broker")
    subscriber = subscribe(broker)
    appliance = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    plugin = appliance.plugin()
    wait_for(lambda: appliance.upstream()["state"] == "connected", what="a connection")
    worker = appliance.worker_pid()
    victim = broker.process.pid if frozen == "broker" else worker
    os.kill(victim, signal.SIGSTOP)
    try:
        sent = [f"event {i}" for i in range(200)]
        for content in sent:
            assert appliance.push(plugin, event(content)).status == 200
        assert appliance.admin("GET", "/readyz").status == 200
        code, seconds = appliance.stop()
        assert code == 0 and seconds < 2, (code, seconds)
        wait_for(lambda: not is_alive(worker), what="the worker's end")
    finally:
        if is_alive(victim):
            os.kill(victim, signal.SIGCONT)
    appliance.start()
    appliance.wait_drained()
    wait_for(lambda: set(sent) <= set(contents(subscriber)), what="all events")


def test_a_worker_does_not_outlive_a_killed_daemon(make_appliance, make_broker, fast_path):
    broker = make_broker(fast_path / "broker")
    appliance = make_appliance(fast_path / "box", upstreams={"centre": {"servers": [broker.url]}})
    worker = wait_for(appliance.worker_pid, what="a worker")
    appliance.kill()
    wait_for(lambda: not is_alive(worker), 5, "the worker's end")
