"""The laptop's broker: kombu's SQLAlchemy transport, polled ten times a second, with nothing left behind.

The stock transport polls once a second (an option of that name reaches `create_engine` and crashes there), takes a
write lock for every look, and never deletes what was read.
"""

import time
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.sqlalchemy import Channel as StockChannel
from kombu.transport.sqlalchemy import Transport as StockTransport
from kombu.utils.json import loads
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import sessionmaker


class Channel(StockChannel):  # type: ignore[misc]  # kombu has no types
    def _open(self) -> tuple[Any, Any]:
        """The stock engine, with its tables made even when two processes start at once."""
        if self.connection.client.hostname not in self._engines:
            make_tables(self)
        return super()._open()  # type: ignore[no-any-return]

    def _get_or_create(self, queue: str) -> Any:  # Any: kombu makes the table's class at run time
        try:
            return super()._get_or_create(queue)
        except IntegrityError:  # another process made it between our look and our insert
            self.session.rollback()
            return super()._get_or_create(queue)

    def _get(self, queue: str) -> Any:  # Any: a kombu message, a nest of JSON
        if not self._waits(queue):
            raise Empty
        self.session.execute(text("BEGIN IMMEDIATE"))
        try:
            message = self.session.scalars(self._oldest(queue)).first()
            if message is None:
                raise Empty
            self.session.delete(message)
            return loads(message.payload)
        finally:
            self.session.commit()

    def _waits(self, queue: str) -> bool:
        """Look without a write lock: nearly every look finds nothing."""
        try:
            return self.session.scalars(self._oldest(queue)).first() is not None
        finally:
            self.session.rollback()

    def _oldest(self, queue: str) -> Any:  # Any: kombu makes the table's class at run time
        message, queues = self.message_cls, self.queue_cls
        of_queue = select(queues.id).where(queues.name == queue).scalar_subquery()
        return (
            select(message).where(message.queue_id == of_queue, message.visible.is_(True)).order_by(message.id).limit(1)
        )


class Transport(StockTransport):  # type: ignore[misc]  # kombu has no types
    Channel = Channel
    polling_interval = 0.1


def make_tables(channel: StockChannel, attempts: int = 20) -> None:
    """Create the broker's tables. Another process that does the same at the same moment is no error."""
    from kombu.transport.sqlalchemy.models import metadata

    engine = create_engine(channel.connection.client.hostname, connect_args={"timeout": 30})
    for attempt in range(attempts):
        try:
            metadata.create_all(engine)
            break
        except OperationalError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.05)
    StockChannel._engines[channel.connection.client.hostname] = engine, sessionmaker(bind=engine)


def use_for_sqlite() -> None:
    """Let `sqla+sqlite://` addresses take this transport in this process."""
    TRANSPORT_ALIASES["sqla"] = f"{__name__}:Transport"
