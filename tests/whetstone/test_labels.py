"""What people say of answers becomes the next version of a dataset, and can be changed and taken back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from contracts.dataset import prepare
from tests.whetstone.evaluations import evaluated
from tests.whetstone.factories import CHATS, LABELLED, PAIRS, PROMPTS, make_dataset, make_rollouts, make_team, make_user
from tests.whetstone.pages import browser
from whetstone.accounts.models import Membership, User
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.labels.gather import gather
from whetstone.labels.models import Label
from whetstone.labels.said import Saying

MARKUP = "</script><img src=x onerror=alert(1)>\u202e"


def a_vote(verdict: str = "first", number: int = 1, **more: Any) -> dict[str, Any]:
    prompt = [{"role": "system", "content": "Add."}, {"role": "user", "content": f"{number}+{number}"}]
    answers = [{"text": str(2 * number), "model": "one"}, {"text": MARKUP, "model": "other"}]
    return {"dataset": "votes", "kind": "preference", "verdict": verdict, "prompt": prompt, "answers": answers} | more


def a_rating(verdict: str = "good", **more: Any) -> dict[str, Any]:
    return a_vote(verdict, dataset="thumbs", kind="rating", answers=[{"text": "2"}]) | more


def an_edit(edited: str = "two", **more: Any) -> dict[str, Any]:
    return a_rating("edited", dataset="edits", kind="edit", edited=edited) | more


def said(client: Any, body: dict[str, Any], path: str = "") -> Any:
    return client.post(f"/api/v1/labels{path}", body, content_type="application/json")


def label(client: Any, body: dict[str, Any]) -> dict[str, Any]:
    answer = said(client, body)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def published(client: Any, dataset: str = "votes") -> DatasetVersion:
    answer = said(client, {"dataset": dataset}, "/publish")
    assert answer.status_code == 200, answer.content
    return DatasetVersion.objects.select_related("blob").get(id=answer.json()["id"])


def rows(version: DatasetVersion) -> list[Any]:
    return [prepare(row, version.column_mapping) for row in read_rows(version, 0, 100)]


def standing(client: Any, dataset: str = "votes") -> Any:
    return client.get(f"/api/v1/labels/standing?dataset={dataset}").json()["data"][0]


def teammate(name: str) -> User:
    bob = make_user(name)
    Membership.objects.get_or_create(team=make_team(), user=bob)
    return bob


def test_each_kind_of_label_becomes_the_shape_that_trains_with_it() -> None:
    ada = browser()
    label(ada, a_vote("second"))
    label(ada, a_rating("bad"))
    label(ada, an_edit())
    (pair,) = rows(made := published(ada))
    assert (made.shape, str(made)) == ("preference", "votes@1")
    assert [turn.role for turn in pair.prompt] == ["system", "user"]
    assert (pair.completion, pair.rejected) == (MARKUP, "2")
    assert pair.item.keys() == {"prompt", "chosen", "rejected"}, "no grader sees who wrote it, or who said so"
    (judged,) = rows(made := published(ada, "thumbs"))
    assert (made.shape, judged.completion, judged.label) == ("labelled", "2", False)
    (mended,) = rows(made := published(ada, "edits"))
    assert (made.shape, mended.completion) == ("chat", "two")


def test_a_label_is_changed_taken_back_and_leaves_with_the_next_version() -> None:
    ada = browser()
    first = label(ada, a_vote("second"))
    assert label(ada, a_vote("first"))["id"] == first["id"], "the same pair, said anew"
    other = label(ada, a_vote(number=2))
    label(ada, a_vote("tie", number=3))
    assert standing(ada)["verdicts"] == {"first": 2, "tie": 1}
    assert [row.completion for row in rows(published(ada))] == ["2", "4"], "a tie makes no row"
    assert standing(ada)["new"] == 0
    assert said(ada, {"dataset": "votes"}, "/publish").json()["error"]["code"] == "label.nothing_new"
    assert ada.delete(f"/api/v1/labels/{other['id']}").status_code == 204
    label(ada, a_vote("second"))
    assert (standing(ada)["labels"], standing(ada)["new"]) == (2, 2)
    again = published(ada)
    assert ([row.completion for row in rows(again)], again.number) == ([MARKUP], 2)
    assert not Label.objects.filter(id=other["id"]).exists()
    fresh = label(ada, a_vote(number=9))
    assert ada.delete(f"/api/v1/labels/{fresh['id']}").status_code == 204
    assert standing(ada)["new"] == 0, "one that no version knows is simply gone"


def test_the_same_pair_in_the_other_order_is_the_same_pair() -> None:
    ada = browser()
    first = label(ada, a_vote("first"))
    turned = label(ada, a_vote("second", answers=a_vote()["answers"][::-1]))
    assert first["id"] == turned["id"]
    assert [row.completion for row in rows(published(ada))] == ["2"]


def test_a_version_keeps_the_rows_and_columns_of_the_one_before() -> None:
    ada = browser()
    make_dataset(PAIRS, "votes")
    label(ada, a_vote())
    made = published(ada)
    assert (made.number, made.rows) == (2, len(PAIRS) + 1)
    assert read_rows(made, 0, 2) == PAIRS[:2]
    last = read_rows(made, len(PAIRS), 1)[0]
    assert (last["answer"], last["written_by"], last["votes"]) == (None, ["one", "other"], [1, 0])
    openai = [
        {"input": {"messages": [{"role": "user", "content": "1"}]}}
        | {
            key: [{"role": "assistant", "content": text}]
            for key, text in (("preferred_output", "a"), ("non_preferred_output", "b"))
        }
    ]
    make_dataset(openai, "theirs")
    label(ada, a_vote(dataset="theirs"))
    assert [row.completion for row in rows(published(ada, "theirs"))] == ["a", "2"]


def test_most_people_decide_and_their_agreement_is_told() -> None:
    ada, bob, cid = browser(), browser(teammate("bob")), browser(teammate("cid"))
    for person, words in ((ada, ("first", "first", "tie")), (bob, ("second", "first", "tie"))):
        for number, word in enumerate(words):
            label(person, a_vote(word, number=number))
    found = standing(ada)["agreement"]
    assert (found["people"], found["shared"], found["same"]) == (2, 3, pytest.approx(2 / 3))
    assert found["kappa"] == pytest.approx(0.5)
    assert len(rows(published(ada))) == 1, "a draw makes no row"
    label(cid, a_vote("first", number=0))
    assert standing(ada)["agreement"]["kappa"] is None
    made = published(bob)
    assert [row["votes"] for row in read_rows(made, 0, 10)] == [[2, 0], [2, 1]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (a_vote("good"), 400, "value_error"),
        (a_vote(answers=[{"text": "2"}]), 400, "value_error"),
        (a_vote(answers=[{"text": "2"}, {"text": "2"}]), 400, "label.equal_answers"),
        (a_vote(answers=[{"text": "2"}, {"text": " \n"}]), 400, "label.empty_answer"),
        (an_edit("2"), 400, "label.unchanged"),
        (an_edit(" "), 400, "label.empty_answer"),
        (a_vote(answers=[{"text": "x" * 1_000_000}, {"text": "2"}]), 400, "string_too_long"),
        (a_vote(prompt=[]), 400, "too_short"),
        (a_vote(prompt=[{"role": "assistant", "content": "2"}]), 400, "value_error"),
        (a_vote(dataset="a@1"), 400, "value_error"),
        (a_vote(dataset="a\nb"), 400, "value_error"),
        (a_vote(dataset=" "), 400, "value_error"),
        (a_vote(dataset="x" * 200), 400, "string_too_long"),
        (a_vote(dataset="chats"), 400, "label.wrong_shape"),
        (a_vote(dataset="cut"), 400, "label.does_not_fit"),
        (a_vote(colour="red"), 400, "extra_forbidden"),
    ],
)
def test_what_is_no_label_is_refused(body: Any, status: int, code: str) -> None:
    make_dataset(CHATS, "chats")
    cut = make_dataset([{"q": "Sum: 1", "chosen": "2", "rejected": "3"}], "cut")
    columns = [
        {"name": "q", "role": "prompt", "after": "Sum:"},
        *({"name": n, "role": n} for n in ("chosen", "rejected")),
    ]
    ada = browser()
    mapped = ada.post(f"/api/v1/datasets/{cut.id}/mapping", {"columns": columns}, content_type="application/json")
    assert mapped.status_code == 200
    answer = said(ada, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not Label.objects.exists()


def test_one_dataset_takes_one_kind_of_labels_from_its_first_one_on() -> None:
    ada = browser()
    label(ada, a_vote())
    error = said(ada, a_rating(dataset="votes")).json()["error"]
    assert (error["code"], error["params"]["shape"]) == ("label.wrong_shape", "preference")


def test_another_teams_labels_are_not_there() -> None:
    ada, eve = browser(), browser(make_user("eve"))
    make_rollouts(["1"])
    one = label(ada, a_vote())
    assert eve.get("/api/v1/labels").json()["data"] == []
    assert eve.get("/api/v1/labels/standing").json()["data"] == []
    assert eve.delete(f"/api/v1/labels/{one['id']}").status_code == 404
    assert said(eve, {"dataset": "votes"}, "/publish").json()["error"]["code"] == "label.nothing_new"
    for source in ("dataset:sums", "job:ftjob-nobody"):
        assert eve.get("/api/v1/labels/queue", {"source": source, "dataset": "votes"}).status_code == 400
    assert eve.get("/api/v1/labels/queue?source=labels&dataset=votes").json()["pairs"] == []


def test_nobody_takes_back_what_somebody_else_said() -> None:
    one = label(browser(), a_vote())
    bob = browser(teammate("bob"))
    assert bob.delete(f"/api/v1/labels/{one['id']}").status_code == 404
    (listed,) = bob.get("/api/v1/labels?dataset=votes").json()["data"]
    assert (listed["author"], listed["is_mine"]) == ("ada", False)
    assert bob.get("/api/v1/labels?mine=true").json()["data"] == []


def test_prompts_wait_in_the_queue_until_they_are_labelled() -> None:
    ada = browser()
    make_dataset(PROMPTS, "sums")
    asked: dict[str, Any] = {"source": "dataset:sums", "dataset": "votes", "limit": 2}
    found = ada.get("/api/v1/labels/queue", asked).json()
    assert [one["prompt"][-1]["content"] for one in found["pairs"]] == ["0+0=?", "1+1=?"]
    assert (found["pairs"][0]["answers"], found["next"]) == ([], 2)
    label(ada, a_vote(prompt=found["pairs"][0]["prompt"]))
    assert [one["prompt"][-1]["content"] for one in ada.get("/api/v1/labels/queue", asked).json()["pairs"]] == [
        "1+1=?",
        "2+2=?",
    ]
    rest = ada.get("/api/v1/labels/queue", asked | {"start": 18, "limit": 5}).json()
    assert (len(rest["pairs"]), rest["next"]) == (2, None)


def test_pairs_of_others_come_in_an_order_that_tells_nothing() -> None:
    ada, bob = browser(), browser(teammate("bob"))
    for number in range(12):
        label(ada, a_vote(number=number))
    asked: dict[str, Any] = {"source": "labels", "dataset": "votes", "limit": 50}
    pairs = bob.get("/api/v1/labels/queue", asked).json()["pairs"]
    assert pairs == bob.get("/api/v1/labels/queue", asked).json()["pairs"], "the same for the same person"
    assert {pair["answers"][0]["model"] for pair in pairs} == {"one", "other"}
    assert ada.get("/api/v1/labels/queue", asked).json()["pairs"] == []


def test_a_trainings_answers_to_one_prompt_are_pairs() -> None:
    ada = browser()
    job = make_rollouts(["0", "2", "4"])
    asked: dict[str, Any] = {"source": f"job:{job.id}", "dataset": "votes"}
    assert ada.get("/api/v1/labels/queue", asked).json() == {"pairs": [], "next": None}, "one answer is no pair"
    job = make_rollouts(["0", "2", "4"], n_answers=2)
    pairs = ada.get("/api/v1/labels/queue", asked | {"source": f"job:{job.id}"}).json()["pairs"]
    assert [one["prompt"] for one in pairs] == [row["messages"] for row in PROMPTS[2::-1]]
    assert {one["text"] for one in pairs[0]["answers"]} == {"4", "4!"}


def test_two_models_answers_to_the_same_rows_are_pairs() -> None:
    one, other = evaluated([[1.0], [0.0]], "four"), evaluated([[1.0], [1.0]], "five", model="other")
    asked = {"source": f"evaluations:{one.pk},{other.pk}", "dataset": "votes"}
    pairs = browser().get("/api/v1/labels/queue", asked).json()["pairs"]
    assert len(pairs) == 2
    assert {answer["model"] for answer in pairs[0]["answers"]} == {"tiny", "other"}
    assert {answer["text"] for answer in pairs[0]["answers"]} == {"four 0", "five 0"}
    assert pairs[0]["prompt"] == PROMPTS[0]["messages"]
    asked["source"] = f"evaluations:{one.pk},nobody"
    assert browser().get("/api/v1/labels/queue", asked).json()["error"]["code"] == "evaluation.not_found"


@pytest.mark.django_db(transaction=True)
def test_two_people_and_two_tabs_at_once_lose_nothing() -> None:
    people = [make_user(), make_user(), teammate("bob"), teammate("cid")]
    team, start = make_team(), threading.Barrier(len(people))
    saying = Saying.model_validate({k: v for k, v in a_vote().items() if k != "dataset"})

    def vote(person: User) -> str:
        start.wait()
        try:
            return gather(person, team, "votes", saying).id
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as crowd:
        ids = list(crowd.map(vote, people))
    assert len(set(ids)) == Label.objects.count() == 3
    assert read_rows(published(browser()), 0, 1)[0]["votes"] == [3, 0]


def test_labelled_rows_go_on_from_a_dataset_of_labels() -> None:
    ada = browser()
    make_dataset(LABELLED, "thumbs")
    label(ada, a_rating())
    assert rows(published(ada, "thumbs"))[-1].label is True
