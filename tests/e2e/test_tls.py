# SPDX-License-Identifier: Apache-2.0
"""TLS listeners against real clients: Python's ssl and curl (both OpenSSL), and raw sockets for those who misbehave."""
import hashlib
import http.client
import json
import pathlib
import re
import socket
import ssl
import stat
import subprocess
import time

import pytest

from appliance import Appliance, event, exchange
from framing_cases import CASES, HEALTHZ, OPEN
from framing_wire import Wire, fill
from world import free_port, wait_for

TLS_CONNECTIONS = 24  # what the board has for push
RECORD_BYTES = 16384


def openssl(folder, *words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=folder, text=True).stdout


def make_clients(folder):
    """ca.pem; a and b issued by it, stranger by nobody we know: each .pem with its .key."""
    def new(name, *how):
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", *how)
    new("ca", "-x509", "-days", 9, "-out", "ca.pem")
    new("stranger", "-x509", "-days", 9, "-out", "stranger.pem")
    for name in "ab":
        new(name, "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 9,
                "-out", f"{name}.pem")


def fingerprint(folder, name):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert((folder / f"{name}.pem").read_text())).hexdigest()


class Box:
    """An appliance that listens with TLS for senders and operators, and asks senders for certificates if they have one."""

    def __init__(self, folder):
        self.folder = folder
        make_clients(folder)
        self.push_port, self.admin_port = free_port(), free_port()
        self.appliance = Appliance(folder / "box")
        self.ca = self.appliance.data_dir / "tls" / "cert.pem"
        self.configure("optional")

    def configure(self, client_certificate):
        self.appliance.config.write_text(self.appliance.toml("", {}).replace(
            "[http.admin]", f'tls_listen = ["127.0.0.1:{self.push_port}"]\nclient_certificate = "{client_certificate}"\n'
            f'[tls]\nclient_ca_file = "{self.folder}/ca.pem"\n[http.admin]\ntls_listen = ["127.0.0.1:{self.admin_port}"]'))

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.ca)
        if client:
            context.load_cert_chain(self.folder / f"{client}.pem", self.folder / f"{client}.key")
        return context

    def connect(self, client=None, context=None):
        raw = socket.create_connection(("127.0.0.1", self.push_port), timeout=20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return (context or self.context(client)).wrap_socket(raw, server_hostname="127.0.0.1")

    def push(self, plugin, *items, client=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.push_port, timeout=20, context=self.context(client))
        return exchange(connection, "POST", "/v2/push/",
                        {"data_id": plugin["data_id"], "access_token": plugin["token"], "data": list(items)})

    def rss_anon_bytes(self):
        text = pathlib.Path(f"/proc/{self.appliance.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", text)[1]) * 1024

    def is_well(self):
        """A newcomer is served, and soon."""
        begun = time.monotonic()
        connection = http.client.HTTPSConnection("127.0.0.1", self.push_port, timeout=20, context=self.context())
        assert exchange(connection, "GET", "/healthz").status == 200
        return time.monotonic() - begun


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    made = Box(tmp_path_factory.mktemp("tls"))
    made.appliance.start()
    made.plugin = made.appliance.plugin("demo")
    yield made
    made.appliance.end()


def ended(connection):
    """The other side has closed; what it said before."""
    said = b""
    try:
        while part := connection.recv(65536):
            said += part
    except (ConnectionResetError, ssl.SSLError):
        pass
    return said


def test_the_certificate_is_made_once_with_a_key_for_nobody_else(box):
    key = box.ca.parent / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = box.ca.read_bytes(), key.read_bytes()
    text = openssl(box.folder, "x509", "-in", box.ca, "-noout", "-text")
    assert "prime256v1" in text and "IP Address:127.0.0.1" in text and "DNS:localhost" in text and "CA:FALSE" in text
    dates = openssl(box.folder, "x509", "-in", box.ca, "-noout", "-enddate").split("=")[1].strip()
    assert 9.9 < (ssl.cert_time_to_seconds(dates) - time.time()) / (365.25 * 86400) < 10
    assert "made a self-signed certificate" in box.appliance.log_tail()
    box.appliance.restart()
    assert (box.ca.read_bytes(), key.read_bytes()) == before
    assert box.appliance.log.read_text().count("made a self-signed certificate") == 1


def test_an_event_over_tls_is_stored(box):
    assert box.push(box.plugin, event("over tls")).status == 200
    big = [event("x" * 400) for _ in range(900)]  # some 440 KB: many records
    assert box.push(box.plugin, *big).status == 200
    got = subprocess.run(
        ["curl", "-sS", "--cacert", box.ca, "-d", json.dumps({"data_id": box.plugin["data_id"], "access_token":
         box.plugin["token"], "data": [event("by curl")]}), f"https://127.0.0.1:{box.push_port}/v2/push/"],
        capture_output=True, text=True, timeout=20)
    assert json.loads(got.stdout)["code"] == "200", got.stderr
    stored = json.dumps(box.appliance.events())
    assert "over tls" in stored and "by curl" in stored


