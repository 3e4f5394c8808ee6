"""The engines' side door: which models to hold, what they are asked, what they say. Hosts of engines dial out only."""

from collections import defaultdict
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from ninja.security import HttpBearer
from pydantic import TypeAdapter

from contracts.completion import Letter, Letters, Replies
from contracts.fault import Fault
from contracts.serving import Attendance
from whetstone.accounts.models import hash_of
from whetstone.api.bodies import download
from whetstone.api.errors import error
from whetstone.artifacts.store import find, is_whole
from whetstone.deployments.attend import attend
from whetstone.deployments.exchange import mailbox_of
from whetstone.deployments.mailbox import mailboxes
from whetstone.deployments.models import Deployment

router = Router()
LETTER: TypeAdapter[Letter] = TypeAdapter(Letter)
LONGEST_WAIT_S = 20.0


class Holder(HttpBearer):
    """The token of one deployment on one host."""

    def authenticate(self, request: HttpRequest, token: str) -> Deployment:
        deployment = Deployment.objects.select_related("team").filter(token_hash=hash_of(token)).first()
        if deployment is None:
            raise Fault("auth.invalid")
        return deployment


@router.post("/attend")
def attend_platform(request: HttpRequest, body: Attendance) -> HttpResponse:
    return HttpResponse(attend(body).model_dump_json(), content_type="application/json")


@router.get("/letters")
async def letters(
    request: HttpRequest, host: str, mark: str = "", wait_s: Annotated[float, Query(ge=0)] = LONGEST_WAIT_S
) -> HttpResponse:
    """What the host's deployments are asked, as soon as they are. Nothing, when the time is up.

    `mark` is that of the last answer which arrived: what was sent after it comes again.
    """
    taken, last = await mailboxes.collect(mailbox_of(host), mark, min(wait_s, LONGEST_WAIT_S))
    found = Letters(letters=tuple(LETTER.validate_json(letter) for letter in taken), mark=last)
    return HttpResponse(found.model_dump_json(), content_type="application/json")


@router.post("/replies", response={204: None})
async def replies(request: HttpRequest, body: Replies) -> Status[None]:
    boxes: dict[str, list[bytes]] = defaultdict(list)
    for reply in body.replies:
        boxes[reply.to].append(reply.said.model_dump_json().encode())
    for address, said in boxes.items():
        await mailboxes.post(address, said)
    return Status(204, None)


@router.get("/deployments/{deployment}/blobs/{sha256}", auth=Holder())
def fetch(request: HttpRequest, deployment: str, sha256: str) -> HttpResponse:
    """A file of the model that the token's host is to hold, and no other."""
    held: Deployment = _auth(request)
    is_its_own = held.id == deployment and any(file.sha256 == sha256 for file in (*held.ref.files, *held.adapter_files))
    blob = find(held.team, sha256) if is_its_own else None
    if blob is None or not is_whole(blob):
        return error(404, "no such blob", code="not_found")
    return download(blob, sha256)  # type: ignore[return-value]  # a streaming answer is one too


def _auth(request: Any) -> Deployment:  # Any: ninja adds the attribute
    found: Deployment = request.auth
    return found
