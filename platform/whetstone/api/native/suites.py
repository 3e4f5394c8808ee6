"""Standard suites: files of published questions, made into a dataset and an evaluator."""

from typing import Annotated

from django.http import HttpRequest
from ninja import File, Form, Router, UploadedFile
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.api.answers import described
from whetstone.api.caller import caller
from whetstone.suites import bring as suites
from whetstone.suites.bring import MOST_SHOTS, SuiteName

router = Router(tags=["suites"])


@described
class BroughtJson(TypedDict):
    """What an evaluation of the suite takes."""

    dataset: str
    """`name@version`."""
    dataset_id: str
    rows: int
    evaluator: str
    """`name@version`."""
    longest_answer: int
    """Tokens that an answer usually takes at the most."""


@router.post("")
def bring(
    request: HttpRequest,
    file: File[UploadedFile],
    suite: Annotated[SuiteName, Form()],
    name: Annotated[str, Form(min_length=1, max_length=100, pattern=r"^[\w.-]+$")],
    examples: File[UploadedFile | None] = None,
    shots: Annotated[int, Form(ge=0, le=MOST_SHOTS)] = 0,
    judge: Annotated[str, Form(max_length=256)] = "",
) -> BroughtJson:
    """Bring a published test set as it is: JSON lines, CSV or parquet. `shots` solved questions of the file `examples`
    stand before each question. `judge` scores open answers. `name` becomes that of the dataset and of the evaluator."""
    who = caller(request)
    order = suites.Order(
        suite, name, suites.of_upload(file), suites.of_upload(examples) if examples else None, shots, judge
    )
    made = suites.bring(who.user, who.team, order)
    return {
        "dataset": str(made.dataset),
        "dataset_id": made.dataset.id,
        "rows": made.dataset.rows,
        "evaluator": str(made.evaluator),
        "longest_answer": made.longest_answer,
    }
