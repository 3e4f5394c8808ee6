"""The official client adds a webhook, a job ends while the supervisor is dead, and the receiver hears of it."""

import os
import signal
import time
from pathlib import Path
from typing import Final

import openai
import pytest

from tests.end_to_end.laptop import USER, created, prepared, until, upload
from tests.end_to_end.test_laptop import QUESTIONS, draft
from tests.judges import serving

pytestmark = pytest.mark.end_to_end


def test_a_job_s_end_is_told_although_the_supervisor_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHETSTONE_PRIVATE_HOSTS", "127.0.0.1")
    with serving(lambda _: (204, {}, b"")) as receiver, prepared(tmp_path) as laptop:
        key = laptop.manage("createkey", "--user", USER, "--scopes", "read,admin")
        with laptop.api() as api, openai.OpenAI(api_key=key, base_url=f"{laptop.url}/v1") as client:
            succeeded: Final = "fine_tuning.job.succeeded"
            endpoint = client.webhooks.create(name="CI", url=f"{receiver.url}/hook", event_types=[succeeded])
            tested = client.webhooks.test(endpoint.id, event_type=succeeded)
            assert (tested.status_code, tested.webhook_endpoint_id) == (204, endpoint.id)
            assert [one.id for one in client.webhooks.list()] == [endpoint.id]
            assert succeeded in client.webhooks.event_types.list().data
            job = created(api, draft(upload(api, "q.jsonl", QUESTIONS)["id"], max_steps=2))["id"]
            for pid in laptop.processes("supervise"):
                os.kill(pid, signal.SIGKILL)
            assert until(api, job)["status"] == "succeeded"
            give_up = time.monotonic() + 60
            while len(receiver.asked) < 2:
                assert time.monotonic() < give_up, laptop.log("supervisor")
                time.sleep(0.1)
            told = receiver.asked[1]
            event = client.webhooks.unwrap(told.raw, told.headers, secret=endpoint.signing_secret)
            assert event.type == "fine_tuning.job.succeeded"
            assert event.data.id == job
            rotated = client.webhooks.rotate_secret(endpoint.id)
            assert rotated.signing_secret != endpoint.signing_secret
            assert client.webhooks.delete(endpoint.id).deleted
