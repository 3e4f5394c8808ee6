"""Judges, embedding models and web services over HTTP, from the grader's JSON to the receipt."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from graders import Grade, GraderError, Port, Usage, asks_outside, grade, parse, secrets_of
from graders.http import Allowed, AnswerCache, Calls, JudgeAddress, http_port
from graders.http.cache import key_of
from tests.judges import Asked, Said, Server, completion, judgement, last_words, said, serving

SCORE = {"type": "score_model", "model": "judge", "input": [{"role": "user", "content": "{{ sample.output_text }}"}]}
COSINE = {
    "type": "text_similarity",
    "evaluation_metric": "cosine",
    "embedding_model": "judge",
    "reference": "{{ item.a }}",
}


def port_to(server: Server, cache: AnswerCache | None = None, **fields: Any) -> Port:
    judge = JudgeAddress("judge", f"{server.url}/v1/", "big-model", **({"key": "sk-secret"} | fields))
    calls = Calls(Allowed.read("127.0.0.1"), sleep=lambda _: None)
    return http_port([judge], {"TOKEN": "open sesame"}, calls, cache)


def graded(document: object, port: Port, *texts: str) -> list[Grade]:
    return grade(parse(document), [{"output_text": one} for one in texts], [{"a": "x"} for _ in texts], port)


def by_length(asked: Asked) -> Said:
    return judgement(len(last_words(asked)) / 10)


def test_a_judge_is_asked_in_openais_way() -> None:
    with serving(by_length) as server:
        (one,) = graded(SCORE | {"sampling_params": {"temperature": 0}}, port_to(server), "abc")
    assert one.score == 0.3
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer sk-secret"
    form = asked.body.pop("response_format")
    assert asked.body == {
        "model": "big-model",
        "messages": [{"role": "user", "content": "abc"}],
        "temperature": 0.0,
    }
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)


def test_answers_come_back_in_their_order_and_are_paid_for() -> None:
    with serving(by_length) as server:
        port = port_to(server, prompt_price=2.0, completion_price=10.0)
        grades = graded(SCORE, port, "a" * 5, "a", "aaa")
    assert [one.score for one in grades] == [0.5, 0.1, 0.3]
    assert grades[0].usage == {"judge": Usage(10, 4, 2, 1, 60e-6)}


def test_a_judge_without_a_key_is_shown_none() -> None:
    with serving(by_length) as server:
        graded(SCORE, port_to(server, key=""), "abc")
    assert "authorization" not in server.asked[0].headers


def test_one_question_that_fails_takes_no_other_with_it() -> None:
    def choosy(asked: Asked) -> Said:
        return said({"error": "no"}, 400) if last_words(asked) == "bad" else judgement(1)

    with serving(choosy) as server:
        grades = graded(SCORE, port_to(server), "good", "bad", "fine")
    assert [one.score for one in grades] == [1, None, 1]
    assert "400" in str(grades[1].errors["model_grader_server_error_details"])


@pytest.mark.parametrize(
    ("answer", "flag"),
    [
        (completion(None, refusal="I will not judge this."), "model_grader_refusal_error"),
        (completion(None, finish="content_filter"), "model_grader_refusal_error"),
        (completion('{"steps": [{"desc', finish="length"), "model_grader_parse_error"),
        (completion("I like it."), "model_grader_parse_error"),
        (said({"choices": []}), "model_grader_parse_error"),
        (said([]), "model_grader_parse_error"),
        (said({}, 500), "model_grader_server_error"),
        (said({}, 401), "model_grader_server_error"),
    ],
)
def test_every_way_to_give_no_answer_has_openais_name(answer: Said, flag: str) -> None:
    with serving(lambda _: answer) as server:
        (one,) = graded(SCORE, port_to(server), "a")
    assert one.score is None
    assert one.errors[flag] is True
    assert "sk-secret" not in json.dumps(one.to_json())


def test_an_answer_that_was_cut_says_so() -> None:
    with serving(lambda _: completion("{", finish="length")) as server:
        (one,) = graded(SCORE, port_to(server), "a")
    assert "ran out of tokens" in str(one.errors["model_grader_parse_error_details"])


def test_a_question_that_was_answered_before_costs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "judges.sqlite3"
    with serving(by_length) as server:
        first = graded(SCORE, port_to(server, AnswerCache(file)), "ab", "ab", "abc")
        again = graded(SCORE, port_to(server, AnswerCache(file)), "ab", "abc")
    assert len(server.asked) == 2
    assert [one.score for one in first] == [0.2, 0.2, 0.3]
    assert [one.usage for one in first] == [
        {"judge": Usage(10, 4, 2, 1)},
        {"judge": Usage()},
        {"judge": Usage(10, 4, 2, 1)},
    ]
    assert [one.score for one in again] == [0.2, 0.3]
    assert {one.usage["judge"] for one in again if one.usage} == {Usage()}


def test_another_key_another_model_or_another_temperature_is_another_question(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "judges.sqlite3")
    with serving(by_length) as server:
        graded(SCORE, port_to(server, cache), "ab")
        graded(SCORE, port_to(server, cache, key="sk-other"), "ab")
        graded(SCORE | {"sampling_params": {"temperature": 1}}, port_to(server, cache), "ab")
    assert len(server.asked) == 3


def test_failures_are_not_remembered_and_junk_is_asked_for_anew(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "judges.sqlite3")
    answers = [said({}, 400), completion("junk"), judgement(1)]
    with serving(lambda _: answers.pop(0)) as server:
        assert graded(SCORE, port_to(server, cache), "a")[0].score is None
        assert graded(SCORE, port_to(server, cache), "a")[0].score == 1
        assert graded(SCORE, port_to(server, cache), "a")[0].score == 1
    assert len(server.asked) == 3


def test_the_cache_holds_no_key_and_can_be_lost(tmp_path: Path) -> None:
    file = tmp_path / "judges.sqlite3"
    cache = AnswerCache(file)
    with serving(by_length) as server:
        graded(SCORE, port_to(server, cache), "ab")
        assert b"sk-secret" not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
        with sqlite3.connect(file) as database:
            database.execute("DROP TABLE answers")
        assert graded(SCORE, port_to(server, cache), "ab")[0].score == 0.2


def test_a_full_cache_forgets_the_oldest(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "judges.sqlite3", max_bytes=1000)
    keys = [key_of("u", {}, n) for n in range(20)]
    for key in keys:
        cache.put(key, "x" * 98)
    cache.shrink()
    assert [cache.get(key) is not None for key in keys] == [False] * 11 + [True] * 9


def embedding(asked: Asked) -> Said:
    """Texts by their first letters: x and y stand at a right angle."""
    axes = {"x": [1.0, 0.0], "y": [0.0, 1.0], "d": [3.0, 3.0], "0": [0.0, 0.0], "3": [1.0, 0.0, 0.0]}
    data = [{"index": n, "embedding": axes[text[0]]} for n, text in enumerate(asked.body["input"])]
    return said({"data": data, "usage": {"prompt_tokens": 6}})


def test_cosine_is_the_angle_between_two_texts() -> None:
    with serving(embedding) as server:
        grades = graded(COSINE, port_to(server), "x", "y", "d", "x")
    assert [one.score for one in grades] == pytest.approx([1, 0, 0.5**0.5, 1])
    (asked,) = server.asked
    assert (asked.path, asked.body) == ("/v1/embeddings", {"model": "big-model", "input": ["x", "y", "d"]})
    total = sum(one.usage["judge"].prompt_tokens for one in grades if one.usage)
    assert total == 6


@pytest.mark.parametrize("text", ["0", "3"])
def test_vectors_that_cannot_be_compared_score_nothing(text: str) -> None:
    with serving(embedding) as server:
        (one,) = graded(COSINE, port_to(server), text)
    assert (one.score, one.errors["model_grader_parse_error"]) == (None, True)


def test_an_embedding_model_that_is_out_scores_nothing() -> None:
    with serving(lambda _: said({"data": "?"})) as server:
        assert graded(COSINE, port_to(server), "x")[0].score is None
    assert graded(COSINE, Port(), "x")[0].score is None


def test_a_service_is_sent_sample_row_and_a_number_to_ask_after() -> None:
    with serving(lambda _: said({"score": 2.5, "why": "nice"})) as server:
        headers = {"Authorization": "Bearer ${secret:TOKEN}", "X-Team": "blue"}
        (one,) = graded({"type": "endpoint", "url": f"{server.url}/grade", "headers": headers}, port_to(server), "abc")
    (asked,) = server.asked
    assert one.score == 2.5
    assert one.evidence == {"trace_id": asked.body["trace_id"], "answer": {"why": "nice"}}
    assert asked.body == {"sample": {"output_text": "abc"}, "item": {"a": "x"}, "trace_id": asked.body["trace_id"]}
    assert (asked.headers["authorization"], asked.headers["x-team"]) == ("Bearer open sesame", "blue")


@pytest.mark.parametrize(
    ("answer", "flag"),
    [
        (said({"score": "1"}), "other_error"),
        (said({"score": True}), "other_error"),
        (said([1]), "other_error"),
        (said({}, 500), "unresponsive_reward_error"),
        ((200, {}, b"junk"), "unresponsive_reward_error"),
    ],
)
def test_a_service_that_gives_no_score_scores_nothing_and_never_0(answer: Said, flag: str) -> None:
    with serving(lambda _: answer) as server:
        (one,) = graded({"type": "endpoint", "url": server.url}, port_to(server), "a")
    assert one.score is None
    assert one.errors[flag] is True


def test_a_service_is_sent_no_more_than_a_megabyte() -> None:
    with serving(lambda _: said({"score": 1})) as server:
        big, small = graded({"type": "endpoint", "url": server.url}, port_to(server), "ä" * 500_000, "a")
    assert (big.score, small.score, len(server.asked)) == (None, 1, 1)
    assert "1000000" in str(big.errors["other_error_details"])


def test_a_secret_that_is_not_there_is_named() -> None:
    with serving(lambda _: said({"score": 1})) as server:
        document = {"type": "endpoint", "url": server.url, "headers": {"X-Key": "${secret:OTHER}"}}
        (one,) = graded(document, port_to(server), "a")
    assert server.asked == []
    assert "no secret “OTHER”" in str(one.errors["unresponsive_reward_error_details"])


def test_azures_words_for_the_rate_are_read() -> None:
    url = {"type": "endpoint", "url": "https://example.com/grade"}
    for limit in ({"rate_limit": 5}, {"max_rps": 5}, {"rate_limit": {"max_rps": 5}}):
        assert parse(url | limit).model_dump()["max_rps"] == 5


def test_what_a_grader_needs_of_the_outside_is_known_beforehand() -> None:
    service = {"type": "endpoint", "url": "https://example.com", "headers": {"X-Key": "${secret:B} ${secret:A}"}}
    document = {"type": "multi", "graders": {"s": service}, "calculate_output": "s"}
    assert secrets_of(parse(document)) == {"A": "graders.s.headers", "B": "graders.s.headers"}
    assert [asks_outside(parse(one)) for one in (document, SCORE, COSINE, {"type": "number"})] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"url": "ftp://example.com"}, "url", "begins with http"),
        ({"url": "https://"}, "url", "begins with http"),
        ({"url": "https://me:pass@example.com"}, "url", "no password"),
        ({"headers": {"Authorization": "Bearer sk-1"}}, "headers", "${secret:NAME}"),
        ({"headers": {"api-key": "1"}}, "headers", "${secret:NAME}"),
        ({"headers": {"X-Team": "**********"}}, "headers", "mask"),
        ({"headers": {"X-Team": "a\r\nX-Evil: b"}}, "headers", "no header can"),
        ({"headers": {"Host": "other"}}, "headers", "cannot be a header"),
        ({"headers": {"X Y": "other"}}, "headers", "cannot be a header"),
        ({"max_rps": 0}, "max_rps", "not more than 0"),
        ({"timeout_s": 9999}, "timeout_s", "more than 600"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_its_place(fields: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(GraderError) as caught:
        parse({"type": "endpoint", "url": "https://example.com"} | fields)
    (problem,) = caught.value.problems
    assert (problem.path, message in problem.message) == (path, True), problem.message
