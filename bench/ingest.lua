-- wrk's script: sends the requests of a file, each once, whatever the connection.
--   wrk … -s ingest.lua URL -- FILE BYTES_PER_REQUEST FIRST_REQUEST [PAUSE_MS]
--
-- With a pause each connection waits so long before each of its requests.

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(arguments)
  size = tonumber(arguments[2])
  file = assert(io.open(arguments[1], "rb"))
  file:setvbuf("full", 1048576)
  file:seek("set", size * tonumber(arguments[3]))
  sent, exhausted = 0, false
  local pause_ms = tonumber(arguments[4] or 0)
  if pause_ms > 0 then
    function delay() return pause_ms end
  end
end

function request()
  local bytes = file:read(size)
  if not bytes or #bytes < size then
    exhausted = true
    return "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
  end
  sent = sent + 1
  return bytes
end

function done(summary, latency)
  local errors = summary.errors
  local sent_by_all, any_exhausted = 0, false
  for _, thread in ipairs(threads) do
    sent_by_all = sent_by_all + thread:get("sent")
    any_exhausted = any_exhausted or thread:get("exhausted")
  end
  io.write(string.format(
    'RESULT {"sent": %d, "answered": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "not_200": %d, "broken": %d, "exhausted": %s}\n',
    sent_by_all, summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    tostring(any_exhausted)))
end
