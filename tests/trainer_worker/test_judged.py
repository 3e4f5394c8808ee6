"""Jobs whose reward comes from a judge: asked by the worker, for a training process that has no network and no key."""

import io
import itertools
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from contracts.fault import Fault
from contracts.job import JobSpec
from contracts.method import CanonicalMethod
from contracts.reach import Judge, Reach
from graders import Grade, Port, Question, Service, Unreachable, Usage, grade, parse
from graders.http import AnswerCache
from tests.judges import Asked, Said, Server, completion, judgement, last_words, said, serving
from tests.trainer_worker.jobs import full, grpo, make_spec, ppo, rloo
from tests.trainer_worker.other_side import OtherSide
from trainer_worker.outside import Outside
from trainer_worker.relay import Relay
from trainer_worker.rewards import Unscored, by_part, taken
from trainer_worker.worker import Worker
from whetstone.starter import data

KEY = "sk-nobody-may-read-this"
ASK = [{"role": "user", "content": "{{ sample.output_text }}"}]
JUDGED = {"type": "score_model", "name": "quality", "model": "judge", "input": ASK}


def by_length(asked: Asked) -> Said:
    return judgement((len(last_words(asked)) % 7) / 7)


def reach(server: Server, **fields: Any) -> Reach:
    judge = Judge(name="judge", base_url=server.url, model="big", key=KEY, **fields)
    return Reach(judges=(judge,), secrets={"TOKEN": KEY}, private_hosts="127.0.0.1")


def make_job(side: OtherSide, tiny: Path, method: CanonicalMethod | None = None, grader: object = JUDGED) -> JobSpec:
    held_out = list(itertools.islice(data.problems("validation"), 4))
    return make_spec(side, tiny, method or grpo(max_steps=2), held_out=held_out, grader=parse(grader))


def rollouts(side: OtherSide) -> list[dict[str, Any]]:
    parts = [pq.read_table(io.BytesIO(side.blobs[event.file.sha256])) for event in side.events("rollouts")]
    return [row for part in parts for row in part.to_pylist()]


def finish(side: OtherSide, worker: Worker) -> None:
    worker.wake()
    assert side.wait_for_end().type == "finished", side.log


def test_a_job_learns_from_a_judge_and_shows_what_it_took(side: OtherSide, worker: Worker, tiny: Path) -> None:
    with serving(by_length) as server:
        side.reach = reach(server, prompt_price=1.0)
        side.queue(make_job(side, tiny))
        finish(side, worker)
        assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    rows = rollouts(side)
    assert [row["step"] for row in rows] == [1] * 8 + [2] * 8
    for row in rows:
        receipt = json.loads(row["grade"])
        assert row["reward"] == pytest.approx((len(row["completion"]) % 7) / 7)
        assert receipt["evidence"]["steps"][0]["conclusion"] == "It fits."
    first = side.events("metrics")[0].values
    assert first["judges/calls"] >= 1
    assert first["judges/tokens"] == 14 * first["judges/calls"]
    assert first["judges/cost"] == pytest.approx(10e-6 * first["judges/calls"])
    assert all("reward_mean" in event.values for event in side.events("evaluation"))


def test_no_key_is_on_disk_or_in_what_is_told(side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path) -> None:
    seen: list[Path] = []

    def look_around(asked: Asked) -> Said:
        if len(seen) == 0:
            files = [one for one in tmp_path.rglob("*") if one.is_file()]
            seen.extend(one for one in files if KEY.encode() in one.read_bytes())
            seen.append(tmp_path)
        return said({"error": f"Incorrect API key: {KEY}"}, 400) if "1" in last_words(asked) else judgement(0.5)

    with serving(look_around) as server:
        side.reach = reach(server)
        side.queue(make_job(side, tiny))
        worker.wake()
        side.wait_for_end()
    assert seen == [tmp_path]
    assert not [one for one in tmp_path.rglob("*") if one.is_file() and KEY.encode() in one.read_bytes()]
    told = "".join(report.model_dump_json() for report in side.reports)
    assert KEY not in told
    assert not [blob for blob in side.blobs.values() if KEY.encode() in blob]


