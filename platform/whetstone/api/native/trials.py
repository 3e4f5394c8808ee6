"""Trying a grader: on own answers, on rows of a dataset, or on what a job's model answered; at once or as it comes."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import translation
from ninja import Router
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from graders import Grade, Grader, Port, asks_outside, grade
from graders.receipt import GradeJson
from graders.summary import Summary, summary
from whetstone.accounts.models import Team
from whetstone.api.caller import caller
from whetstone.api.errors import error_json
from whetstone.api.native.sources import Named, Rows, Source, Told, grader_of, rows_of
from whetstone.api.scorers import trial_port
from whetstone.evaluators.reach import MOST_ROWS
from whetstone.evaluators.trial import in_chunks

router = Router(tags=["graders"])


class Try(Named, Source):
    """A grader, and what it is tried on."""


class Graded(Told):
    grade: GradeJson


class Tried(TypedDict):
    summary: Summary
    grades: list[Graded]


@router.post("/try")
def try_grader(request: HttpRequest, body: Try) -> Tried:
    """Grade own samples, rows of a dataset, or rollouts of a job.

    Of a dataset, the row's own answer or reference is the sample. Of a job, it is what the model answered in training:
    completion, tokens and row as they were; of the prompt the text without the roles of its turns.
    """
    team = caller(request).team
    grader = grader_of(team, body)
    rows = rows_of(team, body)
    grades = graded(team, grader, rows)
    return {"summary": summary(grades), "grades": _told(rows, 0, grades)}


@router.post("/try/stream")
def stream(request: HttpRequest, body: Try) -> StreamingHttpResponse:
    """The same as `/try`, as NDJSON: a line as soon as a chunk is graded, small chunks first.

    `{"done": 16, "total": 1000, "grades": [{"row", "sample", "item", "grade"}]}`, at the end `{"summary": …}`, or
    `{"error": …}` when something broke on the way. `row` counts from 0 in the source, the offset included. Closing the
    connection stops the grading.
    """
    team = caller(request).team
    grader = grader_of(team, body)
    rows = few_enough(grader, rows_of(team, body))
    lines = _lines(request, grader, rows, trial_port(team, grader), translation.get_language())
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _lines(
    request: HttpRequest, grader: Grader, rows: Rows, port: Port, language: str | None
) -> AsyncIterator[bytes]:
    """`language`: the reader's, which the request's own thread takes along when it has answered."""
    grades: list[Grade] = []

    def line(place: int, found: list[Grade]) -> bytes:
        grades.extend(found)
        return _line({"done": place + len(found), "total": len(rows), "grades": _told(rows, place, found)})

    try:
        async with aclosing(in_chunks(grader, rows.samples, rows.items, port, line, language)) as lines:
            async for one in lines:
                yield one
        yield _line({"summary": summary(grades)})
    except Exception as problem:
        with translation.override(language):
            yield _line({"error": error_json(request, problem)})


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value) + b"\n"


def _told(rows: Rows, place: int, grades: list[Grade]) -> list[Graded]:
    return [{**rows.told(n), "grade": one.to_json()} for n, one in enumerate(grades, start=place)]


def few_enough(grader: Grader, rows: Rows) -> Rows:
    """Raises Fault evaluator.too_many_rows: each row asks somebody who takes time and money."""
    if len(rows) > MOST_ROWS and asks_outside(grader):
        raise Fault("evaluator.too_many_rows", field="limit", most=str(MOST_ROWS))
    return rows


def graded(team: Team, grader: Grader, rows: Rows) -> list[Grade]:
    """All at once. Raises Fault evaluator.too_many_rows."""
    return grade(grader, few_enough(grader, rows).samples, rows.items, trial_port(team, grader))
