"""Questions to engines and their answers: the web's end of the line."""

import asyncio
import secrets
from collections.abc import AsyncGenerator

from pydantic import TypeAdapter

from contracts.completion import Ask, Cancel, Delta, Letter, Look, Refusal, Said, Taken
from contracts.fault import Fault, FaultReport
from whetstone.deployments.mailbox import mailboxes
from whetstone.deployments.standing import Standing, Standings
from whetstone.deployments.start import Called

SAID: TypeAdapter[Said] = TypeAdapter(Said)
LOADING_S = 45.0
"""How long a request waits for its model to be loaded, before it is told to come again."""
TAKEN_S = 15.0
LOOK_S = 2.0
"""How often it is looked whether the host still holds the model while it says nothing."""


class Exchange:
    """One of this process. A mailbox of its own collects the answers to all its questions."""

    def __init__(self) -> None:
        self.address = f"web:{secrets.token_hex(8)}"
        self._boxes: dict[str, asyncio.Queue[Said]] = {}
        self._standings = Standings()
        self._sorting: asyncio.Task[None] | None = None

    async def answers(self, ask: Ask, called: Called) -> AsyncGenerator[Taken | Delta, None]:
        """First that the request is taken, then piece by piece what is written, until every choice has ended.

        Closed early, it tells the engine that nobody waits any more.

        Raises:
            Fault: deployment.loading, .failed, engine.busy, .lost, and whatever the engine refuses it for.
        """
        async with self._standings.watching(ask.deployment, called.standing):
            holder = await self._holder(ask.deployment, called)
            box = self._boxes[ask.id] = asyncio.Queue()
            self._sort()
            ended = False
            try:
                await post(str(holder.host), ask)
                async for said in self._until_ended(ask, box, holder):
                    yield said
                ended = True
            finally:
                del self._boxes[ask.id]
                if not ended:
                    await asyncio.shield(post(str(holder.host), Cancel(id=ask.id)))

    async def _holder(self, deployment: str, called: Called) -> Standing:
        if called.standing.status != "ready":
            for host in called.hosts:
                await post(host, Look())
        standing = await self._standings.settled(deployment, LOADING_S)
        if standing is None or standing.status in ("queued", "loading", "stopped"):
            raise Fault("deployment.loading", model=called.name)
        if standing.status == "failed":
            raise Fault("deployment.failed", model=called.name, detail=standing.fault.message if standing.fault else "")
        return standing

    async def _until_ended(
        self, ask: Ask, box: asyncio.Queue[Said], holder: Standing
    ) -> AsyncGenerator[Taken | Delta, None]:
        going_on = ask.choices
        is_taken, waited_s = False, 0.0
        while going_on:
            try:
                said = await asyncio.wait_for(box.get(), LOOK_S)
            except TimeoutError:
                waited_s += LOOK_S
                if (not is_taken and waited_s >= TAKEN_S) or self._is_lost(ask.deployment, holder):
                    raise Fault("engine.lost") from None
                continue
            if isinstance(said, Refusal):
                raise _fault(said.fault)
            is_taken = True
            if isinstance(said, Delta) and said.finish is not None:
                going_on -= 1
            yield said

    def _is_lost(self, deployment: str, holder: Standing) -> bool:
        now = self._standings.of(deployment)
        return now is None or (now.host, now.loads) != (holder.host, holder.loads)

    def _sort(self) -> None:
        if self._sorting is None or self._sorting.done():
            self._sorting = asyncio.create_task(self._sort_letters())

    async def _sort_letters(self) -> None:
        """Each answer into its question's box, as long as there are questions."""
        while self._boxes:
            for letter in await mailboxes.take(self.address, LOOK_S):
                said = SAID.validate_json(letter)
                if (box := self._boxes.get(said.ask)) is not None:
                    box.put_nowait(said)


async def post(host: str, letter: Letter) -> None:
    """To the host that holds the deployment."""
    await mailboxes.post(mailbox_of(host), [letter.model_dump_json().encode()])


def mailbox_of(host: str) -> str:
    return f"host:{host}"


def _fault(report: FaultReport) -> Fault:
    fault = Fault(report.code, **report.params)  # type: ignore[arg-type]  # no parameter is called like an argument
    fault.report = report
    return fault


exchange = Exchange()
