"""What the reporter tells the training process: a small file, written whole, looked at before every step."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contracts import Contract
from contracts.event import Order

LEASE_POLL_S = 0.1

Word = Order | Literal["drain"]
"""What the platform orders, and what a worker that is told to stop does: save and end, like for a pause."""
TO_SAVE: frozenset[Word] = frozenset({"pause", "drain"})
TO_END: frozenset[Word] = frozenset({"cancel", "replaced"})


class Interrupted(Exception):
    """An order ended the work between two steps. No fault."""


class Orders(Contract):
    order: Word
    lease_until: float
    """On CLOCK_MONOTONIC, which all processes of a machine share and nobody can set."""


def write_orders(path: Path, orders: Orders) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_text(orders.model_dump_json())
    os.replace(fresh, path)


@dataclass
class OrderBook:
    """The training process's side: remembers the file until it changes."""

    path: Path
    _seen: int = -1
    _orders: Orders | None = None

    def now(self) -> Orders:
        changed = self.path.stat().st_mtime_ns
        if self._orders is None or changed != self._seen:
            self._orders = Orders.model_validate_json(self.path.read_bytes())
            self._seen = changed
        return self._orders

    @property
    def is_held(self) -> bool:
        """Whether the job is still ours for sure."""
        return time.monotonic() <= self.now().lease_until

    def when_held(self) -> Word:
        """The order in force. Waits as long as nobody knows whether this attempt still holds the job."""
        orders = self.now()
        while orders.order == "go_on" and time.monotonic() > orders.lease_until:
            time.sleep(LEASE_POLL_S)
            orders = self.now()
        return orders.order
