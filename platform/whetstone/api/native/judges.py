"""Judges and secrets: what graders reach over HTTP. A secret's value goes in, and never out."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, Field
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from graders.schema import MASK
from graders.schema.endpoint import http_address
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, described
from whetstone.api.caller import caller
from whetstone.evaluators.judges import add_judge, delete_secret, find_judge, find_secret
from whetstone.evaluators.models import Judge, Secret

router = Router(tags=["judges"])
secrets = Router(tags=["secrets"])


class NewSecret(Schema):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")
    value: str = Field(min_length=1, max_length=8192, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$")


def _somewhere(url: str) -> str:
    return http_address(url) if url else ""


class NewJudge(Schema):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=256)
    base_url: Annotated[str, Field(max_length=512), AfterValidator(_somewhere)] = ""
    """Empty: a model of this platform, which needs no key."""
    model: str = Field("", max_length=256)
    """As the server calls it. Empty: the same as the name."""
    secret: str | None = None
    """The name of the secret that holds its key."""
    at_once: int = Field(8, ge=1, le=256)
    max_rps: float | None = Field(None, gt=0)
    prompt_price: float = Field(0.0, ge=0)
    completion_price: float = Field(0.0, ge=0)


@described
class JudgeJson(TypedDict):
    name: str
    base_url: str
    """Empty for a model of this platform."""
    model: str
    secret: str | None
    """The name of the secret that holds its key."""
    at_once: int
    max_rps: float | None
    prompt_price: float
    completion_price: float
    created_at: int


@described
class SecretJson(TypedDict):
    name: str
    value: str
    """Masked, always."""
    created_at: int


@router.get("")
def list_judges(request: HttpRequest) -> Everything[JudgeJson]:
    rows = owned(Judge, caller(request).team).select_related("key")
    return {"data": [judge_json(one) for one in rows]}


@router.post("")
def create_judge(request: HttpRequest, body: NewJudge) -> JudgeJson:
    team = caller(request).team
    return judge_json(add_judge(team, judge_of(team, body)))


def judge_of(team: Team, body: NewJudge) -> Judge:
    """Not yet stored. Raises Fault evaluator.secret_missing."""
    fields = body.model_dump(exclude={"secret"}) | {"model": body.model or body.name}
    return Judge(**fields, key=find_secret(team, body.secret) if body.secret else None)


@router.delete("/{path:name}", response={204: None})
def delete_judge(request: HttpRequest, name: str) -> Status[None]:
    find_judge(caller(request).team, name, param="name").delete()
    return Status(204, None)


def judge_json(judge: Judge) -> JudgeJson:
    return {
        "name": judge.name,
        "base_url": judge.base_url,
        "model": judge.model,
        "secret": judge.key.name if judge.key else None,
        "at_once": judge.at_once,
        "max_rps": judge.max_rps,
        "prompt_price": judge.prompt_price,
        "completion_price": judge.completion_price,
        "created_at": int(judge.created_at.timestamp()),
    }


@secrets.get("")
def list_secrets(request: HttpRequest) -> Everything[SecretJson]:
    return {"data": [secret_json(one) for one in owned(Secret, caller(request).team)]}


@secrets.post("")
def store_secret(request: HttpRequest, body: NewSecret) -> SecretJson:
    """A new secret, or a new value for the one of this name."""
    who = caller(request)
    return secret_json(Secret.make(who.user, who.team, body.name, body.value))


@secrets.delete("/{name}", response={204: None})
def remove_secret(request: HttpRequest, name: str) -> Status[None]:
    delete_secret(find_secret(caller(request).team, name, param="name"))
    return Status(204, None)


def secret_json(secret: Secret) -> SecretJson:
    return {"name": secret.name, "value": MASK, "created_at": int(secret.created_at.timestamp())}