@pytest.mark.parametrize("method", [grpo(max_steps=2), rloo(max_steps=2), ppo()], ids=lambda m: m.type)
def test_what_a_judge_refuses_leaves_the_baseline_of_its_group(
    side: OtherSide, worker: Worker, tiny: Path, method: CanonicalMethod
) -> None:
    def is_refused(text: str) -> bool:
        return sum(text.encode()) % 3 == 0

    def choosy(asked: Asked) -> Said:
        return completion(None, refusal="No.") if is_refused(last_words(asked)) else by_length(asked)

    with serving(choosy) as server:
        side.reach = reach(server)
        side.queue(make_job(side, tiny, method))
        finish(side, worker)
    rows = rollouts(side)
    silent = [row for row in rows if is_refused(row["completion"])]
    assert 0 < len(silent) < len(rows)
    for row in silent:
        assert json.loads(row["grade"])["score"] is None
        assert row["reward"] is None
        assert row["advantage"] == 0
    for event in side.events("metrics"):
        step = [row["reward"] for row in rows if row["step"] == event.step and row["reward"] is not None]
        if method.type != "ppo":
            assert event.values["reward"] == pytest.approx(sum(step) / len(step), abs=1e-4)


def test_held_out_answers_of_a_supervised_job_are_judged_too(side: OtherSide, worker: Worker, tiny: Path) -> None:
    with serving(by_length) as server:
        side.reach = reach(server)
        held_out = list(data.demonstrations(4, seed=1))
        side.queue(make_spec(side, tiny, full(max_steps=1), held_out=held_out, grader=parse(JUDGED)))
        finish(side, worker)
    assert "reward_mean" in side.events("evaluation")[-1].values


def test_a_judge_that_nobody_knows_fails_the_job_with_its_name(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_job(side, tiny))
    worker.wake()
    fault = side.wait_for_end().fault
    assert fault.code == "grader.always_fails"
    assert "no judge “judge”" in fault.message


def test_a_job_that_asks_nobody_is_given_no_keys(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny))
    finish(side, worker)
    assert side.reach_asked == 0


