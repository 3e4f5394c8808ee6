"""Serving tests of a deployment: begun, looked at, called off, compared."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from whetstone.accounts.scope import owned
from whetstone.api.answers import Everything, described, one_of
from whetstone.api.caller import caller
from whetstone.api.errors import ErrorJson, fault_json
from whetstone.deployments import serving_tests
from whetstone.deployments.deploy import find_deployment
from whetstone.deployments.measure import ServingLevel, ServingPlan
from whetstone.deployments.models import ServingTest

router = Router(tags=["deployments"])


@described
class ServingTestJson(TypedDict):
    id: str
    deployment: str
    model: str
    """What the deployment served then."""
    host: str
    """Where it was served then."""
    state: Annotated[str, one_of(*ServingTest.State.values)]
    plan: ServingPlan
    levels: list[ServingLevel]
    """What has been measured, one for each number of requests at once."""
    error: ErrorJson | None
    created_at: int
    finished_at: int | None


@router.get("/{deployment_id}/serving-tests")
def list_serving_tests(request: HttpRequest, deployment_id: str) -> Everything[ServingTestJson]:
    """Newest first."""
    team = caller(request).team
    rows = owned(ServingTest, team).filter(deployment=find_deployment(team, deployment_id))
    return {"data": [serving_test_json(one) for one in rows]}


@router.post("/{deployment_id}/serving-tests")
def create_serving_test(request: HttpRequest, deployment_id: str, body: ServingPlan) -> ServingTestJson:
    """Ask the deployment ever more at once, and measure. A supervisor does it, over `/v1` like any client."""
    who = caller(request)
    return serving_test_json(serving_tests.begin_test(who.user, find_deployment(who.team, deployment_id), body))


@router.get("/serving-tests/{test_id}")
def retrieve_serving_test(request: HttpRequest, test_id: str) -> ServingTestJson:
    return serving_test_json(serving_tests.find_test(caller(request).team, test_id))


@router.post("/serving-tests/{test_id}/cancel")
def cancel_serving_test(request: HttpRequest, test_id: str) -> ServingTestJson:
    """What was measured stays."""
    team = caller(request).team
    serving_tests.cancel_test(serving_tests.find_test(team, test_id))
    return serving_test_json(serving_tests.find_test(team, test_id))


@router.delete("/serving-tests/{test_id}", response={204: None})
def delete_serving_test(request: HttpRequest, test_id: str) -> Status[None]:
    """One that runs ends with it."""
    serving_tests.find_test(caller(request).team, test_id).delete()
    return Status(204, None)


def serving_test_json(one: ServingTest) -> ServingTestJson:
    report = one.fault_report
    return {
        "id": one.id,
        "deployment": one.deployment_id,
        "model": one.model,
        "host": one.host,
        "state": one.state,
        "plan": ServingPlan.model_validate(one.plan),
        "levels": [ServingLevel.model_validate(level) for level in one.results],
        "error": fault_json(report) if report else None,
        "created_at": int(one.created_at.timestamp()),
        "finished_at": int(one.finished_at.timestamp()) if one.finished_at else None,
    }
