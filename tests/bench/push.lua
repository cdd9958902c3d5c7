-- SPDX-License-Identifier: Apache-2.0
-- wrk: POST the body in the file that BENCH_BODY names, with BENCH_TOKEN when there is one; count answers by status.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
local token = os.getenv("BENCH_TOKEN") or ""
if token ~= "" then wrk.headers["X-BK-TOKEN"] = token end

local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() good, busy, bad = 0, 0, 0 end
function response(status)
  if status == 200 then good = good + 1 elseif status == 503 or status == 429 then busy = busy + 1 else bad = bad + 1 end
end
function done(summary, latency)
  local good, busy, bad = 0, 0, 0
  for _, t in ipairs(threads) do
    good = good + t:get("good"); busy = busy + t:get("busy"); bad = bad + t:get("bad")
  end
  local e = summary.errors
  io.write(string.format("RESULT good=%d busy=%d bad=%d socket=%d timeout=%d us=%d p50=%d p99=%d\n", good, busy, bad,
    e.connect + e.read + e.write, e.timeout, summary.duration, latency:percentile(50), latency:percentile(99)))
end
