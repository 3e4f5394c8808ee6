"""Judges and secrets: made, found, taken away, and put together for whoever asks."""

import difflib

from django.db import IntegrityError, transaction

from contracts.fault import Fault
from contracts.reach import Judge as JudgeReach
from contracts.reach import Reach
from graders import judges_of, secrets_of
from graders.schema import Grader
from whetstone.accounts.models import Team
from whetstone.accounts.passes import issue
from whetstone.accounts.scope import owned
from whetstone.evaluators.models import Judge, Secret


def find_judge(team: Team, name: str, param: str = "judge") -> Judge:
    """Raises Fault evaluator.judge_missing, with those that there are, the likeliest first."""
    found = owned(Judge, team).select_related("key").filter(name=name).first()
    if found is not None:
        return found
    names = list(owned(Judge, team).values_list("name", flat=True))
    near = difflib.get_close_matches(name, names, n=1)
    listed = ", ".join([*near, *(one for one in names if one not in near)][:20]) or "–"
    if near:
        raise Fault("evaluator.judge_misspelt", field=param, judge=name, judges=listed, guess=near[0])
    raise Fault("evaluator.judge_missing", field=param, judge=name, judges=listed)


def find_secret(team: Team, name: str, param: str = "secret") -> Secret:
    """Raises Fault evaluator.secret_missing."""
    found = owned(Secret, team).filter(name=name).first()
    if found is None:
        raise Fault("evaluator.secret_missing", field=param, secret=name)
    return found


def missing_outside(team: Team, grader: Grader) -> list[tuple[str, Fault]]:
    """What the grader asks for by names that nobody here bears, each with its path in the grader."""
    found = []
    for names, find in ((judges_of(grader), find_judge), (secrets_of(grader), find_secret)):
        for name, path in names.items():
            try:
                find(team, name)
            except Fault as fault:
                found.append((path, fault))
    return found


def reach_of(team: Team, grader: Grader, private_hosts: str, attempt: int | None = None) -> Reach:
    """All that the grader needs of the outside, keys included. What is missing is left out, and is told by the port.

    `attempt`: whose grader it is; None for a trial. Judges of this platform get a pass that is good for it alone.
    """
    judges = list(owned(Judge, team).select_related("key").filter(name__in=judges_of(grader)))
    here = {judge.model for judge in judges if judge.is_here}
    token = issue(team, here, attempt) if here else ""
    secrets = owned(Secret, team).filter(name__in=secrets_of(grader))
    return Reach(
        judges=tuple(_reach(judge, token) for judge in judges),
        secrets={one.name: one.value for one in secrets},
        private_hosts=private_hosts,
    )


def add_judge(team: Team, judge: Judge) -> Judge:
    """Raises Fault judge.name_taken."""
    judge.team = team
    try:
        with transaction.atomic():
            judge.save()
    except IntegrityError:
        raise Fault("judge.name_taken", field="name", judge=judge.name) from None
    return judge


def delete_secret(secret: Secret) -> None:
    """Raises Fault judge.in_use."""
    if users := list(secret.judges.values_list("name", flat=True)):
        raise Fault("judge.in_use", field="secret", judges=", ".join(users))
    secret.delete()


def _reach(judge: Judge, token: str) -> JudgeReach:
    return JudgeReach(
        name=judge.name,
        base_url=judge.base_url,
        model=judge.model,
        key=token if judge.is_here else judge.key.value if judge.key else "",
        is_here=judge.is_here,
        at_once=judge.at_once,
        max_rps=judge.max_rps,
        prompt_price=judge.prompt_price,
        completion_price=judge.completion_price,
    )
