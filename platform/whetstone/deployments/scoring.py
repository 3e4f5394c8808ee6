"""How good are these answers? A deployed reward model is asked."""

from collections.abc import Sequence
from contextlib import aclosing

from asgiref.sync import sync_to_async

from contracts.completion import Mark, Marks, Score, Spoken
from contracts.fault import Fault
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.deployments.exchange import exchange
from whetstone.deployments.models import Deployment
from whetstone.deployments.start import call_and_let_go

Asked = Sequence[Spoken]


async def marks_of(team: Team, name: str, conversations: Sequence[Asked]) -> list[Mark]:
    """One for each conversation, in their order. The model is loaded when it has to be.

    Raises:
        Fault: what `start.call` and `Exchange.answers` raise. What is wrong with one conversation stands in its mark.
    """
    called = await sync_to_async(call_and_let_go)(team, name, "reward")
    asked = tuple(tuple(one) for one in conversations)
    letter = Score(id=new_id("ask"), deployment=called.id, reply_to=exchange.address, conversations=asked)
    async with aclosing(exchange.answers(letter, called)) as all_said:
        async for said in all_said:
            if isinstance(said, Marks):
                return list(said.marks)
    raise Fault("engine.lost")


def deployment_of(team: Team, model: str) -> Deployment | None:
    """One of the team's that serves this model: rather one that is ready than one that was stopped."""
    mine = owned(Deployment, team).filter(serves=model)
    return min(mine, key=lambda one: (one.status != Deployment.Status.READY, one.is_off), default=None)
