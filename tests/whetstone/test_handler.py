"""What Django does of a request in its thread, it does in one go."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.whetstone.factories import make_key
from whetstone.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_does_not_go_to_its_thread_for_each_middleware() -> None:
    async def asked(key: str) -> tuple[httpx.Response, int]:
        loop = asyncio.get_running_loop()
        went, go = 0, loop.run_in_executor

        def counted(executor: Any, work: Callable[..., Any], *arguments: Any) -> Any:  # Any: as asyncio has it
            nonlocal went
            went += 1
            return go(executor, work, *arguments)

        loop.run_in_executor = counted  # type: ignore[assignment, method-assign]
        transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]  # theirs may be changed
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.get("/v1/models", headers={"authorization": f"Bearer {key}"}), went

    answer, went = asyncio.run(asked(make_key()))
    assert answer.status_code == 200
    assert went <= 3, "its work, its end, and its begin once Django's test client asked for that"
    assert {"content-security-policy", "x-frame-options", "x-content-type-options"} <= set(answer.headers)
