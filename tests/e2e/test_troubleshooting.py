# SPDX-License-Identifier: Apache-2.0
"""conf/TROUBLESHOOTING.md: each command in it runs as it stands there, and its answer has what the page shows under it."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from appliance import Appliance, event
from world import BIN, memory_folder, wait_for

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "conf" / "TROUBLESHOOTING.md").read_text()

# What differs from run to run, and what stands for it on both sides.
VARIABLE = [(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"), (r"\b[0-9a-f]{32}\b", "ID"), (r"\d+(\.\d+)? [KM]iB", "SIZE"), (r"\d+", "N")]
NOT_VARIABLE = r"HTTP/1\.1 \d+|\(exit \d+\)|\"code\":\"\d+\""


def commands():
    """[(heading, command, [line of the answer], exit status)]"""
    found, heading, shown = [], "", None
    for line in PAGE.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        if line.startswith("```"):
            shown = line == "```console"
        elif shown and line.startswith("$ "):
            found.append((heading, line[2:], [], 0))
        elif shown and line.startswith("(exit "):
            found[-1] = (*found[-1][:3], int(line[6:-1]))
        elif shown:
            found[-1][2].append(line)
    return found


def same_for_every_run(line):
    kept = re.findall(NOT_VARIABLE, line)
    line = re.sub(NOT_VARIABLE, "\0", line)
    for pattern, word in VARIABLE:
        line = re.sub(pattern, word, line)
    for one in kept:
        line = line.replace("\0", one, 1)
    return " ".join(line.split())


def pattern_of(shown):
    return re.compile(".*".join(re.escape(same_for_every_run(part)).replace(r"\ ", " ") for part in shown.split("…")))


@pytest.fixture(scope="module")
def environment():
    folder = memory_folder()
    source = '[source.plant]\nkind = "mqtt"\nservers = ["mqtt://127.0.0.1:1"]\ntopics = ["plant"]\nplugin = "demo"'
    box = Appliance(folder / "box", source, upstreams={"centre": {"servers": ["mqtt://127.0.0.1:1"]}}).start()
    try:
        demo = box.ctl("plugin", "create", "demo", "--alert", 2)
        assert demo["data_id"] == 10000001
        assert box.push(demo, event("/var is 98 % full", "disk_full", "pump-7")).status == 200
        wait_for(lambda: box.ctl("user", "list"), what="the first user, whose password is stretched after the start")
        yield {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TOCSIN_SOCKET": str(box.socket), "CONFIG": str(box.config),
               "PUSH": f"http://127.0.0.1:{box.push_port}", "ADMIN": f"http://127.0.0.1:{box.admin_port}",
               "DATA_ID": str(demo["data_id"]), "TOKEN": demo["token"]}
    finally:
        box.end()
        shutil.rmtree(folder, ignore_errors=True)


def test_every_command_of_the_page_answers_as_it_shows(environment):
    assert len(commands()) >= 25
    faults = []
    for heading, command, shown, status in commands():
        got = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=30)
        answer = [same_for_every_run(line) for line in (got.stdout + got.stderr).splitlines()]
        missing = [line for line in shown if not any(pattern_of(line).search(one) for one in answer)]
        if got.returncode != status or missing:
            faults.append(f"{heading}: $ {command}\n  exit {got.returncode}, missing {missing} in\n  " + "\n  ".join(answer))
    assert not faults, "\n".join(faults)


def test_a_line_that_the_answer_lacks_is_found():
    answer = same_for_every_run('HTTP/1.1 401 Unauthorized {"code":"401","message":"reject invalid token"}')
    assert pattern_of('HTTP/1.1 401 … {"code":"401",…token"}').search(answer)
    assert not pattern_of("HTTP/1.1 400").search(answer)
    assert not pattern_of('"code":"400"').search(answer)
    assert pattern_of("store   28.0 KiB of 16.0 MiB").search(same_for_every_run("store 1.3 MiB of 256.0 MiB"))


def test_links_lead_to_headings_that_are_there():
    anchors = {re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in PAGE.splitlines() if line.startswith("#")}
    for target in re.findall(r"\]\(#([^)]*)\)", PAGE):
        assert target in anchors, target
