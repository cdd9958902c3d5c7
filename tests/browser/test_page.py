# SPDX-License-Identifier: Apache-2.0
"""The status page in Chromium, served by a tocsind of its own on free ports."""
import json
import os
import pathlib
import socket
import subprocess
import time

import pytest
import requests

# Where everything is set up, a browser that is not there is a failure and no reason to look away.
REQUIRED = bool(os.environ.get("CI") or os.environ.get("TOCSIN_REQUIRE_ALL"))
if REQUIRED:
    from selenium import webdriver
else:
    webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

BIN = pathlib.Path(os.environ.get("TOCSIN_BIN_DIR", "build/release/bin")).resolve()
CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'

pytestmark = pytest.mark.skipif(not REQUIRED and not (pathlib.Path(CHROMIUM).exists() and pathlib.Path(DRIVER).exists()),
                                reason="chromium and chromium-driver are not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, seconds=10):
    """The first true value of what(); AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = what()
        except Exception as error:  # the page is between two states
            found = None
            last = error
        else:
            last = None
        if found:
            return found
        assert time.monotonic() < end, last or "it did not happen in time"
        time.sleep(0.05)


class Daemon:
    def __init__(self, folder):
        self.push_port, self.admin_port = free_port(), free_port()
        self.socket = folder / "control.sock"
        self.data = folder / "data"
        config = folder / "tocsin.toml"
        config.write_text(
            f'[appliance]\nname = "edge <b>one</b>"\ndata_dir = "{self.data}"\n'
            f'[control]\nsocket = "{self.socket}"\n'
            f'[http.push]\nlisten = ["127.0.0.1:{self.push_port}"]\n'
            f'[http.admin]\nlisten = ["127.0.0.1:{self.admin_port}"]\n')
        self.data.mkdir(mode=0o700)
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([BIN / "tocsind", "--config", config], stderr=self.log)
        until(lambda: requests.get(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=1).status_code == 200)
        self.password = until(lambda: (self.data / "first-password").read_text().split()[1])
        # The first user is there once its password has been stretched.
        until(lambda: requests.get(self.url("/api/v1/status"), auth=("admin", self.password), timeout=5).status_code == 200)

    def url(self, path="/", with_login=False):
        login = f"admin:{requests.utils.quote(self.password, safe='')}@" if with_login else ""
        return f"http://{login}127.0.0.1:{self.admin_port}{path}"

    def post(self, path, body):
        answer = requests.post(self.url(path), json=body, auth=("admin", self.password), timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def push(self, instance, name, content):
        body = {"data_id": instance["data_id"], "access_token": instance["token"],
                "data": [{"event_name": name, "target": "10.0.0.1", "event": {"content": content}, "dimension": {}}]}
        answer = requests.post(f"http://127.0.0.1:{self.push_port}/v2/push/", data=json.dumps(body), timeout=5)
        assert answer.status_code == 200, answer.text

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=5) == 0
        self.log.close()


@pytest.fixture
def daemon(tmp_path):
    running = Daemon(tmp_path)
    yield running
    running.stop()


def open_browser(language):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", f"--lang={language}",
                     f"--accept-lang={language}", "--window-size=1100,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(DRIVER), options=options)


@pytest.fixture
def browser():
    running = open_browser("en-US")
    yield running
    running.quit()


def rows(browser):
    return browser.find_elements(By.CSS_SELECTOR, "#alerts tbody tr")


def text(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def test_an_operator_sees_and_acknowledges_an_alert(daemon, browser):
    instance = daemon.post("/api/v1/plugins", {"plugin_id": "demo", "alert": 1})
    browser.get(daemon.url(with_login=True))
    until(lambda: text(browser, "#no-alerts") == "No alert is open.")
    daemon.push(instance, "Disk " + EVIL, EVIL)
    until(lambda: len(rows(browser)) == 1)
    row = rows(browser)[0].text
    assert "abnormal" in row and "fatal" in row and EVIL in row, "everything is shown as text"
    assert "edge <b>one</b>" in browser.title
    assert not browser.find_elements(By.CSS_SELECTOR, "#alerts img, #alerts script, header b")

    rows(browser)[0].find_element(By.TAG_NAME, "button").click()
    browser.find_element(By.ID, "ack-message").send_keys("on my way")
    browser.find_element(By.CSS_SELECTOR, "#ack button[type=submit]").click()
    until(lambda: "acknowledged by user:admin" in rows(browser)[0].text)
    alert = requests.get(daemon.url("/api/v1/alerts"), auth=("admin", daemon.password), timeout=5).json()["data"]["items"][0]
    assert (alert["state"], alert["ack_message"]) == ("ACK", "on my way")
    if os.environ.get("TOCSIN_SCREENSHOT"):
        browser.save_screenshot(os.environ["TOCSIN_SCREENSHOT"])
    errors = [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    assert errors == [], "neither an error nor a violation of the content policy"


def test_the_page_shows_memory_and_upstreams(daemon, browser):
    browser.get(daemon.url(with_login=True))
    until(lambda: "MiB" in text(browser, "#memory-text"))
    assert text(browser, "#no-upstreams").startswith("No upstream is configured")
    assert browser.find_elements(By.CSS_SELECTOR, "#ledger tbody tr")
    assert text(browser, "#ready") == "ready"


def test_the_language_follows_the_browser_and_can_be_changed(daemon):
    browser = open_browser("zh-CN")
    try:
        browser.get(daemon.url(with_login=True))
        until(lambda: text(browser, "#no-alerts") == "没有未恢复的告警。")
        browser.find_element(By.ID, "language").click()
        assert text(browser, "#no-alerts") == "No alert is open."
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    finally:
        browser.quit()


def test_the_page_says_when_the_box_is_gone(daemon, browser):
    browser.get(daemon.url(with_login=True))
    until(lambda: text(browser, "#ready") == "ready")
    daemon.process.kill()
    daemon.process.wait()
    until(lambda: text(browser, "#trouble").startswith("The box does not answer"))
    daemon.process = subprocess.Popen(["true"])
