# SPDX-License-Identifier: Apache-2.0
"""One connection of raw bytes for the table of framing_cases.py."""
import json
import ssl

from appliance import event

ANSWER_SECONDS = 30


def fill(template, source, content):
    """BODY, LENGTH and CHUNK of a push that the daemon takes when the framing lets it through."""
    item = event(content)
    body = json.dumps({"data_id": source["data_id"], "access_token": source["token"], "data": [item]}).encode()
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    return template.replace(b"LENGTH", b"%d" % len(body)).replace(b"CHUNK", chunk).replace(b"BODY", body)


class Wire:
    """One connection: what came, taken apart into answers."""

    def __init__(self, connection):
        self.socket = connection
        self.got = b""
        self.ended = False

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # refused before all was sent

    def receive(self):
        try:
            part = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            part = b""
        self.got += part
        self.ended = not part

    def statuses(self, is_head=False):
        """Statuses of the complete answers. The library answers an odd length with its head twice: the first one counts."""
        out, rest = [], self.got
        while True:
            head, separator, behind = rest.partition(b"\r\n\r\n")
            if not separator:
                return out
            words = head.split(b" ", 2)
            assert words[0] == b"HTTP/1.1" and len(words) == 3, self.got
            out.append(int(words[1]))
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            size = 0 if is_head or out[-1] == 100 else int(fields.get(b"content-length", b"0"))
            if len(behind) < size:
                return out[:-1]
            rest = behind[size:]
            if rest and not rest.startswith(b"HTTP/1.1 "):
                return out

    def until(self, count, is_head):
        while not self.ended and len(self.statuses(is_head)) < count:
            self.receive()
