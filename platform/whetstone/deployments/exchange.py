"""Questions to engines and their answers: the web's end of the line."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from asgiref.sync import async_to_sync
from pydantic import TypeAdapter

from contracts.completion import Ask, Cancel, Delta, Letter, Look, Marks, Question, Refusal, Said, Taken
from contracts.fault import Fault, FaultReport
from whetstone.deployments.box import Box
from whetstone.deployments.mailbox import mailboxes
from whetstone.deployments.models import Deployment, Host, detail_of
from whetstone.deployments.standing import Standing, Standings
from whetstone.deployments.start import Called, hosts_for

log = logging.getLogger(__name__)
SAID: TypeAdapter[Said] = TypeAdapter(Said)
Answer = Taken | Delta | Marks
LOADING_S = 45.0
"""How long a request waits for its model to be loaded, before it is told to come again."""
TAKEN_S = 15.0
LOOK_S = 2.0
"""How often it is looked whether the host still holds the model while it says nothing."""


class Exchange:
    """One of this process. A mailbox of its own collects the answers to all its questions."""

    def __init__(self) -> None:
        self.address = f"web:{secrets.token_hex(8)}"
        self._boxes: dict[str, Box] = {}
        self._standings = Standings()
        self._sorting: asyncio.Task[None] | None = None
        self.is_closing = False
        """The process ends once its questions are answered."""

    @property
    def is_busy(self) -> bool:
        return bool(self._boxes)

    async def answers(self, ask: Question, called: Called) -> AsyncGenerator[Answer, None]:
        """First that the request is taken, then piece by piece what is written, until every choice has ended; or, once,
        what a reward model gave.

        Closed early, it tells the engine that nobody waits any more.

        Raises:
            Fault: server.stopping, deployment.loading, .failed, engine.busy, .lost, completion.unread, and whatever the
                engine refuses it for.
        """
        if self.is_closing:
            raise Fault("server.stopping")
        until = time.monotonic() + LOADING_S
        async with self._standings.watching(ask.deployment, called.standing):
            for host in called.hosts if called.standing.status != "ready" else ():
                await post(host, Look())
            is_taken, tries = False, 0
            while not is_taken:
                holder = await self._holder(ask.deployment, called.name, until)
                tries += 1
                try:
                    async with aclosing(
                        self._asked(ask.model_copy(update={"id": f"{ask.id}-{tries}"}), holder)
                    ) as all_said:
                        async for said in all_said:
                            is_taken = True
                            yield said
                except Fault as fault:
                    if fault.report.code != "engine.lost" or is_taken or time.monotonic() > until:
                        raise
                    # Its host went before it read the request, so another one answers as if nothing had been.
                    await self._standings.changed(ask.deployment, holder, LOOK_S)

    async def _asked(self, ask: Question, holder: Standing) -> AsyncGenerator[Answer, None]:
        box = self._boxes[ask.id] = Box(ask.id, str(holder.host))
        self._sort()
        ended = False
        try:
            await post(str(holder.host), ask)
            async for said in self._until_ended(ask, box, holder):
                yield said
            ended = True
        finally:
            del self._boxes[ask.id]
            if not ended and not box.is_full:  # then its host knows
                await asyncio.shield(post(str(holder.host), Cancel(id=ask.id)))

    async def _holder(self, deployment: str, name: str, until: float) -> Standing:
        standing = await self._standings.settled(deployment, max(0.0, until - time.monotonic()))
        if standing is None or standing.status in ("queued", "loading", "stopping", "stopped"):
            raise Fault("deployment.loading", model=name)
        if standing.status == "failed":
            raise Fault("deployment.failed", model=name, detail=detail_of(standing.fault))
        return standing

    async def _until_ended(self, ask: Question, box: Box, holder: Standing) -> AsyncGenerator[Answer, None]:
        going_on = ask.choices if isinstance(ask, Ask) else 1
        is_taken, waited_s, last = False, 0.0, -1
        while going_on:
            try:
                said = await box.get(LOOK_S)
            except TimeoutError:
                waited_s += LOOK_S
                if (not is_taken and waited_s >= TAKEN_S) or self._is_lost(ask.deployment, holder):
                    raise Fault("engine.lost") from None
                continue
            if said.number <= last:  # its host sent it again, as it heard no answer
                continue
            last = said.number
            if isinstance(said, Refusal):
                raise _fault(said.fault)
            is_taken = True
            if isinstance(said, Marks) or (isinstance(said, Delta) and said.finish is not None):
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
                if (box := self._boxes.get(said.ask)) is not None and not box.is_full:
                    box.put(said, len(letter))
                    if box.is_full:
                        log.warning("ask=%s its client does not read what is written: it ends here", box.ask)
                        await post(box.host, Cancel(id=box.ask))


async def post(host: str, letter: Letter) -> None:
    """To the host that holds the deployment."""
    await mailboxes.post(mailbox_of(host), [letter.model_dump_json().encode()])


def nudge(deployment: Deployment, host: Host | None = None) -> Deployment:
    """Whoever holds it, or could, asks for its duties now instead of in some seconds."""
    names = {one.name for one in (host, deployment.host) if one}
    if deployment.status == Deployment.Status.QUEUED:
        with suppress(Fault):  # then nobody can hold it yet, and its page says so
            names.update(hosts_for(deployment))
    for name in names:
        async_to_sync(post)(name, Look())
    return deployment


def mailbox_of(host: str) -> str:
    return f"host:{host}"


def _fault(report: FaultReport) -> Fault:
    fault = Fault(report.code, **report.params)  # type: ignore[arg-type]  # no parameter is called like an argument
    fault.report = report
    return fault


exchange = Exchange()
