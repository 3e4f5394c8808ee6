"""How the platform logs: a line for people, or one JSON object a line for machines (`WHETSTONE_LOG=json`)."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

ABOUT: ContextVar[dict[str, str | int]] = ContextVar("about")
"""What the request at hand is about: its id, and when a worker asks, the job and the attempt."""
# Lines about a job name it so, here and in the worker.
NAMED = {"job": re.compile(r"\bjob=([\w-]+)"), "attempt": re.compile(r"\battempt=(\d+)")}


class AsJson(logging.Formatter):
    """One object a line: time, level, logger, message; job, attempt and request_id where they are known."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        line |= ABOUT.get({}) | _named_in(message)
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)  # whatever was logged, half a character included


def _named_in(message: str) -> dict[str, str | int]:
    found = {name: pattern.search(message) for name, pattern in NAMED.items()}
    named = {name: match[1] for name, match in found.items() if match}
    return {name: int(value) if name == "attempt" else value for name, value in named.items()}


def configuration(form: str) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes. Any: as Django types it."""
    formatters: dict[str, dict[str, Any]] = {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": AsJson},
    }
    loggers: dict[str, dict[str, Any]] = {
        "django.request": {"level": "ERROR"},  # a 404 is an answer, not a warning
        "httpx": {"level": "WARNING"},
    }
    if form == "json":  # uvicorn has handlers of its own, for people
        loggers |= {name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.access")}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": loggers,
    }
