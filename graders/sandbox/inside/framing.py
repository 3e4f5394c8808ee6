"""Messages on a pipe: four bytes of length, then JSON."""

import json
import os
import struct

Message = dict[str, object]


def receive(fd: int) -> Message | None:
    """The next message, or None when the other side is gone."""
    head = _exactly(fd, 4)
    if head is None:
        return None
    body = _exactly(fd, struct.unpack(">I", head)[0])
    found: Message | None = None if body is None else json.loads(body)
    return found


def send(fd: int, message: Message) -> None:
    body = json.dumps(message).encode()
    rest = memoryview(struct.pack(">I", len(body)) + body)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _exactly(fd: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(fd, min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
