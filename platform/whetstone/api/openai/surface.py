"""`/v1`, put together."""

from ninja import NinjaAPI

from whetstone.api.caller import AUTH
from whetstone.api.errors import answer_errors
from whetstone.api.once import send_once
from whetstone.api.openai import chat, completions, files, graders, jobs, models, permissions, uploads, webhooks
from whetstone.api.parser import StrictParser
from whetstone.api.renderer import FastRenderer

openai_api = NinjaAPI(
    title="Whetstone",
    version="1",
    urls_namespace="openai",
    auth=AUTH,
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
    renderer=FastRenderer(),
)
answer_errors(openai_api)
send_once(openai_api)
openai_api.add_router("/files", files.router)
openai_api.add_router("/uploads", uploads.router)
openai_api.add_router("/fine_tuning/jobs", jobs.router)
openai_api.add_router("/fine_tuning/alpha/graders", graders.router)
openai_api.add_router("/fine_tuning/checkpoints", permissions.router)
openai_api.add_router("/models", models.router)
openai_api.add_router("/chat", chat.router)
openai_api.add_router("/completions", completions.router)
openai_api.add_router("", webhooks.router)
