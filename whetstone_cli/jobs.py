"""`whetstone jobs`: begun from a file, waited for, looked at, ended."""

import time
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from whetstone_cli.api import Api, Json, connect
from whetstone_cli.ends import Ended, Exit
from whetstone_cli.job_file import read_job, with_files_looked_up, with_files_pushed
from whetstone_cli.preview import facts
from whetstone_cli.say import AsJson, as_json, line, note, table, when
from whetstone_cli.wait import ENDED, PATIENCE_S, POLL_S, end_as, wait

app = typer.Typer(help="Jobs: trainings, begun and watched.", no_args_is_help=True)
JOBS = "/v1/fine_tuning/jobs"
NOT_CHECKED = "columns, labels and what the evaluator reads of them; steps and memory"
"""Of a file that the platform does not hold."""
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Like ftjob-1a2b3c.")]
Timeout = Annotated[float | None, typer.Option(min=0, help="Seconds after which waiting ends (exit code 3).")]


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="The job: the API's JSON, or the same as YAML.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run. Uploads nothing, starts nothing.")
    ] = False,
    wait_for_it: Annotated[bool, typer.Option("--wait", help="Until it ends; exit code 2 when it fails.")] = False,
    changes: Annotated[list[str] | None, typer.Option("--set", help="Change a value: a.b=c. May come often.")] = None,
    timeout: Timeout = None,
    json: AsJson = False,
) -> None:
    """Begin a job. Prints its id.

    Where the API wants a file's or an evaluator's name, `file:./rows.jsonl` names a file beside the job's own: it is
    uploaded first, and the job is pinned to that version.
    """
    api = connect()
    document = read_job(file, changes or [])
    if dry_run:
        draft, absent = with_files_looked_up(api, document, file.parent)
        return _check(api, draft, absent, json)
    job = api.post(JOBS, with_files_pushed(api, document, file.parent))
    if not wait_for_it:
        return as_json(job) if json else line(job["id"])
    note(f"{job['id']} is {job['status']}: {api.where.url}/jobs/{job['id']}")
    _wait(api, job["id"], timeout, json)


def _check(api: Api, draft: Json, absent: dict[str, Path], json: bool) -> None:
    """`absent`: by field, the files that are not on the platform. That they are missing is no problem of the job."""
    found = api.post("/api/v1/jobs/check", draft)
    problems = [one for one in found["problems"] if one["param"] not in absent]
    found |= {"problems": problems, "ready": not problems, "not_checked": {f: str(p) for f, p in absent.items()}}
    if json:
        as_json(found)
    else:
        table(("would run", ""), list(facts(found["preview"], draft)))
    for path in dict.fromkeys(absent.values()):
        note(f"Not checked: {path} is not on the platform, so of its rows no more is known than that they are JSON.")
        note(f"Left open: {NOT_CHECKED}. Push it first to know: whetstone datasets push {path} --name {path.stem}")
    for warning in found["warnings"]:
        note(f"Mind: {warning['message']} {warning['next_step']}".strip())
    for problem in found["problems"]:
        place = f"{problem['param']}: " if problem["param"] else ""
        note(f"{place}{problem['message']} {problem['next_step']}".strip())
    if not found["ready"]:
        raise Ended(Exit.REFUSED, "This job cannot begin.")


@app.command("wait")
def wait_for(job: JobId, timeout: Timeout = None, json: AsJson = False) -> None:
    """Until the job ends. Ctrl-C leaves it running."""
    _wait(connect(), job, timeout, json)


def _wait(api: Api, job_id: str, timeout_s: float | None, json: bool) -> None:
    job = wait(api, job_id, timeout_s)
    if json:
        as_json(job)
    else:
        line(job["id"])
    end_as(job)


@app.command("list")
def list_jobs(limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20, json: AsJson = False) -> None:
    """The newest first."""
    found = connect().get(JOBS, limit=limit)["data"]
    if json:
        return as_json(found)
    table(
        ("job", "status", "step", "of", "base", "begun"),
        [
            (one["id"], one["status"], one["step"], one["total_steps"], one["model"], when(one["created_at"]))
            for one in found
        ],
    )


@app.command()
def show(job: JobId, json: AsJson = False) -> None:
    """One job."""
    _print(connect().get(f"{JOBS}/{job}"), json)


@app.command()
def cancel(job: JobId, json: AsJson = False) -> None:
    """End it. What it has learned up to its last checkpoint stays."""
    _print(connect().post(f"{JOBS}/{job}/cancel"), json)


@app.command()
def pause(job: JobId, json: AsJson = False) -> None:
    """Save a checkpoint and free the machine."""
    _print(connect().post(f"{JOBS}/{job}/pause"), json)


@app.command()
def resume(job: JobId, json: AsJson = False) -> None:
    """Go on from the last checkpoint."""
    _print(connect().post(f"{JOBS}/{job}/resume"), json)


SHOWN = ("id", "status", "reason", "wish", "phase", "attempt", "step", "total_steps", "model", "fine_tuned_model")


def _print(job: Json, json: bool) -> None:
    if json:
        return as_json(job)
    table(("job", ""), [(name.replace("_", " "), job[name]) for name in SHOWN if job[name] is not None])
    if job["error"]:
        note(f"{job['error']['message']} {job['error'].get('next_step') or ''}".strip())


@app.command()
def events(
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the last ones at first.")] = 20,
    json: AsJson = False,
) -> None:
    """What the job reported, oldest first. With --json one object a line."""
    api = connect(PATIENCE_S) if follow else connect()
    seen = ""
    try:
        while True:
            has_ended = api.get(f"{JOBS}/{job}")["status"] in ENDED  # asked first: nothing comes after the end
            for event in _news(api, job, seen, limit):
                seen = event["id"]
                _tell(event, json)
            if not follow or has_ended:
                return
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        raise Ended(Exit.INTERRUPTED) from None


def _news(api: Api, job: str, seen: str, first: int) -> list[Json]:
    """Events after the one that was seen last, oldest first; without one, the last few."""
    if not seen:
        return list(reversed(api.get(f"{JOBS}/{job}/events", limit=first)["data"]))
    found: list[Json] = []
    after = None
    while True:
        page = api.get(f"{JOBS}/{job}/events", limit=200, after=after)
        fresh = [one for one in page["data"] if _number(one["id"]) > _number(seen)]
        found += fresh
        if not page["has_more"] or len(fresh) < len(page["data"]):
            return list(reversed(found))
        after = page["data"][-1]["id"]


def _number(event_id: str) -> int:
    """Not every number is still there: an attempt that goes back takes some along."""
    return int(event_id.rpartition("-")[2])


def _tell(event: Json, json: bool) -> None:
    if json:
        return line(dumps(event, ensure_ascii=False))
    line(f"{when(event['created_at'])}  {event['level']:5}  {event['message']}")
