"""What graders can reach from the web: no model, because none is loaded here."""

from collections.abc import Sequence
from typing import NoReturn

from django.utils.translation import gettext as _

from graders import Conversation, Port, Unreachable


class OnWorkers:
    """Reward models are asked by the worker that carries a job out."""

    def score(self, model: str, conversations: Sequence[Conversation]) -> NoReturn:
        """Always raises Unreachable."""
        sentence = _("The reward model “%(model)s” is asked on a worker only, while a job runs: not scored here.")
        raise Unreachable(sentence % {"model": model})


WEB = Port(scorers=OnWorkers())
