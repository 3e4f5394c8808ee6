"""`whetstone gate`: did the job learn what it had to? For the end of a pipeline."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from whetstone_cli.api import Json, connect
from whetstone_cli.ends import Ended, Exit
from whetstone_cli.reports import MARKS, junit, markdown
from whetstone_cli.requirement import Judged, Requirement, judge
from whetstone_cli.say import AsJson, as_json, note, table
from whetstone_cli.wait import ENDED, end_as


def gate(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Like ftjob-1a2b3c.")],
    require: Annotated[list[str], typer.Option(help='Like "valid_reward_mean >= 0.8". May come often.')],
    strict: Annotated[
        bool, typer.Option("--strict", help="The interval must meet it too, not the value alone.")
    ] = False,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report here.")] = None,
    markdown_file: Annotated[Path | None, typer.Option("--markdown", help="Write a summary here.")] = None,
    json: AsJson = False,
) -> None:
    """Whether a job's last evaluation on held-out rows meets what is required.

    Exit codes: 0 all met, 1 one is not, 2 the job failed or was cancelled, 3 could not tell: the job is still under
    way, nothing was evaluated, or there is no number of that name.
    """
    wanted = [Requirement.read(text) for text in require]
    try:
        api = connect()
        found = api.get(f"/v1/fine_tuning/jobs/{job}")
        told = api.get(f"/api/v1/jobs/{job}/evaluations", confidence=confidence)
    except Ended as end:
        raise Ended(Exit.UNKNOWN, end.sentence, end.next_step) from None
    _require_end(found)
    if not told["measures"]:
        raise Ended(Exit.UNKNOWN, f"{job} was never evaluated.", "Give the job a validation_file, and an evaluator.")
    judged = [judge(one, told["measures"], is_strict=strict) for one in wanted]
    _write(junit_file, junit(found, judged))
    _write(markdown_file, markdown(found, judged, confidence, api.where.url))
    if json:
        as_json({"job": job, "confidence": confidence, "strict": strict, "requirements": [*map(_json, judged)]})
    else:
        _print(judged, confidence)
    _end(judged)


def _require_end(job: Json) -> None:
    if job["status"] not in ENDED:
        next_step = f"`whetstone jobs wait {job['id']}` waits for its end."
        raise Ended(Exit.UNKNOWN, f"{job['id']} is {job['status']}.", next_step)
    end_as(job)


def _end(judged: list[Judged]) -> None:
    """A requirement that is not met weighs more than one of which nothing is known."""
    verdicts = {one.verdict for one in judged}
    for one in judged:
        if one.verdict == "unknown":
            note(one.why)
    if "failed" in verdicts:
        raise Ended(Exit.REFUSED)
    if "unknown" in verdicts:
        raise Ended(Exit.UNKNOWN)


def _print(judged: list[Judged], confidence: float) -> None:
    table(
        ("requirement", "value", f"{100 * confidence:g} % interval", "rows", ""),
        [
            (
                one.requirement,
                one.measure["value"] if one.measure else None,
                one.interval or None,
                one.measure["rows"] if one.measure else None,
                MARKS[one.verdict],
            )
            for one in judged
        ],
    )


def _json(one: Judged) -> Json:
    return asdict(one.requirement) | {"measure": one.measure, "verdict": one.verdict, "why": one.why}


def _write(file: Path | None, text: str) -> None:
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Ended(Exit.UNKNOWN, f"{file} cannot be written: {error.strerror}.") from None
