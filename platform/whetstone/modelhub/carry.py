"""Imports are carried out: by any supervisor, one at a time each, and on from where the last one was killed."""

import logging
import threading
from datetime import timedelta

from django.conf import settings
from django.db import close_old_connections

from contracts.fault import Fault, FaultReport
from whetstone import clock
from whetstone.accounts.models import Team
from whetstone.artifacts.store import Corrupt, find, open_blob, put
from whetstone.modelhub.begin import forget_work, plan, work_of
from whetstone.modelhub.enter import enter
from whetstone.modelhub.hold import Hold, Lost, claim
from whetstone.modelhub.inspection.config import LARGEST
from whetstone.modelhub.inspection.header import Headed, Readable
from whetstone.modelhub.inspection.names import CONFIG, sort_out
from whetstone.modelhub.inspection.verdict import Read, read_config
from whetstone.modelhub.models import Import, ImportFile
from whetstone.modelhub.sources import Source
from whetstone.modelhub.sources.folder import Folder
from whetstone.modelhub.sources.hub import Hub
from whetstone.modelhub.sources.upload import Upload

log = logging.getLogger(__name__)
MOST_FAILURES = 5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
PASSING = frozenset(("hub.unreachable", "hub.rate_limited", "hub.torn", "platform.disk_low"))
"""Another try may do better, without anybody's help."""
WEIGHTS = ".safetensors"


def run(stop: threading.Event, interval_s: float = 1.0) -> None:
    """Until told to stop."""
    while not stop.wait(interval_s):
        try:
            close_old_connections()
            while carry_out_one() and not stop.is_set():
                pass
        except Exception:  # imports outlive a database that is away for a while
            log.exception("a round of imports failed")


def carry_out_one() -> bool:
    """Whether there was one to carry out."""
    one = claim()
    if one is None:
        return False
    hold = Hold(one)
    try:
        if one.failures > MOST_FAILURES:
            raise Fault("import.gave_up", attempts=MOST_FAILURES)
        _carry_out(one, hold)
    except Lost:
        log.info("import=%s attempt=%d lost its import", one.id, one.attempt)
    except Fault as fault:
        _end_with(one, hold, fault.report)
    except Exception as error:
        log.exception("import=%s attempt=%d failed", one.id, one.attempt)
        _end_with(one, hold, Fault("import.failed", detail=f"{type(error).__name__}: {error}"[:500]).report)
    return True


def _carry_out(one: Import, hold: Hold) -> None:
    source = _source(one)
    if not one.files.exists():
        listing = source.listing()
        wanted = sort_out(listing.files)
        one.commit = listing.commit
        hold.tell(commit=one.commit)
        plan(one, {path: listing.files[path] for path in wanted.taken}, wanted.left_out)
        source = _source(one)
    for file in one.files.filter(sha256=""):
        if file.path.endswith(WEIGHTS):
            _look_early(one)
        _store(one, file, source, hold)
    enter(one, reader(one))
    forget_work(one)


def _source(one: Import) -> Source:
    environment = settings.ENVIRONMENT
    if one.kind == Import.Kind.FOLDER:
        return Folder(one.place, environment.model_roots)
    if one.kind == Import.Kind.UPLOAD:
        return Upload(work_of(one))
    revision = one.commit or one.revision
    token = (one.token.name, one.token.value) if one.token else None
    return Hub(environment.hf_endpoint, one.place, revision, work_of(one), token)


def _look_early(one: Import) -> None:
    """What cannot be trained is refused before its weights are fetched."""
    read = reader(one)
    if read(CONFIG) is not None:
        read_config(read)


def _store(one: Import, file: ImportFile, source: Source, hold: Hold) -> None:
    """Fetch a file, and look at its header while it goes into the store."""
    before = sum(one.files.exclude(sha256="").values_list("size", flat=True))

    def tell(came: int) -> None:
        hold.now_and_then(bytes_done=before + came, failures=0)

    with source.open(file.path, file.size, tell) as content:
        headed = Headed(content, file.path, file.size) if file.path.endswith(WEIGHTS) else None
        try:
            blob = put(one.team, _Watched(headed or content, hold), file.expected or None)
        except Corrupt:
            raise _other_content(one, file) from None
    if blob.size != file.size:
        raise Fault("hub.torn", file=file.path, detail=f"{blob.size} of {file.size} bytes came")
    tensors = {name: [found.dtype, found.shape] for name, found in headed.tensors().items()} if headed else None
    hold.tell(bytes_done=before + file.size, failures=0)
    ImportFile.objects.filter(id=file.id).update(sha256=blob.sha256, tensors=tensors)


def _other_content(one: Import, file: ImportFile) -> Fault:
    """A hub is asked once more; what somebody sent stays what it is."""
    detail = "its hash is not the one that was announced"
    if one.kind != Import.Kind.HUB:
        return Fault("model.broken_weights", file=file.path, detail=detail)
    forget_work(one)
    return Fault("hub.torn", file=file.path, detail=detail)


class _Watched:
    """Renews the lease while a file is read, and stops reading when the import is lost."""

    def __init__(self, content: Readable, hold: Hold) -> None:
        self._content, self._hold = content, hold

    def read(self, size: int, /) -> bytes:
        self._hold.now_and_then()
        return self._content.read(size)


def reader(one: Import) -> Read:
    """Reads the import's small files from the store."""

    def read(path: str) -> bytes | None:
        file = one.files.filter(path=path).exclude(sha256="").first()
        return _content(one.team, file) if file else None

    return read


def _content(team: Team, file: ImportFile) -> bytes | None:
    blob = find(team, file.sha256)
    if blob is None:
        raise Fault("artifact.lost", path=file.path)
    with open_blob(blob) as content:
        return content.read(LARGEST + 1)


def _end_with(one: Import, hold: Hold, report: FaultReport) -> None:
    """Failed; or once more in a while, where that may help."""
    failures = Import.objects.values_list("failures", flat=True).get(id=one.id)  # what came since has set it back
    told = {"fault": report.model_dump(mode="json"), "lease_until": None}
    try:
        if report.code in PASSING and failures < MOST_FAILURES:
            wait = min(LONGEST_WAIT, FIRST_WAIT * int(3 ** max(0, failures - 1)))
            hold.tell(**told, state=Import.State.QUEUED, due_at=clock.now() + wait)
        else:
            hold.tell(**told, state=Import.State.FAILED, finished_at=clock.now())
    except Lost:
        log.info("import=%s attempt=%d lost its import", one.id, one.attempt)
