"""Every line about a job names the job and the attempt, in a form that machines find."""

import logging
from collections.abc import MutableMapping
from typing import Any

from trainer_worker.assignment import Assignment


class JobLog(logging.LoggerAdapter[logging.Logger]):
    """Writes `job=… attempt=…` before each line."""

    def __init__(self, logger: logging.Logger, assignment: Assignment) -> None:
        super().__init__(logger, {})
        self._about = f"job={assignment.spec.job} attempt={assignment.attempt}"

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[str, MutableMapping[str, Any]]:
        # Any: as the standard library types it
        return f"{self._about} {msg}", kwargs
