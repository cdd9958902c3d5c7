// SPDX-License-Identifier: Apache-2.0
// The status page. Whatever comes from the API is put in as text, never as markup.
"use strict";

const TEXTS = {
  en: {
    other: "中文", alerts: "Alerts", state: "State", severity: "Severity", alert: "Alert", target: "Target",
    description: "Description", events: "Events", latest: "Latest", ackButton: "Acknowledge", ackMessage: "Message",
    ackConfirm: "Acknowledge", cancel: "Cancel", noAlerts: "No alert is open.", upstreams: "Upstream", upstream: "Name",
    backlog: "Backlog (at most)", confirmed: "Confirmed since start", detail: "Detail",
    noUpstreams: "No upstream is configured; events stay on this box.", memory: "Memory", purpose: "Purpose", used: "Used",
    peak: "Peak", limit: "Limit", ready: "ready", notReady: "not ready", since: "since",
    untrusted: "The clock of this box is not trusted: times may be wrong. Set it with: tocsinctl clock set",
    lost: "The box does not answer", refused: "Refused", accepted: "Accepted since start", stored: "Last sequence",
    evicted: "Removed undelivered", store: "Store", of: "of", ackedBy: "acknowledged by", uptime: "up",
    severities: ["", "fatal", "warning", "remind"],
    states: { ABNORMAL: "abnormal", ACK: "acknowledged", RECOVERED: "recovered", CLOSED: "closed" },
  },
  zh: {
    other: "English", alerts: "告警", state: "状态", severity: "级别", alert: "告警名称", target: "目标",
    description: "描述", events: "事件", latest: "最近时间", ackButton: "确认", ackMessage: "说明",
    ackConfirm: "确认告警", cancel: "取消", noAlerts: "没有未恢复的告警。", upstreams: "上游", upstream: "名称",
    backlog: "积压(最多)", confirmed: "启动以来已确认", detail: "详情",
    noUpstreams: "未配置上游,事件保存在本机。", memory: "内存", purpose: "用途", used: "已用",
    peak: "峰值", limit: "上限", ready: "就绪", notReady: "未就绪", since: "自",
    untrusted: "本机时钟不可信,显示的时间可能有误。请执行:tocsinctl clock set",
    lost: "设备没有响应", refused: "被拒绝", accepted: "启动以来接收", stored: "最新序号",
    evicted: "未送达即清除", store: "存储", of: "/", ackedBy: "确认人", uptime: "已运行",
    severities: ["", "致命", "预警", "提醒"],
    states: { ABNORMAL: "未恢复", ACK: "已确认", RECOVERED: "已恢复", CLOSED: "已关闭" },
  },
};
const REFRESH_MS = 2000;
const WAIT_MS = 10000;

const byId = (id) => document.getElementById(id);
let language = /^zh/i.test(navigator.language) ? "zh" : "en";
let last = null;
let acking = "";
let timer = 0;

const words = () => TEXTS[language];
const number = (value) => (typeof value === "number" ? value.toLocaleString(language) : "–");
const bytes = (value) => {
  if (typeof value !== "number") return "–";
  if (value >= 1048576) return (value / 1048576).toFixed(1) + " MiB";
  return value >= 1024 ? (value / 1024).toFixed(0) + " KiB" : value + " B";
};
const time = (ms) => (typeof ms === "number" && ms > 0 ? new Date(ms).toLocaleString(language) : "–");

function cell(row, text, kind) {
  const td = row.insertCell();
  td.textContent = text;
  if (kind) td.className = kind;
  return td;
}

function fill(table, items, write) {
  const body = document.createElement("tbody");
  for (const item of items) write(body.insertRow(), item);
  byId(table).tBodies[0].replaceWith(body);
}

async function ask(path, body) {
  const options = { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(WAIT_MS) };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  // Without the origin, a page whose address holds user and password could not ask at all.
  const response = await fetch(location.origin + path, options);
  const answer = await response.json();
  if (!answer.result) throw new Error(words().refused + ": " + answer.message);
  return answer.data;
}

