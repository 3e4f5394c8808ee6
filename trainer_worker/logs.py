"""How a worker logs: a line for people, or one JSON object a line for machines (`WHETSTONE_LOG=json`).

Every line about a job names the job and the attempt. The platform's logs have the same form (whetstone/logs.py).
"""

import json
import logging
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from trainer_worker.assignment import Work

PRINTED = logging.getLogger("trainer_worker.training")
"""What training processes print, at DEBUG: people read it in the log of the job."""


class JobLog(logging.LoggerAdapter[logging.Logger]):
    """Writes `job=… attempt=…` before each line."""

    def __init__(self, logger: logging.Logger, assignment: Work) -> None:
        super().__init__(logger, {})
        self._about = {"job": assignment.spec.job, "attempt": assignment.attempt}

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[str, MutableMapping[str, Any]]:
        # Any: as the standard library types it
        said = " ".join(f"{name}={value}" for name, value in self._about.items())
        return f"{said} {msg}", {**kwargs, "extra": self._about}


class AsJson(logging.Formatter):
    """One object a line: time, level, logger, message; job and attempt where the line is about one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in ("job", "attempt") if name in record.__dict__}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)  # whatever was logged, half a character included


def write_json() -> None:
    """From now on everything that this process logs, its libraries included."""
    console = logging.StreamHandler()
    console.setFormatter(AsJson())
    logging.basicConfig(level=logging.INFO, handlers=[console], force=True)
    logging.captureWarnings(True)
    PRINTED.setLevel(logging.DEBUG)
