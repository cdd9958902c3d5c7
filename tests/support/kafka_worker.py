# SPDX-License-Identifier: Apache-2.0
"""tocsind's side of a tocsin-kafka (src/channel/FORMAT.md, "Order of a source"): remembers positions as the core does."""
import struct

from worker_channel import APPLIANCE, STORE, Worker, frame, text

RECORD, ASSIGNED = 71, 72
NO_OFFSET = -1


def source(servers, topics, from_end=False, **other):
    fields = {"username": "", "password": "", "mechanism": "", "ca": "", "cert": "", "key": "", **other}
    body = struct.pack("<H", 1)
    for value in ("plant", "kafka", APPLIANCE, STORE, fields["username"], fields["password"], fields["mechanism"], fields["ca"],
                  fields["cert"], fields["key"]):
        body += text(value)
    body += bytes([from_end, len(servers)]) + b"".join(text(s) for s in servers)
    return frame(5, body + bytes([len(topics)]) + b"".join(text(t) for t in topics))


class KafkaWorker(Worker):
    program = "tocsin-kafka"
    data_bytes_max = 24 << 20

    def __init__(self, *servers, topics=("plant-events",), limited=False, settles=True, positions=None, **other):
        super().__init__(limited)
        self.settles = settles
        self.positions = positions if positions is not None else {}  # (topic, partition): next offset
        self.records = []  # (session, number, topic, partition, offset, whole size, bytes)
        self.marks = []
        self.assigned = []
        if servers:
            self.send(source(servers, topics, **other))

    def take(self, kind, body):
        if kind == ASSIGNED:
            size, = struct.unpack_from("<H", body)
            topic, partition = body[2:2 + size].decode(), struct.unpack_from("<i", body, 2 + size)[0]
            self.assigned.append((topic, partition))
            next_offset = self.positions.get((topic, partition), NO_OFFSET)
            self.send(frame(6, text(topic) + struct.pack("<iq", partition, next_offset)))
        elif kind == RECORD:
            session, number, partition, offset, flags, whole, size = struct.unpack_from("<IQiqBIH", body)
            topic, at = body[31:31 + size].decode(), 31 + size
            cut, = struct.unpack_from("<I", body, at)
            assert len(body) == at + 4 + cut
            if session != self.session:
                return
            if flags & 2:
                self.marks.append((topic, partition, offset))
            else:
                self.records.append((session, number, topic, partition, offset, whole, body[at + 4:]))
            if self.settles:
                self.positions[topic, partition] = offset + 1
                self.settle(number)
        else:
            super().take(kind, body)

    def settle(self, number):
        self.send(frame(7, struct.pack("<IQ", self.session, number)))

    def payloads(self):
        return [record[6] for record in self.records]

    def connected(self, session=None):
        self.until(lambda: self.session and session in (None, self.session), seconds=60, what="connected")
