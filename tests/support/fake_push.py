# SPDX-License-Identifier: Apache-2.0
"""A push listener that does what a test says: for clients of the real one."""
import collections
import gzip
import http.server
import json
import threading


class FakePush:
    """Answers 200, or what is next in `script`: (status, Retry-After), (None, None) for a connection that just ends, or "lost"
    for one that ends after the request was taken."""

    def __init__(self):
        self.script = collections.deque()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(gzip.decompress(raw) if self.headers["Content-Encoding"] == "gzip" else raw)
                outer.received(dict(self.headers), raw, body)
                step = outer.script.popleft() if outer.script else (200, None)
                status, retry_after = (200, None) if step == "lost" else step
                if status == 200:
                    outer.take(self.headers["Idempotency-Key"], raw, body)
                elif status is not None:
                    outer.refuse()
                if step == "lost" or status is None:
                    self.close_connection = True
                    return
                answer = json.dumps({"code": str(status), "message": "words", "result": "true"}).encode()
                self.send_response(status)
                if retry_after is not None:
                    self.send_header("Retry-After", str(retry_after))
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that are killed hang up as they please
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def received(self, headers, raw, body):
        """Every request, before its answer."""

    def take(self, key, raw, body):
        """A request that is answered 200, or would be."""

    def refuse(self):
        """One that is answered otherwise."""

    def close(self):
        self.server.shutdown()
        self.server.server_close()