def test_operators_come_in_from_any_address_with_tls_only(box):
    token = box.appliance.ctl("token", "create", "t", "--role", "viewer")["token"]
    connection = http.client.HTTPSConnection("127.0.0.1", box.admin_port, timeout=20, context=box.context())
    assert exchange(connection, "GET", "/api/v1/status", headers={"Authorization": f"Bearer {token}"}).status == 200
    page = http.client.HTTPSConnection("127.0.0.1", box.admin_port, timeout=20, context=box.context())
    assert exchange(page, "GET", "/page.js", headers={"Authorization": f"Bearer {token}"}).status == 200
    connection = http.client.HTTPSConnection("127.0.0.1", box.admin_port, timeout=20, context=box.context())
    assert exchange(connection, "GET", "/api/v1/status").status == 401


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_only_1_2_and_1_3_are_spoken(box, version):
    context = box.context()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    raw = socket.create_connection(("127.0.0.1", box.push_port), timeout=20)
    if version in ("TLSv1_2", "TLSv1_3"):
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
            assert connection.version() == version.replace("_", ".")
    else:
        with pytest.raises(OSError):
            context.wrap_socket(raw, server_hostname="127.0.0.1")


def test_who_is_bound_to_a_certificate_needs_it_and_the_token(box):
    ctl = box.appliance.ctl
    bound = box.appliance.plugin("bound", "--client-cert", fingerprint(box.folder, "a"))
    assert ctl("plugin", "show", "bound")["client_cert"] == fingerprint(box.folder, "a")
    assert box.push(bound, event("mine"), client="a").status == 200
    for refused in (box.push(bound, event("no certificate")), box.push(bound, event("another's"), client="b"),
                    box.appliance.push(bound, event("plain"))):
        assert (refused.status, refused.headers["X-Tocsin-Error"]) == (401, "client_certificate")
    wrong = box.push({**bound, "token": "guess"}, event("guessed"), client="a")
    assert (wrong.status, wrong.headers["X-Tocsin-Error"]) == (401, "token_invalid")
    assert box.push(box.plugin, event("bound to none"), client="b").status == 200
    box.appliance.restart()
    assert box.push(bound, event("still bound")).status == 401
    assert [one["client_cert"] for one in ctl("plugin", "export", "bound")] == [fingerprint(box.folder, "a")]
    ctl("plugin", "update", "bound", "--client-cert", "none")
    assert box.push(bound, event("free")).status == 200
    assert [row for row in box.appliance.events() if "another's" in json.dumps(row)] == []


def test_a_certificate_of_somebody_else_ends_the_handshake(box):
    with pytest.raises(OSError):
        with box.connect("stranger") as connection:
            connection.sendall(HEALTHZ)
            assert not ended(connection)
            raise ConnectionError("closed")
    assert box.is_well() < 5


def test_a_required_certificate_is_required(box):
    box.configure("required")
    box.appliance.restart()
    try:
        assert box.push(box.plugin, event("shown"), client="b").status == 200
        with pytest.raises(OSError):
            with box.connect() as connection:
                connection.sendall(HEALTHZ)
                assert not ended(connection)
                raise ConnectionError("closed")
    finally:
        box.configure("optional")
        box.appliance.restart()


def test_plain_http_gets_nothing_on_a_tls_port(box):
    for port in (box.push_port, box.admin_port):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(HEALTHZ)
            assert b"HTTP/" not in ended(raw)


def test_framing_has_the_same_verdicts_as_without_tls(box):
    wrong, context = [], box.context()
    for case in CASES:
        if case.half_close or not case.statuses:
            continue  # TLS ends both ways at once; what is only cut waits for its deadline
        wire = Wire(box.connect(context=context))
        with wire.socket:
            is_head = case.sent.startswith(b"HEAD ")
            wire.send(fill(case.sent, box.plugin, "framing"))
            wire.until(len(case.statuses) or 1, is_head)
            if case.fate == OPEN:
                good = wire.statuses(is_head) == case.statuses
                wire.got = b""
                wire.send(HEALTHZ)
                wire.until(1, False)
                good = good and wire.statuses() == [200]
            else:
                while not wire.ended:
                    wire.receive()
                good = wire.statuses(is_head) == case.statuses
        if not good:
            wrong.append((case.name, wire.got))
    assert not wrong


