# SPDX-License-Identifier: Apache-2.0
"""What black-box tests share. Everything a fixture starts, it ends, by its process id."""
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from appliance import Appliance  # noqa: E402
from kafka_broker import Kafka  # noqa: E402
from world import Mosquitto, Subscriber, make_authority, memory_folder  # noqa: E402


@pytest.fixture
def fast_path():
    """As tmp_path, in memory where possible."""
    folder = memory_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_appliance():
    made = []

    def make(folder, *arguments, start=True, **options):
        made.append(Appliance(folder, *arguments, **options))
        return made[-1].start() if start else made[-1]
    yield make
    for appliance in made:
        appliance.end()


@pytest.fixture
def appliance(make_appliance, fast_path):
    return make_appliance(fast_path / "box")


@pytest.fixture
def make_broker():
    made = []

    def make(folder, **options):
        made.append(Mosquitto(folder, **options))
        return made[-1]
    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def subscribe():
    made = []

    def make(broker, **options):
        made.append(Subscriber(broker.port, **options))
        return made[-1]
    yield make
    for subscriber in made:
        subscriber.close()


@pytest.fixture(scope="session")
def kafka():
    """One for all tests that want it: it takes seconds to start. Each test has topics of its own."""
    folder = memory_folder()
    broker = Kafka(folder, tls=make_authority(folder / "tls")).start()
    yield broker
    broker.stop()
    shutil.rmtree(folder, ignore_errors=True)
