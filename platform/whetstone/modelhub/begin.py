"""An import is asked for, sent, called off or tried again. Carrying it out is a supervisor's: see `carry`."""

import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from contracts.fault import Fault
from whetstone import clock
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.artifacts.disk import require_room
from whetstone.modelhub.inspection.names import sort_out
from whetstone.modelhub.models import Import, ImportFile, Model
from whetstone.modelhub.sources import Listed
from whetstone.modelhub.sources.folder import allowed
from whetstone.modelhub.sources.upload import append, received

if TYPE_CHECKING:
    from whetstone.evaluators.models import Secret

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
TAKEN_WORDS = ("export", "template", "files")
"""What addresses below a model's name end in."""
REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
REMEMBERED = timedelta(days=7)
"""How long what failed, or was never sent to its end, can be tried again; and how long it is listed."""


def from_hub(
    user: User, team: Team, repo: str, *, revision: str = "", token: "Secret | None" = None, name: str = ""
) -> Import:
    """Raises Fault hub.no_repo_id, and what every import raises."""
    if not REPO.fullmatch(repo):
        raise Fault("hub.no_repo_id", field="repo", repo=repo)
    about = {"place": repo, "revision": revision, "token": token}
    return _begin(user, team, name or repo, Import.Kind.HUB, **about)


def from_folder(user: User, team: Team, folder: str, *, name: str = "") -> Import:
    """Raises Fault folder.off, folder.outside, folder.not_found, and what every import raises."""
    found = allowed(folder, settings.ENVIRONMENT.model_roots)
    return _begin(user, team, name or found.name, Import.Kind.FOLDER, place=str(found))


def from_upload(user: User, team: Team, files: Mapping[str, Listed], *, name: str) -> Import:
    """Announce files, which then come with `send`. Raises what `sort_out` and every import raises."""
    wanted = sort_out(files)
    taken = {path: files[path] for path in wanted.taken}
    with transaction.atomic():
        made = _begin(user, team, name, Import.Kind.UPLOAD, state=Import.State.UPLOADING)
        plan(made, taken, wanted.left_out)
    return made


def plan(one: Import, files: Mapping[str, Listed], left_out: Sequence[str]) -> None:
    """Write down what has to be stored."""
    rows = [ImportFile(of=one, path=path, size=file.size, expected=file.sha256) for path, file in files.items()]
    ImportFile.objects.bulk_create(rows)
    one.bytes_total, one.left_out = sum(file.size for file in files.values()), list(left_out)[:200]
    one.save(update_fields=["bytes_total", "left_out"])


def send(one: Import, path: str, offset: int, content: bytes) -> int:
    """The next bytes of a file; with the last ones of the last file the import begins. How many have come.

    Raises:
        Fault: import.wrong_state, upload.no_such_file, upload.wrong_place, platform.disk_low.
    """
    if one.state != Import.State.UPLOADING:
        raise Fault("import.wrong_state", field="import_id", state=one.state, wanted="sent")
    file = one.files.filter(path=path).first()
    if file is None:
        raise Fault("upload.no_such_file", field="path", file=path)
    require_room()
    came = append(work_of(one), file, offset, content)
    done = sum(sizes_received(one).values())
    waits = Import.objects.filter(id=one.id, state=Import.State.UPLOADING)
    waits.update(bytes_done=done)
    if done == one.bytes_total:
        waits.update(state=Import.State.QUEUED, bytes_done=0, due_at=clock.now())
    return came


def sizes_received(one: Import) -> dict[str, int]:
    """Of an upload: how many bytes of each file have come."""
    return {path: received(work_of(one), path) for path in one.files.values_list("path", flat=True)}


def cancel(one: Import) -> None:
    """Whoever carries it out hears of it with its next word. Raises Fault import.wrong_state."""
    going = owned(Import, one.team).filter(id=one.id, state__in=("uploading", "queued", "running"))
    if not going.update(state=Import.State.CANCELLED, finished_at=clock.now(), lease_until=None):
        raise Fault("import.wrong_state", field="import_id", state=one.state, wanted="cancelled")
    forget_work(one)


def again(one: Import) -> None:
    """Go on with what is not stored yet. Raises Fault import.wrong_state or import.name_taken."""
    require_free(one.team, one.name)
    failed = owned(Import, one.team).filter(id=one.id, state=Import.State.FAILED)
    anew = {"state": Import.State.QUEUED, "fault": None, "finished_at": None, "failures": 0, "due_at": clock.now()}
    if not failed.update(**anew):
        raise Fault("import.wrong_state", field="import_id", state=one.state, wanted="tried again")


def dismiss(one: Import) -> None:
    """Forget one that has ended. Raises Fault import.wrong_state."""
    if not one.has_ended:
        raise Fault("import.wrong_state", field="import_id", state=one.state, wanted="dismissed")
    forget_work(one)
    one.delete()


def forget_imports() -> None:
    """What ended, or was never sent, a week ago."""
    old = Import.objects.filter(created_at__lt=timezone.now() - REMEMBERED).exclude(state__in=("queued", "running"))
    for one in old:
        forget_work(one)
        one.delete()


def work_of(one: Import) -> Path:
    """Where what is not yet stored lies, on the machine that works on it."""
    return Path(settings.FILE_UPLOAD_TEMP_DIR) / "imports" / one.id


def forget_work(one: Import) -> None:
    shutil.rmtree(work_of(one), ignore_errors=True)


def find_import(team: Team, import_id: str) -> Import:
    """Raises Fault import.not_found."""
    found = owned(Import, team).select_related("model", "team", "created_by").filter(id=import_id).first()
    if found is None:
        raise Fault("import.not_found", field="import_id", import_id=import_id)
    return found


def _begin(user: User, team: Team, name: str, kind: Import.Kind, **about: object) -> Import:
    """Raises Fault platform.disk_low, import.no_name or import.name_taken."""
    require_room()
    require_name(team, name)
    return Import.objects.create(team=team, created_by=user, name=name, kind=kind, **about)


def require_name(team: Team, name: str) -> None:
    """Raises Fault import.no_name or import.name_taken."""
    if not NAME.fullmatch(name) or name.rpartition("/")[2] in TAKEN_WORDS:
        raise Fault("import.no_name", field="name", name=name[:100])
    require_free(team, name)


def require_free(team: Team, name: str) -> None:
    """Raises Fault import.name_taken."""
    if owned(Model, team).filter(name=name).exists():
        raise Fault("import.name_taken", field="name", model=name)
