"""Questions to a model, between the routes and the engines: begin them all, then collect or stream."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from contracts.completion import Ask, Delta, FinishReason, Taken, Told
from contracts.tools import CallPiece, joined
from whetstone.accounts.ids import new_id
from whetstone.api.caller import caller
from whetstone.api.openai.chat_schema import TokenUsageJson
from whetstone.deployments.exchange import Answer, exchange
from whetstone.deployments.start import call_and_let_go

Json = dict[str, Any]
MOST_AHEAD = 64
"""Pieces of several prompts that wait in one line. The others wait where they are counted."""


@dataclass
class Choice:
    """All that was written of one."""

    text: str = ""
    tokens: int = 0
    logprobs: list[Told] = field(default_factory=list)
    calls: tuple[CallPiece, ...] = ()
    finish: FinishReason | None = None

    def add(self, piece: Delta) -> None:
        self.text += piece.text
        self.tokens += piece.tokens
        self.logprobs += piece.logprobs
        self.calls = joined(self.calls, piece.calls)
        self.finish = piece.finish or self.finish


@dataclass
class Writing:
    """Prompts that an engine has taken. Whoever holds it closes it."""

    model: str
    prompt_tokens: int
    choices: int
    """To each prompt."""
    created: int
    pieces: list[AsyncGenerator[Answer, None]]
    closing: AsyncExitStack

    async def collected(self) -> list[Choice]:
        """Every choice, those to the first prompt first."""
        found = [Choice() for _ in range(len(self.pieces) * self.choices)]
        async with self.closing:
            async for choice, piece in self._all():
                found[choice].add(piece)
        return found

    async def each(self) -> AsyncIterator[tuple[int, Delta]]:
        """Pieces as they come, with the number of their choice."""
        async with self.closing:
            async for choice, piece in self._all():
                yield choice, piece

    async def _all(self) -> AsyncIterator[tuple[int, Delta]]:
        if len(self.pieces) == 1:
            async for piece in self.pieces[0]:
                if isinstance(piece, Delta):
                    yield piece.choice, piece
            return
        arrived: asyncio.Queue[tuple[int, Delta] | None] = asyncio.Queue(MOST_AHEAD)

        async def forward(prompt: int, pieces: AsyncIterator[Answer]) -> None:
            async for piece in pieces:
                if isinstance(piece, Delta):
                    await arrived.put((prompt * self.choices + piece.choice, piece))

        async def all_of_them() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for number, pieces in enumerate(self.pieces):
                        group.create_task(forward(number, pieces))
            finally:
                await arrived.put(None)

        forwarding = asyncio.create_task(all_of_them())
        try:
            while (one := await arrived.get()) is not None:
                yield one
            await _raised(forwarding)
        finally:
            forwarding.cancel()


async def _raised(task: asyncio.Task[None]) -> None:
    """Raises what went wrong first in a group of tasks, as itself."""
    try:
        await task
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def begin(request: HttpRequest, model: str, asks: Sequence[Json]) -> Writing:
    """Returns once an engine has taken every prompt. Raises the Fault when it does not: nothing was answered then."""
    who = caller(request)
    who.require_model(model)
    called = await sync_to_async(call_and_let_go)(who.team, model)
    closing = AsyncExitStack()
    pieces: list[AsyncGenerator[Answer, None]] = []
    prompt_tokens = 0
    try:
        for one in asks:
            ask = Ask(id=new_id("ask"), deployment=called.id, reply_to=exchange.address, **one)
            answers = await closing.enter_async_context(aclosing(exchange.answers(ask, called)))
            taken = await anext(answers)
            assert isinstance(taken, Taken)
            pieces.append(answers)
            prompt_tokens += taken.prompt_tokens
    except BaseException:
        await closing.aclose()
        raise
    return Writing(model, prompt_tokens, asks[0].get("choices", 1), int(time.time()), pieces, closing)


def usage(prompt_tokens: int, completion_tokens: int) -> TokenUsageJson:
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}
