"""Passes: with one a grader asks a judge that is a model of this platform, and can do nothing else.

They are signed, and stored nowhere. One of a job is good as long as the attempt that got it holds the job; one of a
trial for some minutes. No person's key is ever used.
"""

from dataclasses import dataclass

from django.core import signing

from whetstone.accounts.models import Team

PREFIX = "wp-"
SALT = "whetstone.pass"
TRIAL_S = 900


@dataclass(frozen=True)
class Pass:
    team: int
    models: frozenset[str]
    """What it may ask."""
    attempt: int | None
    """The attempt whose grader asks; None for a trial."""


def issue(team: Team, models: set[str], attempt: int | None = None) -> str:
    told = {"team": team.pk, "models": sorted(models), "attempt": attempt}
    return PREFIX + signing.dumps(told, salt=SALT)


def read(text: str) -> Pass | None:
    """None for one that we did not sign, or whose time is over."""
    try:
        told = signing.loads(text.removeprefix(PREFIX), salt=SALT)
        if told["attempt"] is None:
            signing.loads(text.removeprefix(PREFIX), salt=SALT, max_age=TRIAL_S)
    except signing.BadSignature:
        return None
    return Pass(told["team"], frozenset(told["models"]), told["attempt"])
