"""The grader that is a web service of somebody's own."""

import json
import math
import uuid
from collections.abc import Sequence

from graders.port import Json, Port, Reply, Service, Silence, Unreachable
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.schema import Endpoint

MAX_BYTES = 1_000_000
"""Of what is posted, as at Azure."""


def endpoint(grader: Endpoint) -> Batch:
    """The service's score, as it is. A service that does not answer scores nothing, and never 0."""
    service = Service(grader.url, grader.headers, grader.max_rps, grader.timeout_s)

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        bodies = [_body(sample, item) for sample, item in zip(samples, items, strict=True)]
        sent = [one for one in bodies if not isinstance(one, Outcome)]
        answers = iter(_answers(service, sent, port))
        return [one if isinstance(one, Outcome) else _outcome(next(answers), one) for one in bodies]

    return batch


def _body(sample: Sample, item: Item) -> Json | Outcome:
    body = {"sample": dict(sample), "item": dict(item), "trace_id": uuid.uuid4().hex}
    try:
        size = len(json.dumps(body, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        return Outcome(None, Flagged("invalid_variable_error", "The sample holds what JSON cannot say.").errors)
    if size > MAX_BYTES:
        details = f"Sample and row are {size} bytes of JSON: more than the {MAX_BYTES} that a web service is sent."
        return Outcome(None, Flagged("other_error", details).errors)
    return body  # type: ignore[return-value]  # JSON, as we have just seen


def _answers(service: Service, bodies: list[Json], port: Port) -> Sequence[Reply | Silence]:
    try:
        if port.services is None:
            raise Unreachable("Web services cannot be asked here.")
        return port.services.post(service, bodies) if bodies else []
    except Unreachable as error:
        return [Silence("unresponsive_reward_error", str(error)) for _ in bodies]


def _outcome(answer: Reply | Silence, sent: Json) -> Outcome:
    seen: Json = {"trace_id": sent["trace_id"]}
    if isinstance(answer, Silence):
        return Outcome(None, Flagged(answer.flag, answer.reason).errors, evidence=seen)
    score = answer.body.get("score") if isinstance(answer.body, dict) else None
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        details = f"The web service answered without a “score” that is a number: {json.dumps(answer.body)[:200]}"
        return Outcome(None, Flagged("other_error", details).errors, evidence=seen)
    more = {key: value for key, value in answer.body.items() if key != "score"} if isinstance(answer.body, dict) else {}
    if more and len(json.dumps(more)) <= 4000:
        seen["answer"] = more
    return Outcome(float(score), evidence=seen)
