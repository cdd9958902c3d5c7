# SPDX-License-Identifier: Apache-2.0
"""Syslog over UDP, TCP and Unix sockets becomes events of one instance; the sender is logger(1) of util-linux."""
import re
import shutil
import socket
import subprocess
import time

import pytest

from appliance import Appliance
from world import free_port, memory_folder, wait_for

LOGGER = shutil.which("logger")
pytestmark = pytest.mark.skipif(LOGGER is None, reason="logger(1) is not installed")


def section(name, plugin, **keys):
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    return f'[syslog.{name}]\nplugin = "{plugin}"\n{lines}\n'


class Site:
    """One box with a syslog listener for custom events and one for alert-source events."""
    def __init__(self, folder):
        self.port, self.alert_port = free_port(), free_port()
        self.path, self.stream_path = folder / "log", folder / "stream"
        addresses = [f"udp://127.0.0.1:{self.port}", f"tcp://127.0.0.1:{self.port}", f"unix://{self.path}",
                     f"unix-stream://{self.stream_path}"]
        extra = section("site", "logs", listen=str(addresses).replace("'", '"'))
        extra += section("alarms", "alarms", listen=f'["udp://127.0.0.1:{self.alert_port}"]', target='"hostname"',
                         event_name='"device log"')
        self.box = Appliance(folder / "box", extra).start()

    def log(self, text, *options):
        subprocess.run([LOGGER, *map(str, options), "--", text], check=True, timeout=30)

    def udp(self, text, *options, port=None):
        self.log(text, "--server", "127.0.0.1", "--port", port or self.port, "--udp", *options)

    def tcp(self, text, *options):
        self.log(text, "--server", "127.0.0.1", "--port", self.port, "--tcp", *options)

    def find(self, text):
        """The one event with that text among the newest, when it is on flash."""
        def found():
            return [e for e in self.box.get("/api/v1/events?limit=200")["items"] if text in str(e)]
        wait_for(lambda: found() != [], 10, lambda: f"event with {text!r} ({self.status()})", 0.02)
        assert len(found()) == 1, found()
        return found()[0]

    def item(self, text):
        return self.find(text)["event"]

    def status(self, name="site"):
        return next(one for one in self.box.status()["syslog"] if one["name"] == name)

    def metric(self, line):
        return re.search(rf"^{re.escape(line)} (\d+)$", self.box.api("GET", "/metrics").body.decode(), re.M).group(1)


@pytest.fixture(scope="module")
def site():
    folder = memory_folder()
    made = Site(folder)
    yield made
    made.box.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def logs(site):
    """Made after the first messages came: an instance need not exist at the start."""
    site.udp("before anybody was there")
    wait_for(lambda: site.status()["dropped_no_instance"] == 1, 10, "a message without an instance to be counted", 0.02)
    assert site.metric('tocsin_syslog_dropped_total{syslog="site",why="no_instance"}') == "1"
    return site.box.plugin("logs")