def test_the_relay_carries_all_three_kinds(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Said:
        if asked.path == "/embeddings":
            return said({"data": [{"embedding": [1.0, 0.0]} for _ in asked.body["input"]]})
        return said({"score": 3}) if asked.path == "/grade" else judgement(0.25)

    deep = tmp_path / ("a" * 100) / ("b" * 100)  # no socket's path may be as long
    deep.mkdir(parents=True)
    outside = Outside(deep)
    port = Port(judges=outside, embedders=outside, services=outside)
    cosine = {"type": "text_similarity", "evaluation_metric": "cosine", "embedding_model": "judge", "reference": "b"}
    with serving(answer) as server:
        service = {"type": "endpoint", "url": f"{server.url}/grade", "headers": {"X-Key": "${secret:TOKEN}"}}
        parts = {"a": JUDGED, "b": cosine, "c": service}
        grader = parse({"type": "multi", "graders": parts, "calculate_output": "a + b + c"})
        relay = Relay(deep, reach(server), AnswerCache(tmp_path / "judges.sqlite3"))
        (one,) = grade(grader, [{"output_text": "x"}], [{}], port)
        relay.close()
        assert one.score == 4.25
        assert [asked.headers["x-key"] for asked in server.asked if asked.path == "/grade"] == [KEY]
    with pytest.raises(Unreachable, match="worker cannot be asked"):
        outside.ask("judge", [Question([], {})])


def test_the_relay_goes_nowhere_that_the_operator_has_not_allowed(tmp_path: Path) -> None:
    with serving(lambda _: said({"score": 1})) as server:
        closed = reach(server).model_copy(update={"private_hosts": ""})
        relay = Relay(tmp_path, closed, AnswerCache(tmp_path / "judges.sqlite3"))
        (silence,) = Outside(tmp_path).post(Service(server.url), [{}])
        relay.close()
        assert "no public address" in str(silence)
        assert server.asked == []


def test_a_judge_of_the_platform_is_asked_where_the_worker_reaches_it(tmp_path: Path) -> None:
    """On an address that no other judge and no web service may have, and told in words, too, how to answer."""
    with serving(lambda _: judgement(0.5)) as server:
        judge = Judge(name="judge", base_url="", model="ours", key="wp-pass", is_here=True)
        found = Reach(judges=(judge,))
        relay = Relay(tmp_path, found, AnswerCache(tmp_path / "judges.sqlite3"), server.url)
        outside = Outside(tmp_path)
        (one,) = grade(parse(JUDGED), [{"output_text": "x"}], [{}], Port(judges=outside))
        (silence,) = outside.post(Service(f"{server.url}/elsewhere"), [{}])
        relay.close()
    assert one.score == 0.5
    assert "no public address" in str(silence)
    (asked,) = server.asked
    assert (asked.path, asked.headers["authorization"]) == ("/v1/chat/completions", "Bearer wp-pass")
    assert (asked.body["model"], "response_format" in asked.body) == ("ours", True)
    assert '"result"' in last_words(asked)


def graded(score: float | None, **errors: bool | str) -> Grade:
    return Grade(score, "q", "score_model", errors=dict(errors))


def test_a_job_whose_judge_stays_away_is_stopped_with_a_reason() -> None:
    watch = Unscored()
    silent = graded(None, model_grader_server_error=True, model_grader_server_error_details="It was not reached.")
    for _ in range(10):
        watch.watch([graded(1.0)] * 5 + [silent] * 5)
    with pytest.raises(Fault, match=r"Of the last 100 answers 51 could not be scored: It was not reached\.") as caught:
        watch.watch([graded(1.0)] * 4 + [silent] * 6)
    assert caught.value.report.code == "grader.mostly_unscored"
    assert caught.value.report.next_step


def test_a_judge_that_is_away_for_a_moment_stops_nothing() -> None:
    watch = Unscored()
    for _ in range(50):
        watch.watch([graded(1.0)] * 20)
        watch.watch([graded(0.5)] * 5 + [graded(None)] * 15)


def test_a_large_batch_is_judged_as_a_whole() -> None:
    Unscored().watch([graded(None)] * 100 + [graded(1.0)] * 101)
    with pytest.raises(Fault, match="Of the last 201 answers 101"):
        Unscored().watch([graded(1.0)] * 100 + [graded(None)] * 101)


def test_a_python_grader_that_fails_counts_as_one_that_says_nothing() -> None:
    broken = graded(0.0, python_grader_runtime_error=True, python_grader_runtime_error_details="ZeroDivisionError")
    with pytest.raises(Fault, match="ZeroDivisionError"):
        Unscored().watch([graded(1.0)] * 40 + [broken] * 60)


def test_what_a_batch_took_is_told_once() -> None:
    paid = Grade(1.0, "q", "score_model", usage={"a": Usage(10, 5, 0, 1, 0.5), "b": Usage(1, 1, 0, 1, 0.25)})
    assert taken([paid, paid]) == {
        "graded": 2,
        "grading_s/q": 0,
        "judges/calls": 4,
        "judges/tokens": 34,
        "judges/cost": 1.5,
        "judges/q/prompt_tokens": 22,
        "judges/q/completion_tokens": 12,
    }
    assert taken([graded(None), graded(1.0)])["not_scored"] == 0.5
    assert "not_scored" not in taken([graded(1.0)])


def test_errors_are_counted_by_kind_and_part() -> None:
    broken = graded(0.0, sample_parse_error=True, sample_parse_error_details="no JSON")
    whole = Grade(0.0, "sum", "multi", {"sample_parse_error": True}, {"a": broken, "b": graded(1.0)})
    found = by_part([whole, whole, whole])
    assert {name: value for name, value in found.items() if not name.startswith("grading_s/")} == {
        "graded": 3,
        "errors/a/sample_parse_error": 3,
    }
    assert set(found) > {"grading_s/a", "grading_s/b"}
