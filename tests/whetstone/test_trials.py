"""Trying a grader on many rows: from anywhere, as it comes, and stopped when nobody reads on."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.http import StreamingHttpResponse
from django.test import Client, RequestFactory

from graders import Conversation, Port, grade, parse
from graders.schema import Grader
from tests.judges import said
from tests.judges import serving as answering
from tests.whetstone.factories import EXACT, make_dataset, make_key, make_rollouts, make_team, make_user
from tests.whetstone.serving import ROOT, environment_of, manage, serving
from whetstone.api.native.sources import Rows
from whetstone.api.native.trials import _lines
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.evaluators.trial import in_chunks

pytestmark = pytest.mark.django_db
MANY = [{"messages": [{"role": "user", "content": f"{n}?"}], "answer": str(n), "reference": str(n)} for n in range(90)]
SLEEPY = "import time\ndef grade(sample, item):\n    time.sleep(0.01)\n    return float(sample['output_text'])"


def script(name: str = "ada") -> Client:
    return Client(headers={"authorization": f"Bearer {make_key(make_user(name))}"})


def post(path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = script().post(f"/api/v1/graders/{path}", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def streamed(**body: Any) -> list[dict[str, Any]]:
    answer = script().post("/api/v1/graders/try/stream", body, content_type="application/json")
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer.is_async
    return asyncio.run(read(answer.__aiter__()))


async def read(lines: AsyncIterator[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) async for line in lines]


def test_a_stream_tells_each_row_once_and_ends_with_the_same_summary() -> None:
    version = make_dataset(MANY)
    body: dict[str, Any] = {"grader": EXACT, "dataset": version.id, "offset": 10, "limit": 1000}
    *lines, last = streamed(**body)
    whole = post("try", **body)
    assert [line["done"] for line in lines][:1] == [16]
    assert [line["done"] for line in lines][-1] == 80
    assert {line["total"] for line in lines} == {80}
    rows = [one for line in lines for one in line["grades"]]
    assert [one["row"] for one in rows] == list(range(10, 90))
    assert [one["grade"]["score"] for one in rows] == [1.0] * 80
    assert [one["sample"] for one in rows] == [one["sample"] for one in whole["grades"]]
    for found in (last["summary"], whole["summary"]):
        del found["slowest"]
    assert last["summary"] == whole["summary"]


def test_chunks_grow_while_grading_is_fast() -> None:
    lines = streamed(grader=EXACT, samples=[{"output_text": "x"}] * 600, items=[{"answer": "x"}] * 600)
    sizes = [len(line["grades"]) for line in lines[:-1]]
    assert sizes[0] == 16
    assert max(sizes) > 16
    assert sum(sizes) == 600


def test_nothing_to_grade_is_a_summary_of_nothing() -> None:
    (only,) = streamed(grader=EXACT, samples=[])
    assert only["summary"]["count"] == 0


def test_what_a_job_answered_is_graded_anew() -> None:
    job = make_rollouts(["0", "3", "4"])
    found = post("try", grader=EXACT, job=job.id, order="newest")
    assert [one["grade"]["score"] for one in found["grades"]] == [1, 0, 1]
    first = found["grades"][0]
    assert first["stored"] == {"step": 3, "reward": 0.5}
    assert first["item"]["answer"] == "4"
    assert first["sample"]["prompt"] == [{"role": "user", "content": "2+2=?"}]
    assert (first["sample"]["output_text"], first["sample"]["output_tokens"]) == ("4", 1)
    assert [one["sample"]["output_text"] for one in post("try", grader=EXACT, job=job.id, step=2)["grades"]] == ["3"]
    *lines, last = streamed(grader=EXACT, job=job.id, limit=1000)
    assert (lines[0]["total"], last["summary"]["count"]) == (3, 3)


def test_a_job_without_answers_says_what_to_do() -> None:
    job = make_rollouts(["0"])
    job.events.filter(type="rollouts").delete()
    error = post("try", 400, grader=EXACT, job=job.id)["error"]
    assert (error["code"], error["param"]) == ("job.no_rollouts", "job")
    assert "rows of a dataset" in error["next_step"]
    assert post("try/stream", 400, grader=EXACT, job="ftjob-x")["error"]["code"] == "job.not_found"


def test_nobody_tries_on_another_teams_answers_rows_or_evaluators() -> None:
    job = make_rollouts(["0"])
    dataset = make_dataset(MANY)
    save_evaluator(make_user(), make_team(), "mine", parse(EXACT))
    eve = script("eve")
    named = {"grader": EXACT, "dataset": dataset.id}, {"grader": EXACT, "job": job.id}
    for body in (*named, {"evaluator": "mine", "samples": [{"output_text": "x"}]}):
        for path in ("try", "try/stream"):
            answer = eve.post(f"/api/v1/graders/{path}", body, content_type="application/json")
            assert answer.json()["error"]["code"].endswith("not_found")


def test_a_dataset_that_was_deleted_meanwhile_says_what_to_do() -> None:
    gone = make_dataset(MANY).id
    DatasetVersion.objects.all().delete()
    for path in ("try", "try/stream", "attack", "contrast"):
        error = post(path, 400, grader=EXACT, dataset=gone)["error"]
        assert error["code"] == "dataset.not_found"
        assert "deleted" in error["next_step"]


def test_a_saved_evaluator_is_tried_by_its_name() -> None:
    save_evaluator(make_user(), make_team(), "exact", parse(EXACT))
    save_evaluator(make_user(), make_team(), "exact", parse(EXACT | {"operation": "ne"}))
    own: dict[str, Any] = {"samples": [{"output_text": "4"}], "items": [{"answer": "4"}]}
    for ref, score in (("exact@1", 1), ("exact", 0)):
        assert post("try", evaluator=ref, **own)["grades"][0]["grade"]["score"] == score
        assert streamed(evaluator=ref, **own)[0]["grades"][0]["grade"]["score"] == score
    assert post("attack", evaluator="exact@1", dataset=make_dataset(MANY).id)["holds"]
    assert post("try", 400, evaluator="exact@9", **own)["error"]["code"] == "evaluator.not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"samples": []}, "grader"),
        ({"grader": EXACT, "evaluator": "x", "samples": []}, "grader"),
        ({"grader": EXACT}, "samples"),
        ({"grader": EXACT, "dataset": "x", "job": "y"}, "samples"),
        ({"grader": EXACT, "items": [{}]}, "samples"),
        ({"grader": EXACT, "samples": [{}], "items": []}, "items"),
        ({"grader": EXACT, "samples": [{}], "limit": 1001}, "limit"),
        ({"grader": EXACT, "job": "y", "order": "random"}, "order"),
        ({"grader": EXACT, "job": "y", "offset": 2**31}, "offset"),
        ({"grader": EXACT, "samples": [{}] * 1001}, "samples"),
    ],
)
@pytest.mark.parametrize("path", ["try", "try/stream"])
def test_what_is_not_exactly_one_grader_and_one_source_is_refused(path: str, body: dict[str, Any], field: str) -> None:
    assert post(path, 400, **body)["error"]["param"] == field


def test_right_and_wrong_answers_are_contrasted_with_a_sentence() -> None:
    version = make_dataset(MANY)
    good = post("contrast", grader=EXACT, dataset=version.id)
    assert (good["rows"], good["told_apart"], good["warning"]) == (50, 50, None)
    assert (good["right"]["mean"], good["wrong"]["mean"], good["distinct"]) == (1, 0, 2)
    anything = {"type": "length", "target": 1}
    bad = post("contrast", grader=anything, dataset=version.id, limit=9)
    assert (bad["ties"], bad["distinct"]) == (9, 1)
    assert "nothing to learn" in bad["warning"]
    assert post("contrast", 400, grader=EXACT, dataset=version.id, limit=201)["error"]["param"] == "limit"


def test_rows_without_right_answers_say_which_column_to_map() -> None:
    found = post("contrast", grader=EXACT, dataset=make_dataset().id)
    assert (found["rows"], "map the column" in found["warning"]) == (0, True)


def test_what_a_check_finds_missing_is_said_in_the_readers_language() -> None:
    http = script()
    body = {"grader": EXACT | {"reference": "{{ item.nothing }}"}, "dataset": make_dataset(MANY).id}
    answer = http.post("/api/v1/graders/check", body, "application/json", headers={"accept-language": "zh-hans"})
    assert "评估器" in answer.json()["errors"][0]["message"]


def test_an_answer_that_is_labelled_bad_is_no_right_one() -> None:
    rows = [{"prompt": "1+1=", "completion": text, "label": text == "2", "reference": "2"} for text in ("2", "3")]
    found = post("contrast", grader=EXACT | {"reference": "{{ item.reference }}"}, dataset=make_dataset(rows).id)
    assert (found["rows"], found["right"]["mean"], found["wrong"]) == (2, 1, None)


def test_a_judge_is_contrasted_on_few_rows_only() -> None:
    judge = {"type": "score_model", "model": "wise", "input": [{"role": "user", "content": "{{ sample.output_text }}"}]}
    error = post("contrast", 400, grader=judge, dataset=make_dataset(MANY).id, limit=11)["error"]
    assert (error["code"], "10 rows" in error["message"]) == ("evaluator.too_many_rows", True)
    assert post("try/stream", 400, grader=judge, samples=[{}] * 21)["error"]["code"] == "evaluator.too_many_rows"


class Breaking:
    """Reward models that fail with something that nobody foresaw, after the first chunk."""

    def __init__(self) -> None:
        self.asked = 0

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError("out of order")
        return [1.0] * len(conversations)


TASTE = {"type": "reward_model", "model": "taste"}


def test_what_breaks_on_the_way_is_the_last_line() -> None:
    rows = Rows([{"output_text": "x", "prompt": [{"role": "user", "content": "?"}]}] * 100, [{}] * 100)
    request = RequestFactory().post("/api/v1/graders/try/stream")
    lines = _lines(request, parse(TASTE), rows, Port(scorers=Breaking()), "zh-hans")
    first, last = asyncio.run(read(lines))
    assert first["done"] == 16
    assert (last["error"]["type"], last["error"]["code"]) == ("server_error", "internal_error")
    assert last["error"]["message"].startswith("平台")


def test_nobody_who_reads_on_stops_the_grading() -> None:
    async def one_line(grader: Grader) -> list[int]:
        places: list[int] = []
        samples = [{"output_text": "1"}] * 400
        lines = in_chunks(grader, samples, [{}] * 400, Port(), lambda place, found: places.append(place + len(found)))
        await anext(lines)
        await lines.aclose()
        return places

    assert asyncio.run(one_line(parse(EXACT))) == [16]


def test_code_is_graded_in_chunks_as_it_is_at_once() -> None:
    samples = [{"output_text": str(n)} for n in range(40)]
    grader = {"type": "python", "source": SLEEPY}
    *lines, _last = streamed(grader=grader, samples=samples)
    scores = [one["grade"]["score"] for line in lines for one in line["grades"]]
    assert scores == [one.score for one in grade(parse(grader), samples, [{}] * 40)]


def test_closing_the_connection_stops_the_requests_that_cost_money(tmp_path: Path) -> None:
    environment = environment_of(tmp_path) | {"WHETSTONE_PRIVATE_HOSTS": "127.0.0.1"}
    assert manage(environment, "migrate", "-v0").returncode == 0
    code = "import django; django.setup()\nfrom tests.whetstone.factories import make_key\nprint(make_key())"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    headers = {"authorization": f"Bearer {made.stdout.decode().strip()}"}
    with answering(lambda _: said({"score": 1.0})) as service, serving(environment) as (process, url):
        slow = {"type": "python", "source": SLEEPY.replace("0.01", "0.3")}
        both = {"a": {"type": "endpoint", "url": service.url}, "b": slow}
        grader = {"type": "multi", "graders": both, "calculate_output": "a + b"}
        body = {"grader": grader, "samples": [{"output_text": "1"}] * 20}
        http = httpx.Client(trust_env=False, headers=headers, timeout=20)
        with http, http.stream("POST", f"{url}/api/v1/graders/try/stream", json=body) as answer:
            assert json.loads(next(answer.iter_lines()))["done"] == 4
        process.send_signal(signal.SIGTERM)  # it ends when all that it has begun is done
        process.wait(60)
        assert 4 <= len(service.asked) <= 8
