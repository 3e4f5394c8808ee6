import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from kombu import Connection
from sqlalchemy import create_engine, text

from trainer_worker.broker import Channel, Transport


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'broker.sqlite3'}"


def connection(address: str) -> Connection:
    return Connection(address, transport=Transport)


def messages_left(address: str) -> int:
    with create_engine(address).connect() as database:
        return int(database.execute(text("select count(*) from kombu_message")).scalar_one())


def test_a_message_arrives_within_a_third_of_a_second(address: str) -> None:
    arrived: list[float] = []
    with connection(address) as reading, connection(f"sqla+{address}") as writing:
        queue = reading.SimpleQueue("pool.cpu")

        def send_later() -> None:
            time.sleep(0.5)
            arrived.append(time.monotonic())
            writing.SimpleQueue("pool.cpu").put({"job": "a"})

        threading.Thread(target=send_later).start()
        message = queue.get(timeout=10)
        assert message.payload == {"job": "a"}
        assert time.monotonic() - arrived[0] < 0.3


def test_what_was_read_leaves_no_row_behind(address: str) -> None:
    with connection(address) as broker:
        queue = broker.SimpleQueue("pool.cpu")
        for n in range(20):
            queue.put({"n": n})
        got = [queue.get(timeout=5) for _ in range(20)]
        for message in got:
            message.ack()
        assert [message.payload["n"] for message in got] == list(range(20))
        assert messages_left(address) == 0


def test_a_queue_that_two_processes_make_at_once_is_no_error(address: str) -> None:
    with connection(address) as one, connection(address) as other:
        channels = one.channel(), other.channel()
        for channel in channels:
            assert channel.session.query(channel.queue_cls).count() == 0
        barrier = threading.Barrier(2)
        failed: list[Exception] = []

        def make(channel: Channel) -> None:
            barrier.wait()
            try:
                channel._new_queue("pool.cpu")
            except Exception as error:
                failed.append(error)

        makers = [threading.Thread(target=make, args=[channel]) for channel in channels]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        assert failed == []


def test_every_message_reaches_exactly_one_of_two_readers(address: str) -> None:
    seen: list[int] = []

    def read() -> None:
        with connection(address) as broker:
            queue = broker.SimpleQueue("pool.cpu")
            while True:
                try:
                    message = queue.get(timeout=1)
                except queue.Empty:
                    return
                message.ack()
                seen.append(message.payload["n"])

    with connection(address) as broker:
        queue = broker.SimpleQueue("pool.cpu")
        for n in range(40):
            queue.put({"n": n})
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert sorted(seen) == list(range(40))


def test_processes_that_start_at_once_make_the_tables_once(address: str) -> None:
    program = (
        "import sys\nfrom kombu import Connection\nfrom trainer_worker.broker import Transport\n"
        "Connection(sys.argv[1], transport=Transport).SimpleQueue('pool.cpu').put({'n': 1})"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, address]) for _ in range(4)]
    assert [process.wait(30) for process in processes] == [0, 0, 0, 0]
    assert messages_left(address) == 4
