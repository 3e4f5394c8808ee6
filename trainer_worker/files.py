"""What an attempt reads, brought to this machine before its training starts."""

import logging
import time
from pathlib import Path

from contracts.event import Claim, Phase
from contracts.fault import Fault
from contracts.job import FileRef
from contracts.reach import Reach
from graders import asks_outside
from trainer_worker.assignment import Assignment, EvaluationWork, Work
from trainer_worker.cache import Cache, place_all
from trainer_worker.client import AttemptPlatform, Refused, Unreachable
from trainer_worker.logs import JobLog
from trainer_worker.reporter import Reporter

RETRY_S = 0.5


class Bringing:
    """Downloads of one attempt. They go on when the platform is back, and renew the lease meanwhile."""

    def __init__(self, cache: Cache, platform: AttemptPlatform, assignment: Work, reporter: Reporter) -> None:
        self._cache = cache
        self._platform = platform
        self._assignment = assignment
        self._reporter = reporter
        self._log = JobLog(logging.getLogger(__name__), assignment)

    def bring(self, claim: Claim) -> None:
        """Every file in its place, and the assignment beside them.

        Raises:
            Halted: when an order ended it.
            Refused: when the platform has not got a file.
            Fault: checkpoint.damaged.
        """
        assignment, spec = self._assignment, claim.spec
        self._reporter.say(Phase(name="downloading"))
        place_all(self._cache, spec.model.files, assignment.model, self._fetch)
        for scorer in spec.scorers:
            place_all(self._cache, scorer.files, assignment.scorers[scorer.name], self._fetch)
        if isinstance(assignment, EvaluationWork):
            self._cache.place(assignment.spec.dataset.file, assignment.rows, self._fetch)
        if isinstance(assignment, Assignment):
            self._bring_for_training(assignment, claim)
        assignment.write()

    def _bring_for_training(self, assignment: Assignment, claim: Claim) -> None:
        spec = assignment.spec
        self._cache.place(spec.training.file, assignment.training, self._fetch)
        if spec.validation and assignment.validation:
            self._cache.place(spec.validation.file, assignment.validation, self._fetch)
        self._bring_checkpoint(assignment, claim)

    def reach(self, claim: Claim) -> Reach | None:
        """The judges and keys that the job's grader needs, if it needs any. Raises Halted and Refused."""
        grader = claim.spec.grader
        if grader is None or not asks_outside(grader):
            return None
        while True:
            self._reporter.keep_alive()
            try:
                return self._platform.reach()
            except Unreachable as error:
                self._log.warning("its judges will be asked for again: %s", error)
                time.sleep(RETRY_S)

    def _bring_checkpoint(self, assignment: Assignment, claim: Claim) -> None:
        if claim.resume is None or assignment.resume is None:
            return
        try:
            place_all(self._cache, claim.resume.files, assignment.resume, self._fetch)
        except Refused as error:
            raise Fault("checkpoint.damaged", step=claim.resume.step, detail=str(error)) from error

    def _fetch(self, ref: FileRef, to: Path) -> None:
        while True:
            self._reporter.keep_alive()
            try:
                return self._platform.download(ref, to, self._reporter.keep_alive)
            except Unreachable as error:
                self._log.warning("%s will be asked for again: %s", ref.path, error)
                time.sleep(RETRY_S)
