"""What graders can reach from the web: judges and services over HTTP."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from graders import Grader, Port, asks_outside
from graders.http import Allowed, AnswerCache, Calls, JudgeAddress, http_port
from graders.port import NOWHERE
from whetstone.accounts.models import Team
from whetstone.evaluators.judges import reach_of

MOST_ROWS = 20
"""Of a trial that asks outside: somebody waits for it, and somebody pays."""
TIMEOUT_S = 30.0
TRIES = 2


def web_port(team: Team, grader: Grader) -> Port:
    """With the team's judges and secrets, as far as the grader asks for them."""
    if not asks_outside(grader):
        return NOWHERE
    reach = reach_of(team, grader, settings.ENVIRONMENT.private_hosts)
    here = settings.ENVIRONMENT.public_url
    judges = [JudgeAddress(**one.at(here).model_dump(), timeout_s=TIMEOUT_S) for one in reach.judges]
    calls, cache = _calls(reach.private_hosts), _cache(settings.HOME)
    return http_port(judges, reach.secrets, calls, cache, home=_home(here))


@lru_cache(maxsize=4)
def _calls(private_hosts: str) -> Calls:
    """One for the process: its limits hold for all requests together."""
    return Calls(Allowed.read(private_hosts), tries=TRIES)


@lru_cache(maxsize=1)
def _home(here: str) -> Calls:
    """To this platform, which may well stand on an address that nobody else's grader may reach."""
    return Calls(Allowed.only(here), tries=TRIES)


@lru_cache(maxsize=1)
def _cache(home: Path) -> AnswerCache:
    return AnswerCache(home / "judges.sqlite3")
