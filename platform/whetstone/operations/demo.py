"""`make demo`: a GRPO job on the starter model, created over REST as a user would, and watched to its end."""

import time
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from whetstone.accounts.models import ApiKey, User
from whetstone.accounts.scope import team_of
from whetstone.jobs.models import Job
from whetstone.operations.seed import Seeded, seed
from whetstone.starter import recipe

POLL_S = 0.5


@dataclass(frozen=True)
class Outcome:
    """What the demo's job came to: share of held-out problems answered right, before and after."""

    job: str
    status: str
    before: float | None
    after: float | None
    message: str

    @property
    def has_learned(self) -> bool:
        """Whether held-out accuracy rose by 20 points or more."""
        return self.before is not None and self.after is not None and self.after - self.before >= 0.2


def run(url: str, console: Console) -> tuple[Seeded, Outcome]:
    """Seed what is missing, create the job over the API, and follow it."""
    with _bar(console) as progress:
        seeding = progress.add_task("Starter model", total=None, note="")
        seeded = seed(lambda job: _show_seeding(progress, seeding, job))
        progress.update(seeding, total=1, completed=1, note="ready")
        headers = {"Authorization": f"Bearer {_key(seeded)}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as api:
            job = _create(api, seeded)
            return seeded, _follow(api, job, progress, progress.add_task("GRPO", total=job["total_steps"], note=""))


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
    )
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    return Progress(*columns, *times, TextColumn("{task.fields[note]}"), console=console)


def _show_seeding(progress: Progress, task: TaskID, job: Job) -> None:
    progress.update(task, total=job.total_steps, completed=job.step, note=job.phase or job.status)


def _key(seeded: Seeded) -> str:
    user = User.objects.get(username=seeded.user)
    _record, text = ApiKey.make(user, team_of(user), "demo")
    return text


def _create(api: httpx.Client, seeded: Seeded) -> dict[str, Any]:
    body = {
        "model": seeded.model,
        "training_file": seeded.dataset,
        "validation_file": seeded.test,
        "method": recipe.grpo({"evaluator": seeded.evaluator}),
        "suffix": "arithmetic",
        "seed": 1,
    }
    answer = api.post("/v1/fine_tuning/jobs", json=body)
    answer.raise_for_status()
    return dict(answer.json())


def _follow(api: httpx.Client, job: dict[str, Any], progress: Progress, bar: TaskID) -> Outcome:
    path = f"/v1/fine_tuning/jobs/{job['id']}"
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        time.sleep(POLL_S)
        job = api.get(path).json()
        reward = _latest_reward(api, path)
        note = f"reward {reward:.2f}" if reward is not None else (job["phase"] or job["status"])
        progress.update(bar, completed=job["step"], note=note)
    series = api.get(f"/api/v1/jobs/{job['id']}/series").json()
    accuracy = [value for _step, value in series["evaluations"].get("accuracy", [])]
    return Outcome(
        job=job["id"],
        status=job["status"],
        before=accuracy[0] if accuracy else None,
        after=accuracy[-1] if len(accuracy) > 1 else None,
        message=(job["error"] or {}).get("message", ""),
    )


def _latest_reward(api: httpx.Client, path: str) -> float | None:
    for event in api.get(f"{path}/events", params={"limit": 10}).json()["data"]:
        if event["type"] == "metrics" and "reward" in event["data"].get("values", {}):
            return float(event["data"]["values"]["reward"])
    return None
