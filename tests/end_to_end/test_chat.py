"""OpenAI's own client asks a model that was trained here: whole and streamed, with every kind of mistake."""

import os
import signal
import threading
import time
from typing import Any

import httpx
import openai
import orjson
import pytest

from tests.end_to_end.laptop import Laptop, until

pytestmark = pytest.mark.end_to_end
SUMS = [
    {"messages": [{"role": "user", "content": f"{n}+{n}"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(32)
]
HELLO: list[Any] = [{"role": "user", "content": "3+3"}]


@pytest.fixture(scope="module")
def model(client: openai.OpenAI, api: httpx.Client) -> str:
    """A model that has learned nothing much: four steps."""
    rows = b"\n".join(map(orjson.dumps, SUMS))
    file = client.files.create(file=("sums.jsonl", rows), purpose="fine-tune")
    method: Any = {"type": "full", "full": {"hyperparameters": {"max_steps": 4, "batch_size": 8}}}
    job = client.fine_tuning.jobs.create(
        model="starter-blank", training_file=file.id, method=method, suffix="talker", seed=1
    )
    done = until(api, job.id)
    assert done["status"] == "succeeded", done["error"]
    return str(done["fine_tuned_model"])


def test_an_answer_is_the_same_whole_and_in_pieces(client: openai.OpenAI, model: str) -> None:
    manner: Any = {"model": model, "messages": HELLO, "max_tokens": 12, "seed": 5, "logit_bias": {"257": -100}}
    whole = client.chat.completions.create(**manner, logprobs=True, top_logprobs=2)
    assert whole.choices[0].finish_reason == "length"
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (6, 12)
    told = whole.choices[0].logprobs
    assert told is not None
    assert told.content is not None
    assert [len(one.top_logprobs) for one in told.content] == [2] * 12
    chunks = list(client.chat.completions.create(**manner, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage == whole.usage
    assert [one.finish_reason for chunk in chunks for one in chunk.choices if one.finish_reason] == ["length"]
    written = "".join(one.delta.content or "" for chunk in chunks for one in chunk.choices)
    assert written == whole.choices[0].message.content


def test_several_prompts_have_several_answers_each(client: openai.OpenAI, model: str) -> None:
    manner: Any = {"model": model, "prompt": ["1+1", "2+2"], "n": 2, "max_tokens": 3, "seed": 2, "echo": True}
    whole = client.completions.create(**manner)
    assert [choice.index for choice in whole.choices] == [0, 1, 2, 3]
    assert [choice.text[:3] for choice in whole.choices] == ["1+1", "1+1", "2+2", "2+2"]
    texts = [""] * 4
    for chunk in client.completions.create(**manner, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == [choice.text for choice in whole.choices]


def test_a_checkpoint_is_asked_by_its_own_name(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=f"{model}:ckpt-step-4", messages=HELLO, max_tokens=2, temperature=0)
    final = client.chat.completions.create(model=model, messages=HELLO, max_tokens=2, temperature=0)
    assert answer.choices[0].message.content == final.choices[0].message.content


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"model": "nobody"}, 404, "deployment.model_missing"),
        ({"model": "starter-blank"}, 400, "deployment.no_weights"),
        ({"messages": [{"role": "user", "content": "x" * 3000}]}, 400, "completion.too_long"),
        ({"messages": [{"role": "user", "content": "x" * 3000}], "stream": True}, 400, "completion.too_long"),
        ({"max_tokens": 4000}, 400, "completion.no_room"),
        ({"logit_bias": {"99999": 1}}, 400, "completion.token_unknown"),
        ({"messages": []}, 400, "too_short"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, 400, "completion.no_tools"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "value_error"),
        ({"stop": ["x"] * 1000}, 400, "too_long"),
        ({"n": 0}, 400, "greater_than_equal"),
        ({"temperature": 3}, 400, "less_than_equal"),
        ({"extra_body": {"best_off": 1}}, 400, "extra_forbidden"),
    ],
)
def test_mistakes_are_answered_before_anything_is_written(
    client: openai.OpenAI, model: str, more: dict[str, Any], status: int, code: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**{"model": model, "messages": HELLO} | more)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id


def test_a_request_that_is_sent_again_is_answered_once(client: openai.OpenAI, model: str) -> None:
    def ask(key: str) -> str:
        return client.chat.completions.create(
            model=model, messages=HELLO, max_tokens=4, extra_headers={"Idempotency-Key": key}
        ).id

    assert ask("chat-1") == ask("chat-1") != ask("chat-2")


def test_what_a_model_writes_for_nobody_ends(client: openai.OpenAI, model: str, api: httpx.Client) -> None:
    """A client that leaves in the midst, streaming or not, leaves the engine free."""
    endless: Any = {"model": model, "messages": HELLO, "max_tokens": 2000, "logit_bias": {"257": -100}}
    with client.chat.completions.create(**endless, stream=True) as stream:
        next(iter(stream))
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3, max_retries=0).chat.completions.create(**endless)
    started = time.monotonic()
    client.chat.completions.create(**endless | {"max_tokens": 20})
    alone = time.monotonic() - started
    assert alone < 5, "two answers of 2,000 tokens are still being written"


def test_an_engine_that_is_killed_loses_requests_with_a_clear_word_and_comes_back(
    laptop: Laptop, client: openai.OpenAI, model: str
) -> None:
    failed: list[openai.APIError] = []

    def read() -> None:
        try:
            stream = client.chat.completions.create(
                model=model, messages=HELLO, max_tokens=2000, logit_bias={"257": -100}, stream=True
            )
            for number, _ in enumerate(stream):
                if number == 5:
                    (pid,) = laptop.processes("trainer_worker.serve")
                    os.kill(pid, signal.SIGKILL)
        except openai.APIError as error:
            failed.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    reading.join(60)
    assert not reading.is_alive()
    assert [error.code for error in failed] == ["engine.lost"]
    answer = client.chat.completions.create(model=model, messages=HELLO, max_tokens=2)
    assert answer.choices[0].finish_reason in ("length", "stop")


def test_a_model_that_has_learned_nothing_much_judges_in_the_form_all_the_same(api: httpx.Client, model: str) -> None:
    """Free to write what it likes it never does. Some judgements run out of tokens before they are whole."""
    api.post("/api/v1/judges", json={"name": "novice", "model": model}).raise_for_status()
    ask = [{"role": "user", "content": "{{ sample.output_text }}"}]
    grader = {"type": "label_model", "name": "label", "model": "novice", "input": ask}
    grader |= {"labels": ["good", "bad"], "passing_labels": ["good"]}
    samples = [{"output_text": f"{n}"} for n in range(8)]
    answer = api.post("/api/v1/graders/try", json={"grader": grader, "samples": samples}, timeout=120).json()
    scores = [one["grade"]["score"] for one in answer["grades"]]
    assert {0.0, 1.0} & set(scores), answer
