"""How a training process, which has no network and no key, asks judges: through the worker beside it.

A question goes over a Unix socket in the attempt's folder as one line of JSON, and so does the answer. The folder is
opened and the socket reached through it, because a socket's path may be 107 bytes long and a scratch folder's longer.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from contracts import Contract
from graders import Answer, Question, Reply, Service, Silence, Unreachable, Vector
from graders.port import Json

SOCKET = "outside.sock"


class Asked(Contract):
    """One batch, of one of the three kinds."""

    what: Literal["judge", "embed", "post"]
    model: str = ""
    questions: list[Question] = Field(default_factory=list)
    texts: list[str] = Field(default_factory=list)
    service: Service | None = None
    bodies: list[Json] = Field(default_factory=list)


class Told(Contract):
    """The answers in their order, or why nobody could be asked."""

    unreachable: str | None = None
    answers: list[Answer | Silence] = Field(default_factory=list)
    vectors: list[Vector | Silence] = Field(default_factory=list)
    replies: list[Reply | Silence] = Field(default_factory=list)


@contextmanager
def short_path(folder: Path) -> Iterator[str]:
    """The socket's path by way of an open folder: short, however deep the folder lies."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Outside:
    """Judges, embedding models and web services, as graders.Port has them."""

    folder: Path

    def ask(self, model: str, questions: Sequence[Question]) -> Sequence[Answer | Silence]:
        return self._tell(Asked(what="judge", model=model, questions=[*questions])).answers

    def embed(self, model: str, texts: Sequence[str]) -> Sequence[Vector | Silence]:
        return self._tell(Asked(what="embed", model=model, texts=[*texts])).vectors

    def post(self, service: Service, bodies: Sequence[Json]) -> Sequence[Reply | Silence]:
        return self._tell(Asked(what="post", service=service, bodies=[*bodies])).replies

    def _tell(self, asked: Asked) -> Told:
        """Waits for as long as it takes: the worker keeps to the limits. Raises Unreachable."""
        try:
            with socket.socket(socket.AF_UNIX) as line, short_path(self.folder) as path:
                line.connect(path)
                line.sendall(asked.model_dump_json().encode())
                line.shutdown(socket.SHUT_WR)
                raw = b"".join(iter(lambda: line.recv(1 << 20), b""))
        except OSError as error:
            raise Unreachable(f"The worker cannot be asked: {error}") from None
        if not raw:
            raise Unreachable("The worker hung up.")
        told = Told.model_validate_json(raw)
        if told.unreachable is not None:
            raise Unreachable(told.unreachable)
        return told
