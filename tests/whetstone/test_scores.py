"""Answers are scored over the API and in trials, by reward models that are deployed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from contracts.completion import Mark, Marks, Refusal, Taken
from contracts.fault import Fault, FaultReport
from contracts.serving import Held, Load
from tests.whetstone.factories import EXACT, PROMPTS, make_dataset, make_job, make_key, make_team, make_user
from tests.whetstone.pages import browser
from tests.whetstone.test_deploying import weighty
from tests.whetstone.test_deployments import say, spoken
from tests.whetstone.test_named_models import client
from tests.whetstone.test_scorers import BOTH, TASTE, make_scorer
from whetstone.accounts.models import ApiKey
from whetstone.deployments import exchange
from whetstone.deployments.exchange import Exchange
from whetstone.deployments.mailbox import InMemory, Mailboxes
from whetstone.deployments.models import Deployment
from whetstone.deployments.start import call
from whetstone.modelhub.models import Model
from whetstone.web.askable import askable

JSON = "application/json"
PAIR = {"prompt": "1+1=", "answer": "2"}
Post = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture(autouse=True)
def mailboxes(monkeypatch: pytest.MonkeyPatch) -> InMemory:
    """Letters of this test alone: each has an event loop of its own."""
    fresh = InMemory()
    monkeypatch.setattr("whetstone.deployments.exchange.mailboxes", fresh)
    monkeypatch.setattr("whetstone.deployments.scoring.exchange", Exchange())
    return fresh


@pytest.fixture
def scorer() -> Model:
    say()
    return make_scorer()


def served(*states: str) -> Deployment:
    """The scorer, deployed and taken to this state by its host."""
    answer = client().post("/api/v1/deployments", {"model": "taste"}, content_type=JSON)
    assert answer.status_code == 200, answer.content
    one = Deployment.objects.get()
    say()
    for state in states or ("ready",):
        say(Held(deployment=one.id, state=state))
    return Deployment.objects.select_related("host").get()


def refused(body: dict[str, Any], who: str = "ada") -> tuple[int, str, str | None]:
    answer = client(who).post("/api/v1/scores", body, content_type=JSON)
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"]


def test_a_reward_model_is_deployed_as_any_other(scorer: Model) -> None:
    one = served()
    told = client().get(f"/api/v1/deployments/{one.id}").json()
    assert (told["status"], told["task"], told["base"], told["stats"]["scores"]) == ("ready", "reward", None, 0)
    (load,) = loads_of(one)
    assert load.model.task == "reward", "its host knows by it which engine it takes"
    assert client().post(f"/api/v1/deployments/{one.id}/stop").json()["status"] == "stopping"


def loads_of(one: Deployment) -> tuple[Load, ...]:
    Deployment.objects.filter(id=one.id).update(status="queued", host=None, changed_at=timezone.now())
    found = say().load
    Deployment.objects.filter(id=one.id).update(status="ready")
    return found


def test_an_adapter_of_one_is_loaded_merged_or_not_at_all(scorer: Model) -> None:
    base = weighty("base")
    Model.objects.filter(id=weighty("merged", "1", base, "adapter/").id).update(task="reward")
    Model.objects.filter(id=weighty("alone", base=base, adapter=".").id).update(task="reward")
    http = client()
    assert http.post("/api/v1/deployments", {"model": "merged"}, content_type=JSON).json()["base"] is None
    assert [file.path for file in Deployment.objects.get().ref.files] == ["model.safetensors"]
    for body in ({"model": "alone"}, {"model": "merged", "name": "x", "shares_base": True}):
        error = http.post("/api/v1/deployments", body, content_type=JSON).json()["error"]
        assert error["code"] in ("engine.unfit_adapter", "deployment.no_weights")
        assert error["next_step"]


def test_what_is_asked_wrongly_is_refused_with_its_place(scorer: Model) -> None:
    weighty("writer")
    ok = {"model": "taste", "input": [PAIR]}
    assert refused(ok | {"model": "nobody"}) == (404, "deployment.model_missing", "model")
    assert refused(ok | {"model": "writer"}) == (400, "deployment.gives_no_score", "model")
    assert refused(ok | {"input": []}) == (400, "too_short", "input")
    assert refused(ok | {"input": [PAIR] * 10_000}) == (400, "too_long", "input")
    assert refused(ok | {"input": "2"}) == (400, "list_type", "input")
    assert refused(ok | {"input": [PAIR, {"prompt": "x"}]}) == (400, "missing", "input.1.answer")
    assert refused(ok | {"input": [PAIR | {"score": 1}]}) == (400, "extra_forbidden", "input.0.score")
    assert refused(ok | {"input": [[]]}) == (400, "too_short", "input.0")
    assert refused(ok | {"input": [[{"role": "user", "content": "2"}]]}) == (400, "value_error", "input.0")
    assert refused(ok | {"input": [[{"role": "critic", "content": "2"}]]})[2] == "input.0.0.role"
    assert refused(ok | {"input": [PAIR | {"answer": None}]})[2] == "input.0.answer"
    assert refused(ok | {"input": [PAIR | {"answer": "\0"}]})[1] == "request.invalid"
    assert refused(ok | {"top": 1})[1] == "extra_forbidden"
    assert refused(ok, "eve") == (404, "deployment.model_missing", "model"), "another team's"
    half = client().post("/api/v1/scores", b'{"model": "taste", "input": [{"prompt": "\\ud800", "answer": ""}]}', JSON)
    assert half.json()["error"]["code"] == "request.not_json"
    reader = ApiKey.make(make_user(), make_team(), "reader", scopes=["read"])[1]
    answer = Client(headers={"authorization": f"Bearer {reader}"}).post("/api/v1/scores", ok, content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "auth.scope_missing")


def test_who_is_asked_to_write_and_who_to_score_is_told_apart(scorer: Model) -> None:
    served()
    weighty("writer")
    call(make_team(), "writer")
    for name, task, code in (("taste", "text", "writes_no_text"), ("writer", "reward", "gives_no_score")):
        with pytest.raises(Fault) as caught:
            call(make_team(), name, "text" if task == "text" else "reward")
        assert caught.value.report.code == f"deployment.{code}"
    chat = client().post(
        "/v1/chat/completions", {"model": "taste", "messages": [{"role": "user", "content": "x"}]}, content_type=JSON
    )
    assert (chat.status_code, chat.json()["error"]["code"]) == (400, "deployment.writes_no_text")
    assert "/api/v1/scores" in chat.json()["error"]["next_step"]
    assert "taste" not in json.dumps(askable(make_team()))
    assert "writer" in json.dumps(askable(make_team()))


def test_no_engine_and_a_stopped_deployment_are_told_apart(scorer: Model) -> None:
    one = served()
    client().post(f"/api/v1/deployments/{one.id}/stop")
    assert refused({"model": "taste", "input": [PAIR]})[:2] == (409, "deployment.off")
    one.delete()
    say(is_leaving=True)
    answer = client().post("/api/v1/scores", {"model": "taste", "input": [PAIR]}, content_type=JSON)
    assert (answer.status_code, answer["retry-after"]) == (503, "10")


def test_how_fast_it_writes_is_not_measured(scorer: Model) -> None:
    one = served()
    answer = client().post(f"/api/v1/deployments/{one.id}/serving-tests", {}, content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "serving_test.of_a_scorer")


def test_the_pages_offer_it_and_show_how_it_is_asked(scorer: Model) -> None:
    person = browser()
    assert reverse("model-deploy", args=[scorer.pk]) in person.get(reverse("model", args=[scorer.pk])).content.decode()
    assert "taste · Reward model" in person.get(reverse("deployment-new")).content.decode()
    person.post(reverse("model-deploy", args=[scorer.pk]))
    page = person.get(reverse("deployment", args=[Deployment.objects.get().id])).content.decode()
    assert '<score-form model="taste">' in page
    assert "/api/v1/scores" in page
    for other in ("/v1/chat/completions", "/chat?model=", "serving-tests", "First token"):
        assert other not in page
    listed = person.get(reverse("deployments")).content.decode()
    assert 'data-label="Time to the scores"' in listed
    assert "First token" not in listed
    blank = make_job().base
    assert reverse("model-deploy", args=[blank.pk]) not in str(person.get(reverse("model", args=[blank.pk])).content)


TOO_LONG = FaultReport(code="score.too_long", params={"context": 8, "tokens": 9})
NO_NUMBER = FaultReport(code="score.not_a_number", params={"model": "taste", "score": "nan"})
NO_TOOLS = FaultReport(
    code="evaluator.template_failed", params={"model": "taste", "roles": "tool", "detail": "no tools"}
)


def talk(
    work: Callable[[Post], Awaitable[Any]], *rounds: Any, then: Callable[[], Awaitable[Any]] | None = None
) -> tuple[Any, list[list[Any]]]:
    """What comes of it while a host answers each letter in turn, and the conversations that it was asked about.

    `then`: what happens once it has answered.
    """
    asked: list[list[Any]] = []

    async def post(path: str, body: object) -> Any:
        return await AsyncClient().post(path, body, JSON, headers={"authorization": f"Bearer {key}"})

    async def answer() -> None:
        for said in rounds:
            letter: dict[str, Any] = {}
            while letter.get("type") != "score":
                letter = json.loads((await letters().take("host:here", 10))[-1])
            asked.append(letter["conversations"])
            await letters().post(letter["reply_to"], spoken(letter["id"], *said))
        if then is not None:
            await then()

    async def both() -> Any:
        host = asyncio.create_task(answer())
        found = await work(post)
        await asyncio.wait_for(host, 10)
        return found

    key = make_key()
    return asyncio.run(both()), asked


def letters() -> Mailboxes:
    found: Mailboxes = vars(exchange)["mailboxes"]
    return found


def given(*marks: Mark) -> list[Any]:
    return [Taken(ask=""), Marks(ask="", marks=marks)]


@pytest.mark.django_db(transaction=True)
def test_every_input_has_its_score_or_says_why_it_has_none(scorer: Model) -> None:
    served()
    nasty = "<script>alert(1)</script>\x1b[31m\u202e"
    conversation = [{"role": role, "content": role} for role in ("system", "user", "assistant")]
    body = {
        "model": "taste",
        "input": [PAIR, conversation, {"prompt": conversation, "answer": ""}, {"prompt": nasty, "answer": nasty}],
    }
    marks = [
        Mark(score=-1.25, tokens=3),
        Mark(score=None, tokens=9, fault=TOO_LONG),
        Mark(score=None, tokens=4, fault=NO_NUMBER),
        Mark(score=None, fault=NO_TOOLS),
    ]
    answer, (asked,) = talk(lambda post: post("/api/v1/scores", body), given(*marks))
    told = answer.json()
    assert (answer.status_code, told["object"], told["model"]) == (200, "list", "taste")
    assert told["usage"] == {"prompt_tokens": 16, "total_tokens": 16}
    assert told["data"][0] == {"index": 0, "object": "score", "score": -1.25}
    assert [(one["score"], one["error"]["code"], one["error"]["param"]) for one in told["data"][1:]] == [
        (None, "score.too_long", "input.1"),
        (None, "score.not_a_number", "input.2"),
        (None, "evaluator.template_failed", "input.3"),
    ]
    assert "at most 8 tokens" in told["data"][1]["error"]["message"]
    assert [[turn["role"] for turn in one] for one in asked] == [
        ["user", "assistant"],
        ["system", "user", "assistant"],
        ["system", "user", "assistant", "assistant"],
        ["user", "assistant"],
    ]
    assert [one[-1]["content"] for one in asked] == ["2", "assistant", "", nasty]


BUSY = FaultReport(code="engine.busy", params={"model": "taste", "waiting": 4000})
BROKEN = FaultReport(code="score.broken", params={"detail": "boom"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "status", "after"), [(BUSY, 503, "1"), (BROKEN, 500, None)])
def test_a_request_that_its_engine_refuses_is_refused_with_its_sentence(
    scorer: Model, fault: FaultReport, status: int, after: str | None
) -> None:
    served()
    said = [Refusal(ask="", fault=fault)]
    answer, _ = talk(lambda post: post("/api/v1/scores", {"model": "taste", "input": [PAIR]}), said)
    error = answer.json()["error"]
    assert (answer.status_code, answer.get("retry-after"), error["code"]) == (status, after, fault.code)


@pytest.mark.django_db(transaction=True)
def test_a_model_deleted_while_it_scores_ends_the_request(scorer: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    served()
    monkeypatch.setattr("whetstone.deployments.exchange.LOOK_S", 0.1)

    async def delete() -> None:
        await Model.objects.filter(name="taste").adelete()

    body = {"model": "taste", "input": [PAIR]}
    answer, _ = talk(lambda post: post("/api/v1/scores", body), [Taken(ask="")], then=delete)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine.lost")
    assert refused({"model": "taste", "input": [PAIR]})[:2] == (404, "deployment.model_missing")


@pytest.mark.django_db(transaction=True)
def test_a_trial_asks_the_deployed_model(scorer: Model) -> None:
    served()
    version = make_dataset(PROMPTS)
    body = {"grader": BOTH, "dataset": version.id, "samples": [{"output_text": "2"}, {"output_text": "5"}], "limit": 2}
    marks = given(Mark(score=0.75, tokens=3), Mark(score=None, tokens=9, fault=TOO_LONG))
    answer, (asked,) = talk(lambda post: post("/api/v1/graders/try", body), marks)
    first, second = [one["grade"] for one in answer.json()["grades"]]
    assert first["sub"]["taste"]["score"] == 0.75
    assert first["score"] == first["sub"]["right"]["score"] + 0.75
    assert "longer than the reward model" in str(second["sub"]["taste"]["errors"])
    assert [one[-1]["content"] for one in asked] == ["2", "5"]
    assert asked[0][0]["role"] == "user", "what the row asks stands before the answer"


@pytest.mark.django_db(transaction=True)
def test_the_trial_that_streams_and_openais_run_ask_it_too(scorer: Model) -> None:
    served()

    def sample(n: int) -> dict[str, Any]:
        return {"prompt": [{"role": "user", "content": "?"}], "output_text": str(n)}

    async def both(post: Post) -> tuple[list[Any], Any]:
        answer = await post("/api/v1/graders/try/stream", {"grader": TASTE, "samples": [sample(n) for n in range(20)]})
        lines = [json.loads(line) async for part in answer.streaming_content for line in part.splitlines()]
        return lines, await post("/v1/fine_tuning/alpha/graders/run", {"grader": TASTE, "model_sample": sample(1)})

    rounds = [given(*[Mark(score=0.5, tokens=3)] * size) for size in (16, 4)]
    (lines, run), asked = talk(both, *rounds, given(Mark(score=-2.5, tokens=3)))
    assert [len(one) for one in asked] == [16, 4, 1]
    assert {one["grade"]["score"] for line in lines[:-1] for one in line["grades"]} == {0.5}
    assert run.json()["reward"] == -2.5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (Mark(score=None, fault=NO_NUMBER), "gave nan, which is no score"),
        (Mark(score=None, fault=NO_TOOLS), "no tools"),
    ],
)
def test_what_a_trial_cannot_score_is_never_0(scorer: Model, mark: Mark, said: str) -> None:
    served()
    body = {"grader": TASTE, "samples": [{"prompt": [], "output_text": "2"}]}
    answer, _ = talk(lambda post: post("/api/v1/graders/try", body), given(mark))
    (one,) = answer.json()["grades"]
    assert one["grade"]["score"] is None
    assert said in str(one["grade"]["errors"])


def test_a_trial_of_a_stopped_one_says_how_to_start_it(scorer: Model) -> None:
    one = served()
    client().post(f"/api/v1/deployments/{one.id}/stop")
    body = {"grader": TASTE, "samples": [{"prompt": [], "output_text": "2"}]}
    answer = client().post("/api/v1/graders/try", body, content_type=JSON)
    assert f"/api/v1/deployments/{one.id}/start" in str(answer.json()["grades"][0]["grade"]["errors"])


def test_a_trial_without_a_deployment_asks_nobody_and_begins_none(scorer: Model) -> None:
    make_scorer("other/with space")
    grader = {"type": "multi", "graders": {"a": EXACT, "b": TASTE | {"model": "other/with space"}}} | {
        "calculate_output": "a + b"
    }
    body = {"grader": grader, "samples": [{"prompt": [], "output_text": "2"}], "items": [{"answer": "2"}]}
    answer = client().post("/api/v1/graders/try", body, content_type=JSON).json()
    said = answer["grades"][0]["grade"]["sub"]["b"]["errors"]["model_grader_server_error_details"]
    assert said.endswith("/deployments/new?model=other%2Fwith%20space")
    assert not Deployment.objects.exists()
