"""`/api/v1`, put together."""

from ninja import NinjaAPI

from whetstone.api.caller import AUTH
from whetstone.api.errors import answer_errors
from whetstone.api.native import (
    checkpoints,
    conversations,
    datasets,
    deliveries,
    deployments,
    diffs,
    evaluations,
    evaluators,
    graders,
    imports,
    jobs,
    judges,
    keys,
    labels,
    merges,
    models,
    scores,
    serving_tests,
    suites,
    trials,
    workers,
)
from whetstone.api.once import send_once
from whetstone.api.parser import StrictParser
from whetstone.api.renderer import FastRenderer

native_api = NinjaAPI(
    title="Whetstone",
    version="1",
    urls_namespace="native",
    auth=AUTH,
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
    renderer=FastRenderer(),
)
answer_errors(native_api)
send_once(native_api)
native_api.add_router("/graders", graders.router)
native_api.add_router("/graders", trials.router)
native_api.add_router("/evaluators", diffs.router)  # before the names
native_api.add_router("/evaluators", evaluators.router)
native_api.add_router("/evaluator-templates", evaluators.templates)
native_api.add_router("/evaluations", evaluations.router)
native_api.add_router("/judges", judges.router)
native_api.add_router("/secrets", judges.secrets)
native_api.add_router("/keys", keys.router)
native_api.add_router("/datasets", datasets.router)
native_api.add_router("/models", models.router)
native_api.add_router("/merges", merges.router)
native_api.add_router("/imports", imports.router)
native_api.add_router("/deployments", serving_tests.router)  # before the ids
native_api.add_router("/deployments", deployments.router)
native_api.add_router("/scores", scores.router)
native_api.add_router("/conversations", conversations.router)
native_api.add_router("/labels", labels.router)
native_api.add_router("/jobs", jobs.router)
native_api.add_router("/jobs", checkpoints.router)
native_api.add_router("/suites", suites.router)
native_api.add_router("/workers", workers.router)
native_api.add_router("/pools", workers.pools_router)
native_api.add_router("/webhooks/deliveries", deliveries.router)
