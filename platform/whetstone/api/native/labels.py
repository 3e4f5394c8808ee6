"""Labels: what people say of answers, how far they agree, and the version of a dataset that it becomes."""

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.dataset import Shape
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, Page, described
from whetstone.api.caller import caller
from whetstone.api.native.naming import DatasetName
from whetstone.api.openai.pages import page
from whetstone.labels.agreement import Agreement
from whetstone.labels.gather import gather, take_back
from whetstone.labels.models import Label
from whetstone.labels.publish import publish
from whetstone.labels.queue.find import find_source
from whetstone.labels.queue.pair import Pair, queue
from whetstone.labels.said import MAKES, Candidate, Kind, PromptTurn, Saying, Verdict
from whetstone.labels.standing import Standing, standings

router = Router(tags=["labels"])
LARGEST = 2**31 - 1
Source = Annotated[str, Query(min_length=1, max_length=300)]


class NewLabel(Saying):
    dataset: DatasetName
    """The dataset whose next version it goes into. It is made when there is none of this name."""


class Destination(Schema):
    model_config = ConfigDict(extra="forbid")

    dataset: DatasetName


@described
class LabelJson(TypedDict):
    id: str
    dataset: str
    author: str
    is_mine: bool
    kind: Kind
    verdict: Verdict
    prompt: list[PromptTurn]
    answers: list[Candidate]
    """In the order in which they were shown."""
    edited: str
    """How the answer should have been; empty but for a correction."""
    source: str
    is_new: bool
    """Not in a version of the dataset yet."""
    created_at: int


@described
class AgreementJson(TypedDict):
    people: int
    shared: int
    """Answers or pairs that two or more labelled."""
    same: float
    """The share of pairs of labels of one thing that say the same."""
    alpha: float | None
    """Krippendorff's, nominal. Null where everybody always said the same."""
    kappa: float | None
    """Cohen's, between two people."""


@described
class StandingJson(TypedDict):
    dataset: str
    kind: Kind
    shape: Shape
    """Of the rows that these labels make."""
    labels: int
    new: int
    """Said, changed or taken back since the last version."""
    people: int
    verdicts: dict[str, int]
    agreement: AgreementJson | None
    """Null while nothing was labelled by two people."""


class PublishedJson(TypedDict):
    id: str
    version: int
    ref: str
    rows: int
    shape: str


@described
class QueuedPairJson(TypedDict):
    prompt: list[PromptTurn]
    answers: list[Candidate]
    """Two in an order by chance; none where the models are still to be asked."""
    source: str


@described
class QueueJson(TypedDict):
    pairs: list[QueuedPairJson]
    next: int | None
    """The `start` of the next request. Null at the end."""


@router.get("")
def list_labels(
    request: HttpRequest,
    dataset: str | None = None,
    source: Annotated[str | None, Query(max_length=300)] = None,
    mine: bool = False,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[LabelJson]:
    """Newest first: all of the team, those that go into a dataset, those of a source, or the caller's own."""
    who = caller(request)
    rows: QuerySet[Label] = owned(Label, who.team).select_related("user").filter(is_withdrawn=False)
    asked: dict[str, Any] = {"dataset": dataset, "saying__source": source, "user": who.user if mine else None}
    found = rows.filter(**{name: value for name, value in asked.items() if value is not None})
    return page(found, lambda one: _label(one, who.user.pk), after=after, limit=limit)


@router.post("")
def label(request: HttpRequest, body: NewLabel) -> LabelJson:
    """Say which of two answers is better, whether one is good, or how it should have been.

    Said again of the same answers by the same person, it replaces what was said before.
    """
    who = caller(request)
    saying = Saying.model_validate(body.model_dump(exclude={"dataset"}))
    return _label(gather(who.user, who.team, body.dataset, saying), who.user.pk)


@router.get("/standing")
def standing(request: HttpRequest, dataset: str | None = None) -> Everything[StandingJson]:
    """Of every dataset that labels go into: how many there are, how many are new, and how far people agree."""
    return {"data": [_standing(one) for one in standings(caller(request).team, dataset)]}


@router.post("/publish")
def publish_labels(request: HttpRequest, body: Destination) -> PublishedJson:
    """Make the dataset's next version: the rows of the one before, and one for each thing that was labelled since."""
    who = caller(request)
    made = publish(who.user, who.team, body.dataset)
    return {"id": made.id, "version": made.number, "ref": str(made), "rows": made.rows, "shape": made.shape}


@router.get("/queue")
def read_queue(
    request: HttpRequest,
    source: Source,
    dataset: DatasetName,
    start: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> QueueJson:
    """Pairs that the caller has not labelled yet. `dataset` is what the labels go into.

    `source` is `dataset:NAME` for prompts, `job:ID` for what its model answered in training, `evaluations:ID,ID` for
    what two models answered to the same rows, or `labels` for pairs that others labelled.
    """
    who = caller(request)
    found = queue(who.user, who.team, dataset, find_source(who.team, source, dataset), start, limit)
    return {"pairs": [_pair(one) for one in found.pairs], "next": found.next}


@router.delete("/{label}", response={204: None})
def undo(request: HttpRequest, label: str) -> Status[None]:
    """Take one's own label back. What a version holds already leaves with the next one."""
    who = caller(request)
    take_back(who.user, who.team, label)
    return Status(204, None)


def _label(one: Label, reader: int) -> LabelJson:
    said = one.said
    return {
        "id": one.id,
        "dataset": one.dataset,
        "author": one.user.get_username(),
        "is_mine": one.user_id == reader,
        "kind": said.kind,
        "verdict": said.verdict,
        "prompt": [*said.prompt],
        "answers": [*said.answers],
        "edited": said.edited,
        "source": said.source,
        "is_new": one.is_new,
        "created_at": int(one.created_at.timestamp()),
    }


def _standing(one: Standing) -> StandingJson:
    return {
        "dataset": one.dataset,
        "kind": one.kind,
        "shape": MAKES[one.kind],
        "labels": one.labels,
        "new": one.new,
        "people": one.people,
        "verdicts": one.verdicts,
        "agreement": _agreement(one.agreement),
    }


def _agreement(one: Agreement | None) -> AgreementJson | None:
    if one is None:
        return None
    return {"people": one.people, "shared": one.shared, "same": one.same, "alpha": one.alpha, "kappa": one.kappa}


def _pair(one: Pair) -> QueuedPairJson:
    return {"prompt": [*one.prompt], "answers": [*one.answers], "source": one.source}
