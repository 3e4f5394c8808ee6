"""Pages and API reach a team's objects through `accounts.scope.owned` alone."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from whetstone.accounts.models import Owned, Team, User
from whetstone.deployments.models import Host
from whetstone.jobs.models import Chore, Round
from whetstone.workers.models import Worker

ROOT = Path(__file__).resolve().parents[2] / "platform" / "whetstone"
# A key, an attempt and a deployment are found by the hash of a secret: who has the secret is whom they belong to.
BY_SECRET = {("api/caller.py", "ApiKey"), ("api/worker.py", "Attempt"), ("api/serving.py", "Deployment")}


@pytest.mark.parametrize("path", sorted([*ROOT.glob("api/**/*.py"), *ROOT.glob("web/**/*.py")]), ids=lambda p: p.name)
def test_no_query_goes_past_the_scope(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    teams_own = {model.__name__ for model in apps.get_models() if issubclass(model, Owned)} | {"Attempt", "Event"}
    asked = set(re.findall(r"\b([A-Z]\w+)\.(?:objects|_default_manager)\b", path.read_text()))
    assert {(place, name) for name in asked & teams_own} <= BY_SECRET


def test_everything_belongs_to_a_team_or_to_something_that_does() -> None:
    free = {User, Team, Worker, Host, Round, Chore}
    for model in apps.get_models():
        if not model.__module__.startswith("whetstone.") or model in free or issubclass(model, Owned):
            continue
        held = [one for one in model._meta.get_fields() if (one.many_to_one or one.one_to_one) and one.concrete]
        owners = [field.related_model for field in held]
        assert any(owner is Team or (isinstance(owner, type) and issubclass(owner, Owned)) for owner in owners), model
