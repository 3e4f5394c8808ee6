"""`/v1/fine_tuning/alpha/graders`: is this grader right, and what does it give?"""

from time import perf_counter

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import JsonValue

from graders import Port, grade, parse
from graders.run_response import RunResponse, run_response
from graders.sample import sample_of
from whetstone.api.caller import caller
from whetstone.api.openai.schema import ValidGrader
from whetstone.api.scorers import DeployedScorers

router = Router(tags=["graders"])


class Validate(Schema):
    grader: JsonValue


class Run(Validate):
    model_sample: str | dict[str, JsonValue]
    """The answer; or, beyond OpenAI, a message or a sample, so that tool calls can be tried."""
    item: dict[str, JsonValue] | None = None
    reference_answer: JsonValue = None
    """An older name of `item.reference_answer`."""


@router.post("/validate")
def validate(request: HttpRequest, body: Validate) -> ValidGrader:
    """The grader with all that was left out filled in."""
    return {"grader": parse(body.grader).model_dump(mode="json", exclude_none=True)}


@router.post("/run")
def run(request: HttpRequest, body: Run) -> RunResponse:
    grader = parse(body.grader)
    item = ({} if body.reference_answer is None else {"reference_answer": body.reference_answer}) | (body.item or {})
    port = Port(scorers=DeployedScorers(caller(request).team))
    started = perf_counter()
    (receipt,) = grade(grader, [{"prompt": [], **sample_of(body.model_sample)}], [item], port)
    return run_response(receipt, perf_counter() - started)
