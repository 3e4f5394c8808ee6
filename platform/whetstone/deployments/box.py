"""What engines say of one question, until whoever asked has read it. So much of it waits, and no more."""

import asyncio
from dataclasses import dataclass, field

from contracts.completion import Refusal, Said
from contracts.fault import FaultReport

MB = 1024 * 1024
MOST_UNREAD = 4 * MB
"""Bytes. An answer of 20,000 tokens in as many pieces, or of 1,500 with twenty alternatives to each."""
LAST = 2**62
"""A number after all others."""


@dataclass
class Box:
    ask: str
    host: str
    is_full: bool = False
    """It was more than may wait: nothing more is taken in, and whoever reads is told why."""
    _said: asyncio.Queue[tuple[Said, int]] = field(default_factory=asyncio.Queue)
    _unread: int = 0

    def put(self, said: Said, size: int) -> None:
        """Of one that is not full."""
        self._unread += size
        if self._unread <= MOST_UNREAD:
            return self._said.put_nowait((said, size))
        self.is_full, self._said = True, asyncio.Queue()
        report = FaultReport(code="completion.unread", params={"megabytes": MOST_UNREAD // MB})
        self._said.put_nowait((Refusal(ask=self.ask, number=LAST, fault=report), 0))

    async def get(self, timeout_s: float) -> Said:
        """Raises TimeoutError."""
        said, size = await asyncio.wait_for(self._said.get(), timeout_s)
        self._unread -= size
        return said
