"""A tar of stored files, made while it is sent: no second copy, and never more than a chunk in memory."""

import tarfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import stream

BLOCK = 512
END = bytes(2 * BLOCK)


class Torn(Exception):
    """The store gave less or more of a file than its blob says. The tar was broken off, and whoever reads it knows."""


@dataclass(frozen=True)
class Entry:
    """One file of the tar: stored, or made for it."""

    path: str
    content: Blob | bytes

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.size

    def header(self, at: datetime) -> bytes:
        """In the form of POSIX.1-2001 (pax), for which neither long names nor 8 GB are too much."""
        info = tarfile.TarInfo(self.path)
        info.size, info.mtime, info.mode = self.size, int(at.timestamp()), 0o644
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")

    @property
    def padding(self) -> bytes:
        return bytes(-self.size % BLOCK)


def length(entries: Sequence[Entry], at: datetime) -> int:
    """Bytes of the whole tar."""
    return sum(len(entry.header(at)) + entry.size + len(entry.padding) for entry in entries) + len(END)


async def tar(entries: Sequence[Entry], at: datetime) -> AsyncIterator[bytes]:
    """The tar in chunks; every file bears the time `at`, so that the same content is the same tar.

    Raises:
        Torn.
    """
    for entry in entries:
        yield entry.header(at)
        async for chunk in _content(entry):
            yield chunk
        yield entry.padding
    yield END


async def _content(entry: Entry) -> AsyncIterator[bytes]:
    if isinstance(entry.content, bytes):
        yield entry.content
        return
    sent = 0
    async for chunk in stream(entry.content):
        sent += len(chunk)
        yield chunk
    if sent != entry.size:
        raise Torn(f"{entry.path} has {sent} bytes in the store instead of {entry.size}")
