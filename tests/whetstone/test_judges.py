"""Judges and secrets: added by script or page, named by graders, asked from the web and by workers, shown to nobody."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from contracts.fault import Fault
from contracts.reach import Reach
from tests.judges import Asked, Said, Server, judgement, last_words, said, serving
from tests.whetstone.factories import (
    PROMPTS,
    make_dataset,
    make_draft,
    make_job,
    make_key,
    make_model,
    make_team,
    make_user,
)
from whetstone.evaluators.models import Judge, Secret
from whetstone.jobs.check import check
from whetstone.jobs.claim import claim

KEY = "sk-nobody-may-read-this"
ASK = [{"role": "user", "content": "{{ sample.output_text }}"}]
JUDGED = {"type": "score_model", "name": "quality", "model": "strict", "input": ASK}


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    def answer(asked: Asked) -> Said:
        return said({"score": 4}) if asked.path == "/grade" else judgement(len(last_words(asked)) / 10)

    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"private_hosts": "127.0.0.1"})
    with serving(answer) as started:
        yield started


def script(name: str = "ada") -> Client:
    return Client(headers={"authorization": f"Bearer {make_key(make_user(name))}"})


def page(name: str = "ada") -> Client:
    browser = Client()
    browser.force_login(make_user(name))
    return browser


def post(http: Client, path: str, **body: Any) -> Any:
    return http.post(path, body, content_type="application/json")


def add(http: Client, url: str = "http://127.0.0.1:9", **fields: Any) -> Any:
    post(http, "/api/v1/secrets", name="KEY", value=KEY)
    return post(http, "/api/v1/judges", **({"name": "strict", "base_url": url, "secret": "KEY"} | fields))


def of(grader: object) -> dict[str, Any]:
    return {"method": {"type": "grpo", "grpo": {"grader": grader}}}


def problems(grader: object) -> list[tuple[str, str | None]]:
    make_model()
    make_dataset(PROMPTS)
    return [(one.code, one.field) for one in check(make_team(), make_draft(**of(grader))).problems]


def test_a_script_adds_lists_and_deletes_judges() -> None:
    http = script()
    made = add(http, model="big-1", prompt_price=2.5, max_rps=3).json()
    assert (made["name"], made["model"], made["secret"], made["max_rps"]) == ("strict", "big-1", "KEY", 3)
    assert http.get("/api/v1/judges").json()["data"] == [made]
    assert http.delete("/api/v1/judges/strict").status_code == 204
    assert http.get("/api/v1/judges").json()["data"] == []


def test_a_judges_name_may_hold_a_slash_and_stands_for_its_model() -> None:
    http = script()
    assert add(http, name="org/model-7b").json()["model"] == "org/model-7b"
    assert http.delete("/api/v1/judges/org/model-7b").status_code == 204


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"base_url": "file:///etc"}, "begins with http"),
        ({"base_url": "https://me:pw@example.com"}, "no password"),
        ({"secret": "OTHER"}, "OTHER"),
        ({"at_once": 0}, "at_once"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_judge_that_cannot_be_is_refused_with_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    answer = add(script(), **fields)
    assert 400 <= answer.status_code < 500
    assert sentence in answer.content.decode()
    assert not Judge.objects.exists()


def test_two_judges_of_one_name_are_one_too_many() -> None:
    http = script()
    add(http)
    assert "already" in add(http).json()["error"]["message"]


def test_a_secrets_value_goes_in_and_never_out() -> None:
    http = script()
    assert post(http, "/api/v1/secrets", name="KEY", value=KEY).json()["value"] == "**********"
    add(http)
    shown = [http.get(path).content for path in ("/api/v1/secrets", "/api/v1/judges")]
    shown += [page().get("/settings").content]
    assert not [one for one in shown if KEY.encode() in one]
    assert Secret.objects.get().value == KEY


def test_a_copy_of_the_database_opens_nothing(settings: Settings) -> None:
    secret = Secret.make(make_user(), make_team(), "KEY", KEY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM evaluators_secret")
        assert KEY not in str(cursor.fetchall())
    settings.SECRET_KEY = "another platform's"
    with pytest.raises(Fault, match="secret key has changed"):
        assert secret.value


def test_storing_a_secret_again_gives_it_a_new_value() -> None:
    http = script()
    for value in ("old", "new"):
        post(http, "/api/v1/secrets", name="KEY", value=value)
    assert [one.value for one in Secret.objects.all()] == ["new"]


@pytest.mark.parametrize("value", ["", "two\nlines", "a\r\nX-Evil: 1", "ключ"])
def test_what_no_header_can_hold_is_no_secret(value: str) -> None:
    assert post(script(), "/api/v1/secrets", name="KEY", value=value).status_code in (400, 422)


def test_a_secret_that_a_judge_uses_is_kept() -> None:
    http = script()
    add(http)
    assert "strict" in http.delete("/api/v1/secrets/KEY").json()["error"]["message"]
    http.delete("/api/v1/judges/strict")
    assert http.delete("/api/v1/secrets/KEY").status_code == 204


def test_another_teams_judges_and_secrets_are_none_of_ours() -> None:
    add(script())
    bob = script("bob")
    assert bob.get("/api/v1/judges").json()["data"] == bob.get("/api/v1/secrets").json()["data"] == []
    assert bob.delete("/api/v1/judges/strict").status_code >= 400
    assert page("bob").post(f"/settings/judges/{Judge.objects.get().pk}/delete").status_code == 404
    assert page("bob").post(f"/settings/secrets/{Secret.objects.get().pk}/delete").status_code == 404
    assert post(bob, "/api/v1/graders/check", grader=JUDGED).status_code == 422


def test_the_settings_page_adds_and_deletes_them() -> None:
    browser = page()
    browser.post("/settings/secrets", {"name": "KEY", "value": KEY})
    form = {"name": "strict", "base_url": "https://api.example.com/v1", "secret": "KEY", "max_rps": "2", "model": ""}
    browser.post("/settings/judges", form)
    judge = Judge.objects.get()
    assert (judge.model, judge.max_rps, judge.at_once, judge.key) == ("strict", 2, 8, Secret.objects.get())
    shown = browser.get("/settings").content.decode()
    assert "https://api.example.com/v1" in shown
    browser.post(f"/settings/judges/{judge.pk}/delete")
    browser.post(f"/settings/secrets/{Secret.objects.get().pk}/delete")
    assert not Judge.objects.exists()
    assert not Secret.objects.exists()


def test_the_settings_page_says_what_is_wrong_and_not_what_was_typed() -> None:
    browser = page()
    browser.post("/settings/secrets", {"name": "not a name", "value": KEY})
    browser.post("/settings/judges", {"name": "strict", "base_url": "nonsense"})
    shown = browser.get("/settings").content.decode()
    assert "begins with http" in shown
    assert KEY not in shown


def test_a_judge_that_nobody_knows_is_named_with_its_place_and_the_likeliest_other() -> None:
    http = script()
    add(http)
    document = {"type": "multi", "graders": {"a": JUDGED | {"model": "stric"}}, "calculate_output": "a"}
    answer = post(http, "/api/v1/graders/check", grader=document)
    (problem,) = answer.json()["errors"]
    assert problem["path"] == "graders.a.model"
    assert "did you mean strict?" in problem["message"]
    assert post(http, "/api/v1/graders/check", grader=JUDGED).status_code == 200


def test_without_its_judge_or_its_secret_no_job_begins() -> None:
    service = {"type": "endpoint", "url": "https://example.com", "headers": {"X-Key": "${secret:GONE}"}}
    document = {"type": "multi", "graders": {"a": JUDGED, "b": service}, "calculate_output": "a + b"}
    assert problems(document) == [
        ("evaluator.judge_missing", "method.grpo.grader.graders.a.model"),
        ("evaluator.secret_missing", "method.grpo.grader.graders.b.headers"),
    ]


def test_a_trial_asks_the_judge_from_the_web(server: Server) -> None:
    http = script()
    add(http, server.url, prompt_price=1)
    answer = post(http, "/api/v1/graders/try", grader=JUDGED, samples=[{"output_text": "abc"}])
    grade = answer.json()["grades"][0]["grade"]
    assert grade["score"] == 0.3
    assert grade["usage"]["strict"]["calls"] == 1
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in answer.content.decode()
    again = post(http, "/api/v1/graders/try", grader=JUDGED, samples=[{"output_text": "abc"}])
    assert again.json()["grades"][0]["grade"]["usage"]["strict"]["calls"] == 0


def test_a_trial_asks_a_web_service_with_its_secret(server: Server) -> None:
    http = script()
    post(http, "/api/v1/secrets", name="KEY", value=KEY)
    service = {"type": "endpoint", "url": f"{server.url}/grade", "headers": {"Authorization": "Bearer ${secret:KEY}"}}
    answer = post(http, "/api/v1/graders/try", grader=service, samples=[{"output_text": "abc"}])
    assert answer.json()["grades"][0]["grade"]["score"] == 4
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_trial_goes_to_no_host_inside_that_nobody_allowed(server: Server, settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"private_hosts": ""})
    http = script()
    add(http, server.url)
    answer = post(http, "/api/v1/graders/try", grader=JUDGED, samples=[{"output_text": "abc"}])
    grade = answer.json()["grades"][0]["grade"]
    assert grade["score"] is None
    assert "no public address" in grade["errors"]["model_grader_server_error_details"]
    assert server.asked == []


def test_a_trial_that_somebody_pays_for_has_few_rows(server: Server) -> None:
    http = script()
    add(http, server.url)
    many = [{"output_text": str(n)} for n in range(21)]
    assert "20 rows" in post(http, "/api/v1/graders/try", grader=JUDGED, samples=many).json()["error"]["message"]
    assert server.asked == []
    assert (
        post(http, "/api/v1/graders/try", grader={"type": "number"}, samples=many, items=[{}] * 21).status_code == 200
    )


def test_the_attempt_that_holds_the_job_is_given_its_judges_and_keys(server: Server) -> None:
    http = script()
    add(http, server.url, max_rps=2)
    add(http, name="unused")
    job = make_job(**of(JUDGED))
    claimed = claim("w1", "cpu")
    assert claimed
    assert KEY not in claimed.model_dump_json()
    worker = Client(headers={"authorization": f"Bearer {claimed.token}"})
    answer = worker.get(f"/api/worker/jobs/{job.id}/reach")
    assert answer["Cache-Control"] == "no-store"
    found = Reach.model_validate_json(answer.content)
    (judge,) = found.judges
    assert (judge.name, judge.base_url, judge.key, judge.max_rps) == ("strict", server.url, KEY, 2)
    assert (found.secrets, found.private_hosts) == ({}, "127.0.0.1")
    assert KEY not in repr(found)


def test_nobody_else_is_given_them() -> None:
    add(script())
    job = make_job(**of(JUDGED))
    claimed = claim("w1", "cpu")
    assert claimed
    path = f"/api/worker/jobs/{job.id}/reach"
    assert Client().get(path).status_code == 401
    assert script().get(path).status_code == 401
    job.refresh_from_db()
    job.status = job.Status.CANCELLED
    job.save(update_fields=["status"])
    assert Client(headers={"authorization": f"Bearer {claimed.token}"}).get(path).status_code == 409


def test_openais_answers_mask_what_web_services_are_sent() -> None:
    http = script()
    add(http)
    headers = {"Authorization": "Bearer ${secret:KEY}", "X-Team": "blue"}
    job = make_job(**of({"type": "endpoint", "url": "https://example.com", "headers": headers}))
    told = http.get(f"/v1/fine_tuning/jobs/{job.id}").json()
    masked = dict.fromkeys(headers, "**********")
    assert told["method"]["grpo"]["grader"]["headers"] == masked
    assert told["resolved_method"]["grpo"]["grader"]["headers"] == masked
    assert "blue" not in json.dumps(told)


def test_the_builder_knows_the_judges_names() -> None:
    add(script())
    assert '"judge": ["strict"]' in page().get("/build/evaluator").content.decode()