def hello(box):
    """What a client says first, as OpenSSL makes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = box.context().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_handshakes_that_do_not_end_hold_nobody_up_and_are_cut(box):
    halves = []
    for _ in range(TLS_CONNECTIONS - 2):
        halves.append(socket.create_connection(("127.0.0.1", box.push_port), timeout=20))
        halves[-1].sendall(hello(box)[:100])
    begun, before = time.monotonic(), cpu_seconds(box)
    assert max(box.is_well() for _ in range(20)) < 1
    for half in halves:
        ended(half)
        half.close()
    waited = time.monotonic() - begun
    assert 3 < waited < 15  # the deadline of a head is 5 s
    assert cpu_seconds(box) - before < waited / 3, "somebody spins"


def cpu_seconds(box):
    fields = pathlib.Path(f"/proc/{box.appliance.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_nobody_buys_memory_with_small_packets(box):
    """GnuTLS would keep 16 KiB for each of these bytes, or gather a message of 16 MiB."""
    before = box.rss_anon_bytes()
    drips = [socket.create_connection(("127.0.0.1", box.push_port), timeout=20) for _ in range(8)]
    for drip in drips:
        drip.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        drip.sendall(b"\x16\x03\x01\x2e\x00")
    for _ in range(300):
        for drip in drips:
            drip.sendall(b"\x01")
        time.sleep(0.001)
    assert box.rss_anon_bytes() - before < 512 * 1024
    for drip in drips:
        drip.close()
    with socket.create_connection(("127.0.0.1", box.push_port), timeout=20) as large:
        part = b"\x16\x03\x01\x10\x00" + b"\x01\xff\xff\xff" + b"a" * 4092
        try:
            for _ in range(100):
                large.sendall(part)
                time.sleep(0.001)
            assert not ended(large)
        except OSError:
            pass  # cut, as it should be
    assert box.rss_anon_bytes() - before < 512 * 1024
    assert box.is_well() < 5


def test_records_without_a_request_are_bounded(box):
    """A head in records of one byte each: nothing that a client does, and a way to feed the TLS layer for ever."""
    with box.connect() as connection:
        connection.sendall(HEALTHZ)
        said = b""
        while b"ok\n" not in said:
            said += connection.recv(65536)
        try:
            for _ in range(2000):
                connection.sendall(b"A")
        except OSError:
            pass
        assert not ended(connection)  # long before 60 s of idleness, or a head that is too long
    assert box.is_well() < 5


def test_all_tls_connections_together_stay_within_the_ledger(box):
    """Each has done a request and holds a record of which the end is missing, all plain ones are there too."""
    held, plain, before = [], [], box.rss_anon_bytes()
    for _ in range(TLS_CONNECTIONS):
        raw = socket.create_connection(("127.0.0.1", box.push_port), timeout=20)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = box.context("a").wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        client.write(HEALTHZ)
        raw.sendall(outgoing.read())
        assert raw.recv(65536)
        client.write(b"POST /v2/push/ HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" + b" " * (RECORD_BYTES - 200))
        raw.sendall(outgoing.read()[:-1])
        held.append(raw)
    for _ in range(60):
        plain.append(socket.create_connection(("127.0.0.1", box.appliance.push_port), timeout=20))
        plain[-1].sendall(HEALTHZ)
        assert plain[-1].recv(65536)
    ledger = {line["name"]: line for line in box.appliance.status()["memory"]["ledger"]}
    connections, bodies = ledger["push_connections"], ledger["body_pool"]
    assert connections["used_bytes"] <= connections["limit_bytes"] + ledger["admin_connections"]["limit_bytes"]
    assert box.rss_anon_bytes() - before < connections["used_bytes"] + bodies["limit_bytes"]
    assert box.rss_anon_bytes() < 8 * 1024 * 1024
    with box.connect() as newcomer:  # one too many: somebody must go, and it is not the newcomer
        newcomer.sendall(HEALTHZ)
        assert newcomer.recv(65536).startswith(b"HTTP/1.1 200")
    for connection in held + plain:
        connection.close()
    wait_for(lambda: box.appliance.status()["http"]["connections"] < 5, 20, "all are gone", 0.05)


def test_a_certificate_without_its_key_is_said_and_nothing_is_made_over_it(box, make_appliance, fast_path):
    mine = fast_path / "mine.pem"
    mine.write_bytes(box.ca.read_bytes())
    other = make_appliance(fast_path / "box", start=False)
    other.config.write_text(other.toml("", {}).replace(
        "[http.admin]", f'tls_listen = ["127.0.0.1:0"]\n[tls]\ncert_file = "{mine}"\nkey_file = "{fast_path}/no.key"\n[http.admin]'))
    other.launch()
    assert other.process.wait(20) == 1
    assert "no.key is missing" in other.log_tail() and not (fast_path / "no.key").exists()
    assert mine.read_bytes() == box.ca.read_bytes()
