"""Until a job ends: a bar for a person, lines for a log; and neither a restart nor Ctrl-C touches the job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from whetstone_cli.api import Api, Json
from whetstone_cli.ends import Ended, Exit
from whetstone_cli.say import note

JOBS = "/v1/fine_tuning/jobs"
ENDED = ("succeeded", "failed", "cancelled")
POLL_S = 1.0
PATIENCE_S = 3600.0
"""A platform may be away for so long while somebody waits."""
SHOWN = ("reward", "loss")


class Shows(Protocol):
    def __call__(self, job: Json, said: str) -> None: ...


def wait(api: Api, job_id: str, timeout_s: float | None = None, *, at: str = JOBS) -> Json:
    """The job, or another thing that lies at the address `at`, as it ended. Raises Ended with UNKNOWN when the time is
    up first."""
    api.patience_s = PATIENCE_S
    give_up = time.monotonic() + timeout_s if timeout_s is not None else None
    try:
        with _showing() as show:
            while True:
                job = api.get(f"{at}/{job_id}")
                show(job, _numbers(api, job_id) if at == JOBS and job["status"] == "running" else "")
                if job["status"] in ENDED:
                    return job
                if give_up is not None and time.monotonic() > give_up:
                    sentence = f"{job_id} is {job['status']} at step {job['step']} after {timeout_s:g} s."
                    raise Ended(Exit.UNKNOWN, sentence, _how_to_go_on(job_id, at))
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        raise Ended(Exit.INTERRUPTED, f"{job_id} goes on without you.", _how_to_go_on(job_id, at)) from None


def end_as(job: Json) -> None:
    """Raises Ended when the job did not succeed."""
    if job["status"] == "succeeded":
        return
    error = job["error"] or {}
    sentence = f"{job['id']} {job['status']}. {error.get('message') or job['reason'] or ''}".strip()
    raise Ended(Exit.JOB_FAILED, sentence, error.get("next_step") or "")


def _how_to_go_on(job_id: str, at: str) -> str:
    if at != JOBS:
        return "The same command finds it again, and waits."
    return f"`whetstone jobs wait {job_id}` waits again, `whetstone jobs cancel {job_id}` ends it."


def _numbers(api: Api, job_id: str) -> str:
    """What the newest step said."""
    events = api.get(f"/v1/fine_tuning/jobs/{job_id}/events", limit=20)["data"]
    values: dict[str, float] = next((one["data"]["values"] for one in events if "values" in one["data"]), {})
    return " ".join(f"{name} {values[name]:.4g}" for name in SHOWN if name in values)


@contextmanager
def _showing() -> Iterator[Shows]:
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        yield _Bar(bar, bar.add_task("", total=None))


class _Bar:
    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task = bar, task

    def __call__(self, job: Json, said: str) -> None:
        text = " ".join(filter(None, (job["phase"] or job["status"], said)))
        self._bar.update(self._task, description=text, completed=job["step"], total=job["total_steps"] or None)


class _Lines:
    """At each change of status, and at each tenth of the way."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, job: Json, said: str) -> None:
        total = job["total_steps"] or 1
        mark = (job["status"], 10 * job["step"] // total)
        if mark != self._last:
            self._last = mark
            note(f"{job['id']} {job['status']}, step {job['step']} of {total} {said}".strip())
