"""What the engines say, on its way to the platform: all that has gathered goes in one request."""

import itertools
import logging
import queue
import threading
import time

from contracts.completion import Replies, Reply, Said
from trainer_worker.client import Refused, Unreachable
from trainer_worker.engine.platform import HostPlatform

log = logging.getLogger(__name__)
MOST_AT_ONCE = 1000
TRY_FOR_S = 10.0
"""After that nobody waits any more: whoever asked was told that the engine is lost."""
RETRY_S = 0.2


class Outbox:
    def __init__(self, platform: HostPlatform) -> None:
        self._platform = platform
        self._said: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._send_all, name="outbox", daemon=True)
        self._thread.start()

    def tell(self, to: str, said: Said) -> None:
        self._said.put(Reply(to=to, said=said.model_copy(update={"number": next(self._numbers)})))

    def close(self) -> None:
        """Returns once everything is out, or was given up."""
        self._said.put(None)
        self._thread.join()

    def _send_all(self) -> None:
        is_open = True
        while is_open:
            replies = [self._said.get()]
            while len(replies) < MOST_AT_ONCE and not self._said.empty():
                replies.append(self._said.get())
            is_open = replies[-1] is not None
            self._send(Replies(replies=tuple(reply for reply in replies if reply is not None)))

    def _send(self, replies: Replies) -> None:
        until = time.monotonic() + TRY_FOR_S
        while replies.replies:
            try:
                return self._platform.reply(replies)
            except Unreachable as error:
                if time.monotonic() > until:
                    return log.warning("%d replies were given up: %s", len(replies.replies), error)
            except Refused as error:
                return log.error("%d replies were refused: %s", len(replies.replies), error)
            time.sleep(RETRY_S)
