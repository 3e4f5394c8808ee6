"""The network between one worker and the web, which can be cut."""

import asyncio
import threading
from enum import Enum

STALL_S = 0.02


class Network(Enum):
    OPEN = "open"
    CUT = "cut"
    """Nothing passes; what was sent arrives late, if both ends still want it."""
    DEAF = "deaf"
    """Requests pass, answers are swallowed: the worker is heard and hears nothing."""


class Proxy:
    """Listens on a port of its own and passes bytes on to another, in a thread of its own."""

    def __init__(self, to_port: int) -> None:
        self.network = Network.OPEN
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop
        ).result(10)
        self.port = int(listening.sockets[0].getsockname()[1])

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _connected(self, worker: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        await self._while_cut()
        try:
            web, requests = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            answers.close()
            return
        await asyncio.gather(self._requests(worker, requests), self._answers(web, answers))

    async def _requests(self, worker: asyncio.StreamReader, requests: asyncio.StreamWriter) -> None:
        try:
            while data := await worker.read(65536):
                await self._while_cut()
                requests.write(data)
                await requests.drain()
        except OSError:
            pass  # one of the two ends hung up
        requests.close()

    async def _answers(self, web: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        swallowed = False
        try:
            while data := await web.read(65536):
                await self._while_cut()
                swallowed = swallowed or self.network is Network.DEAF
                if swallowed:
                    continue  # a stream with a hole in it must never go on
                answers.write(data)
                await answers.drain()
        except OSError:
            pass  # one of the two ends hung up
        answers.close()

    async def _while_cut(self) -> None:
        while self.network is Network.CUT:
            await asyncio.sleep(STALL_S)
