"""The worker's side door: claim, report, fetch and store files. For workers alone."""

import logging
import secrets
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Status
from ninja.security import HttpBearer

from contracts.event import ClaimRequest, Hello, Release, Reports
from contracts.fault import Fault
from contracts.reach import Reach
from whetstone.accounts.models import hash_of
from whetstone.api import serving
from whetstone.api.bodies import download
from whetstone.api.errors import answer_errors, error
from whetstone.artifacts import disk
from whetstone.artifacts.store import Corrupt, find, is_whole, put, renew
from whetstone.evaluators.judges import reach_of
from whetstone.jobs.attempts import release
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Attempt
from whetstone.jobs.record import holder, record
from whetstone.logs import ABOUT
from whetstone.workers.pools import welcome

log = logging.getLogger(__name__)
worker_api = NinjaAPI(urls_namespace="worker", docs_url=None, openapi_url=None)
answer_errors(worker_api)


class Member(HttpBearer):
    """The token with which every worker of this platform joins."""

    def authenticate(self, request: HttpRequest, token: str) -> str:
        if not secrets.compare_digest(token.encode(), settings.WORKER_TOKEN.encode()):
            raise Fault("auth.invalid")
        return token


class Holder(HttpBearer):
    """The token of one attempt of one job. An attempt that was replaced is still known by it."""

    def authenticate(self, request: HttpRequest, token: str) -> str:
        attempt = Attempt.objects.filter(token_hash=hash_of(token)).values("job", "number").first()
        if attempt is None:
            raise Fault("auth.invalid")
        ABOUT.get({}).update(job=attempt["job"], attempt=attempt["number"])
        return token


worker_api.add_router("/serving", serving.router, auth=Member())


@worker_api.post("/hello", auth=Member(), response={204: None})
def hello(request: HttpRequest, body: Hello) -> Status[None]:
    welcome(body)
    return Status(204, None)


@worker_api.post("/claim", auth=Member())
def claim_job(request: HttpRequest, body: ClaimRequest) -> HttpResponse:
    if disk.is_low():  # its checkpoints would find no room
        log.warning("pool %s gets no job: only %.1f GB are free", body.pool, disk.free_gb())
        return HttpResponse(status=204)
    claimed = claim(body.worker, body.pool, body.instance)
    if claimed is None:
        return HttpResponse(status=204)
    return HttpResponse(claimed.model_dump_json(), content_type="application/json")


@worker_api.post("/release", auth=Member(), response={204: None})
def release_jobs(request: HttpRequest, body: Release) -> Status[None]:
    release(body)
    return Status(204, None)


@worker_api.post("/jobs/{job_id}/events", auth=Holder())
def report(request: HttpRequest, job_id: str, body: Reports) -> HttpResponse:
    reply = record(job_id, _token(request), body.reports, body.sent_at)
    return HttpResponse(reply.model_dump_json(), content_type="application/json")


@worker_api.get("/jobs/{job_id}/reach", auth=Holder())
def reach(request: HttpRequest, job_id: str) -> HttpResponse:
    """The judges and secrets that the job's grader asks for: for the attempt that holds the job, and its memory."""
    attempt = holder(job_id, _token(request))
    if attempt is None:
        return error(409, "this attempt no longer holds the job", code="replaced")
    grader = attempt.job.job_spec.grader
    hosts = settings.ENVIRONMENT.private_hosts
    found = reach_of(attempt.job.team, grader, hosts, attempt.pk) if grader else Reach()
    answer = HttpResponse(found.model_dump_json(), content_type="application/json")
    answer["Cache-Control"] = "no-store"
    return answer


@worker_api.api_operation(["GET", "HEAD"], "/jobs/{job_id}/blobs/{sha256}", auth=Holder())
def fetch(request: HttpRequest, job_id: str, sha256: str) -> HttpResponse:
    attempt = holder(job_id, _token(request))
    look = renew if request.method == "HEAD" else find  # it asks so that it need not send, and will name it next
    blob = look(attempt.job.team, sha256) if attempt else None
    if blob is None or not is_whole(blob):  # asking again would bring nothing: the worker must not wait for it
        return error(404, "no such blob", code="not_found")
    if request.method == "HEAD":
        return HttpResponse(headers={"Content-Length": str(blob.size)})
    return download(blob, sha256)  # type: ignore[return-value]  # a streaming answer is one too


@worker_api.put("/jobs/{job_id}/blobs/{sha256}", auth=Holder())
def store(request: HttpRequest, job_id: str, sha256: str) -> HttpResponse:
    attempt = holder(job_id, _token(request))
    if attempt is None:
        return error(409, "this attempt no longer holds the job", code="replaced")
    known = find(attempt.job.team, sha256) is not None
    try:
        put(attempt.job.team, request, sha256)
    except Corrupt as corrupt:
        return error(400, str(corrupt), code="corrupt")
    return HttpResponse(status=200 if known else 201)


def _token(request: HttpRequest) -> str:
    """The token by which the attempt was let in."""
    return cast(str, cast(Any, request).auth)
