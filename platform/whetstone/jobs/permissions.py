"""Who else may see a trained model or a checkpoint: teams that its owner belongs to, too."""

from collections.abc import Sequence

from django.db.models import QuerySet

from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.jobs.models import CheckpointPermission
from whetstone.jobs.named import find_named
from whetstone.modelhub.models import Model


def require_checkpoint(team: Team, name: str) -> None:
    """Raises Fault model.not_found."""
    if not owned(Model, team).filter(name=name, origin=Model.Origin.TRAINED).exists() and not find_named(team, name):
        raise Fault("model.not_found", field="checkpoint", model=name)


def permit(user: User, team: Team, name: str, slugs: Sequence[str]) -> list[CheckpointPermission]:
    """One for each of the teams; asked for twice it is the same. Raises Fault model.not_found or team.not_found."""
    require_checkpoint(team, name)
    mine = {one.slug: one for one in user.teams.all()}
    if unknown := [slug for slug in slugs if slug not in mine]:
        raise Fault("team.not_found", field="project_ids", team=unknown[0])
    rows = owned(CheckpointPermission, team)
    return [rows.get_or_create(team=team, checkpoint=name, project=mine[slug])[0] for slug in dict.fromkeys(slugs)]


def permissions_of(team: Team, name: str) -> QuerySet[CheckpointPermission]:
    return owned(CheckpointPermission, team).filter(checkpoint=name).select_related("project")


def owner_of(team: Team, name: str) -> Team | None:
    """Whose model it is that this team may see."""
    found = CheckpointPermission.objects.filter(project=team, checkpoint=name).select_related("team").first()
    return found.team if found else None