def test_every_way_in_and_both_forms_become_events(site, logs):
    began = time.time()
    site.udp("udp new", "--rfc5424", "-t", "app-a", "-p", "auth.crit", "--id=42", "--msgid", "ID47",
             "--sd-id", "example@32473", "--sd-param", 'iut="3"')
    item = site.item("udp new")
    assert item["event_name"] == "syslog" and item["target"] == "127.0.0.1"
    assert item["event"]["content"] == "udp new" and item["event"]["procid"] == "42"
    assert {"key": "example@32473.iut", "value": "3"} in item["event"]["structured_data"]
    dimension = item["dimension"]
    host = socket.gethostname()
    assert {**dimension, "hostname": ""} == {"facility": "auth", "level": "crit", "severity": "1", "app": "app-a",
                                             "msgid": "ID47", "hostname": ""}
    assert host.startswith(dimension["hostname"].split(".")[0])
    assert abs(item["timestamp"] / 1000 - began) < 5

    site.udp("udp old", "--rfc3164", "-t", "app-b", "-p", "local3.warning", "-i")
    item = site.item("udp old")
    assert item["dimension"]["app"] == "app-b" and item["dimension"]["severity"] == "2"
    assert item["dimension"]["facility"] == "local3" and item["event"]["content"] == "udp old"
    assert item["event"]["procid"].isdigit()

    site.tcp("tcp counted", "--rfc5424", "--octet-count", "-t", "app-c")
    site.tcp("tcp line", "--rfc3164", "-t", "app-d")
    assert site.item("tcp counted")["dimension"]["app"] == "app-c"
    assert site.item("tcp line")["dimension"] | {"hostname": ""} == {
        "facility": "user", "level": "notice", "severity": "3", "app": "app-d", "hostname": ""}

    site.log("unix datagram", "-u", site.path, "-t", "app-e")
    item = site.item("unix datagram")
    assert item["dimension"]["app"] == "app-e" and item["target"] == host and "sender" not in item["event"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.connect(str(site.stream_path))
        stream.sendall(b"<27>app-f[7]: unix stream")  # ends without a line feed
    assert site.item("unix stream")["dimension"]["level"] == "err"


def test_a_long_message_is_cut_and_many_keep_their_order(site, logs):
    with socket.create_connection(("127.0.0.1", site.port)) as stream:
        stream.sendall(b"<13>app: long " + b"x" * 20_000 + b"\n")
        stream.sendall(b"".join(b"<13>app: row %d\n" % i for i in range(600)))
        stream.sendall(b"<13>app: the last\n")
    site.find("the last")
    events = [e["event"]["event"] for e in site.box.events()]
    rows = [e["content"] for e in events if e["content"].startswith("row ")]
    assert rows == [f"row {i}" for i in range(600)]
    long = next(e for e in events if e["content"].startswith("long "))
    assert long["cut"] is True and len(long["content"]) == 8192 - len("<13>app: ")
    assert site.status()["cut"] == 1


def test_an_alert_source_opens_an_alert_of_the_messages_severity(site):
    site.box.plugin("alarms", "--type", "alert_source")
    for text in ("disk failed", "disk failed again"):
        site.udp(text, "--rfc5424", "-t", "raid", "-p", "kern.emerg", port=site.alert_port)
        site.find(f"{text}'")
    alerts = [a for a in site.box.alerts() if a["alert_name"] == "device log"]
    assert len(alerts) == 1, alerts
    assert alerts[0]["severity"] == 1 and alerts[0]["target"] == site.item("disk failed again")["target"]
    assert alerts[0]["target"].split(".")[0] == socket.gethostname().split(".")[0]


def test_the_rate_of_the_instance_drops_datagrams_and_holds_streams_back(site, logs):
    before = site.status()
    site.box.ctl("plugin", "update", "logs", "--max-rate", 120)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for i in range(150):
            sender.sendto(b"<13>app: over %d" % i, ("127.0.0.1", site.port))
    wait_for(lambda: site.status()["dropped_rate"] - before["dropped_rate"] >= 20, 10, "datagrams over the rate", 0.02)
    with socket.create_connection(("127.0.0.1", site.port)) as stream:
        stream.sendall(b"<13>app: held back 1\n<13>app: held back 2\n")
        site.find("held back 2")  # two a second
    site.box.ctl("plugin", "update", "logs", "--max-rate", 0)
    assert int(site.metric('tocsin_syslog_dropped_total{syslog="site",why="rate"}')) >= 20


def test_a_fast_stream_is_held_back_and_loses_nothing(site, logs):
    before = site.status()["messages"]
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as stream:
        stream.sendall(b"".join(b"<13>app: fast %d %s\n" % (i, b"x" * 400) for i in range(6_000)))
    wait_for(lambda: site.status()["messages"] == before + 6_000, 30, lambda: f"6,000 messages ({site.status()})", 0.05)


def test_a_kill_loses_nothing_that_was_an_event_and_the_sockets_come_back(site, logs):
    site.log("before the kill", "-u", site.path)
    site.find("before the kill")
    site.box.kill()
    site.box.start()  # the stale sockets are replaced
    site.find("before the kill")
    site.log("after the kill", "-u", site.path)
    site.find("after the kill")
    assert site.box.stop()[0] == 0
    site.box.start()