function showAlerts(alerts) {
  byId("no-alerts").hidden = alerts.length > 0;
  byId("alerts").hidden = alerts.length === 0;
  fill("alerts", alerts, (row, alert) => {
    row.dataset.id = alert.id;
    cell(row, words().states[alert.state] || alert.state, alert.state === "ABNORMAL" ? "word bad" : "word");
    cell(row, words().severities[alert.severity] || String(alert.severity), "word");
    cell(row, alert.alert_name);
    cell(row, (alert.event && alert.event.target) || "");
    cell(row, (alert.event && alert.event.description) || "");
    cell(row, number(alert.event_count), "number");
    cell(row, time(alert.latest_time_ms), "word");
    const action = cell(row, "");
    if (alert.state === "ABNORMAL") {
      const button = document.createElement("button");
      button.textContent = words().ackButton;
      button.addEventListener("click", () => openAck(alert.id));
      action.append(button);
    } else if (alert.ack_operator) {
      action.textContent = words().ackedBy + " " + alert.ack_operator;
    }
  });
}

function showStatus(status) {
  const w = words();
  byId("name").textContent = status.name;
  document.title = status.name + " – Tocsin";
  byId("ready").textContent = status.ready ? w.ready : w.notReady + ": " + status.why;
  byId("ready").className = status.ready ? "good" : "bad";
  byId("clock").textContent = time(status.clock.unix_ms);
  byId("clock-banner").hidden = status.clock.trusted;
  byId("clock-banner").textContent = w.untrusted;
  byId("version").textContent = "Tocsin " + status.version + ", " + w.uptime + " " + number(Math.floor(status.uptime_ms / 1000)) + " s";
  byId("no-upstreams").hidden = status.upstreams.length > 0;
  byId("upstreams").hidden = status.upstreams.length === 0;
  fill("upstreams", status.upstreams, (row, upstream) => {
    cell(row, upstream.name + " (" + upstream.kind + ")");
    cell(row, upstream.state, upstream.state === "connected" ? "word good" : "word bad");
    cell(row, number(upstream.backlog_at_most), "number");
    cell(row, number(upstream.confirmed_events), "number");
    cell(row, upstream.detail + (upstream.since_ms > 0 ? " (" + w.since + " " + time(upstream.since_ms) + ")" : ""));
  });
  const facts = [
    [w.accepted, number(status.events.accepted)],
    [w.stored, number(status.events.next_seq - 1)],
    [w.evicted, number(status.events.evicted)],
    [w.store, bytes(status.store.used_bytes) + " " + w.of + " " + bytes(status.store.quota_bytes)],
  ];
  byId("events").replaceChildren(...facts.flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const fact = document.createElement("dd");
    term.textContent = name;
    fact.textContent = value;
    return [term, fact];
  }));
  const memory = status.memory;
  byId("memory-bar").value = memory.budget_bytes > 0 ? Math.min(1, memory.rss_anon_bytes / memory.budget_bytes) : 0;
  byId("memory-text").textContent = bytes(memory.rss_anon_bytes) + " " + w.of + " " + bytes(memory.budget_bytes) +
    ", " + w.peak + " " + bytes(memory.rss_anon_peak_bytes);
  fill("ledger", memory.ledger, (row, line) => {
    cell(row, line.name);
    cell(row, bytes(line.used_bytes), "number");
    cell(row, bytes(line.peak_bytes), "number");
    cell(row, bytes(line.limit_bytes), "number");
  });
}

function show() {
  document.documentElement.lang = language;
  byId("language").textContent = words().other;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words()[element.dataset.text];
  if (!last) return;
  showStatus(last.status);
  showAlerts(last.alerts);
}

function trouble(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = text === "";
}

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const [status, abnormal, acked] = await Promise.all([
      ask("/api/v1/status"), ask("/api/v1/alerts?state=ABNORMAL"), ask("/api/v1/alerts?state=ACK"),
    ]);
    const alerts = abnormal.items.concat(acked.items).sort((a, b) => b.create_time_ms - a.create_time_ms);
    last = { status, alerts };
    trouble("");
    show();
  } catch (error) {
    trouble(words().lost + ": " + error.message);
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

function openAck(id) {
  acking = id;
  byId("ack").hidden = false;
  byId("ack-message").value = "";
  byId("ack-message").focus();
}

byId("ack").addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("ack").hidden = true;
  try {
    await ask("/api/v1/alerts/ack", { ids: [acking], message: byId("ack-message").value });
    await refresh();
  } catch (error) {
    trouble(error.message);
  }
});
byId("ack-cancel").addEventListener("click", () => { byId("ack").hidden = true; });
byId("language").addEventListener("click", (event) => {
  event.preventDefault();
  language = language === "zh" ? "en" : "zh";
  show();
});
document.addEventListener("visibilitychange", refresh);
show();
refresh();
