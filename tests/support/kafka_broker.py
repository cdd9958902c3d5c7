# SPDX-License-Identifier: Apache-2.0
"""For black-box tests: one Apache Kafka of one's own (a single node, KRaft), its jars from Maven, kcat as the producer."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import uuid

import pytest

from world import ROOT, end_process, free_port, wait_for

POM = ROOT / "tests/e2e/kafka/pom.xml"
JARS = ROOT / "build/kafka"
REQUIRED = bool(os.environ.get("CI") or os.environ.get("TOCSIN_REQUIRE_ALL"))
USER, PASSWORD = "edge", "edge-secret"


def program(name):
    found = shutil.which(name)
    if not found and not REQUIRED:
        pytest.skip(f"{name} is not installed (tools/setup test)")
    assert found, f"{name} is not installed"
    return found


def fetch_jars():
    """Once for each pom.xml: what is there already costs no look at the network."""
    stamp = JARS / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == POM.read_bytes():
        return
    shutil.rmtree(JARS, ignore_errors=True)
    JARS.mkdir(parents=True)
    words = [program("mvn"), "-B", "-q", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    shutil.copy(POM, stamp)


class Kafka:
    """`tls`: a folder with server.pem, server.key and ca.pem: two more listeners, TLS and SASL PLAIN over TLS.
    A topic that is written to is made, with three partitions."""

    def __init__(self, folder, tls=None):
        program("java")
        fetch_jars()
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.tls_port, self.sasl_port, controller = (free_port() for _ in range(4))
        self.server = f"127.0.0.1:{self.port}"
        self.process = None
        self.settings = self.folder / "server.properties"
        self.settings.write_text("\n".join(self.lines(controller, tls)) + "\n")
        storage = self.java("kafka.tools.StorageTool", "format", "-t", uuid.uuid4().hex[:22], "-c", self.settings)
        done = subprocess.run(storage, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def lines(self, controller, tls):
        listeners = {"PLAINTEXT": self.port}
        if tls:
            listeners |= {"SSL": self.tls_port, "SASL_SSL": self.sasl_port}
        urls = [f"{name}://127.0.0.1:{port}" for name, port in listeners.items()]
        lines = ["process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{controller}",
                 "listeners=" + ",".join([*urls, f"CONTROLLER://127.0.0.1:{controller}"]),
                 "advertised.listeners=" + ",".join(urls), "controller.listener.names=CONTROLLER",
                 "listener.security.protocol.map=CONTROLLER:PLAINTEXT," + ",".join(f"{name}:{name}" for name in listeners),
                 f"log.dirs={self.folder}/log", "num.partitions=3", "offsets.topic.replication.factor=1",
                 "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
                 "message.max.bytes=3000000", "log.cleaner.enable=false", "num.network.threads=2", "num.io.threads=2",
                 "background.threads=2",
                 # One that was killed is let in again as soon as its own lease is over.
                 "broker.session.timeout.ms=2000", "broker.heartbeat.interval.ms=400"]
        if tls:
            files = {name: (pathlib.Path(tls) / name).read_text().strip().replace("\n", "\\n")
                     for name in ("server.pem", "server.key", "ca.pem")}
            login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            lines += ["ssl.keystore.type=PEM", f"ssl.keystore.certificate.chain={files['server.pem']}",
                      f"ssl.keystore.key={files['server.key']}", "ssl.truststore.type=PEM",
                      f"ssl.truststore.certificates={files['ca.pem']}", "ssl.client.auth=requested",
                      "sasl.enabled.mechanisms=PLAIN", f"listener.name.sasl_ssl.plain.sasl.jaas.config={login}"]
        return lines

    def java(self, *words):
        return [program("java"), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *map(str, words)]

    def start(self):
        with open(self.folder / "kafka.log", "ab") as log:
            self.process = subprocess.Popen(self.java("kafka.Kafka", self.settings), stdout=log, stderr=log)

        def listens():
            assert self.process.poll() is None, (self.folder / "kafka.log").read_text()[-4000:]
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for(listens, 60, "Kafka", 0.05)
        return self

    def kill(self):
        end_process(self.process, signal.SIGKILL)

    def stop(self):
        if self.process:
            end_process(self.process, signal.SIGTERM, 60)

    def produce(self, topic, messages, partition=None, *options):
        """Messages are bytes; returns when the broker has them. With `partition`, in this order."""
        words = [program("kcat"), "-P", "-b", self.server, "-t", topic, "-D", "\x1e", "-X", "message.max.bytes=2900000",
                 *options, *(["-p", str(partition)] if partition is not None else [])]
        done = subprocess.run(words, input=b"\x1e".join(messages), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
