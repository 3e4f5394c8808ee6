"""Rewards to begin with: each says right of what is right, and wrong of what is wrong."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from graders import Conversation, Port, grade, item_columns, judges_of, models_of, parse, runs_code, sample_of
from graders.http import Allowed, AnswerCache, Calls, JudgeAddress, http_port
from graders.port import NOWHERE
from tests.judges import Asked, Said, completion, last_words, serving
from tests.whetstone.factories import make_key, make_team, make_user
from tests.whetstone.pages import browser, page_data
from whetstone.evaluators.models import Judge
from whetstone.evaluators.templates import (
    ORDER,
    YOUR_JUDGE,
    YOUR_REWARD_MODEL,
    Template,
    templates,
    templates_for,
    texts,
)
from whetstone.modelhub.models import Model

pytestmark = pytest.mark.django_db
FILES = Path(__file__).parents[2] / "platform" / "whetstone" / "evaluators" / "templates"
MARKS = {"right": 1.0, "half": 0.6, "wrong": 0.0}


def scores(template: Template, port: Port = NOWHERE) -> dict[str, list[float]]:
    """By what is said of the answers."""
    samples = [sample_of({"prompt": []} | one.sample) for one in template.samples]
    grades = grade(parse(template.grader), samples, [one.item for one in template.samples], port)
    found: dict[str, list[float]] = {}
    for one, got in zip(template.samples, grades, strict=True):
        assert got.score is not None, got.errors
        assert not got.errors, "a batch in which every answer is flagged fails a job"
        found.setdefault(one.says, []).append(got.score)
    return found


def is_sound(found: dict[str, list[float]]) -> bool:
    return min(found["right"]) > max(found["half"]) >= min(found["half"]) > max(found["wrong"])


def said_of(template: Template, text: str) -> str:
    """What the template says of the answer that a question holds, as JSON in a longer text."""
    return next(
        one.says for one in template.samples if json.dumps(one.sample["output_text"], ensure_ascii=False) in text
    )


class Reading:
    """A reward model that knows what is said of the template's answers."""

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        assert model == YOUR_REWARD_MODEL
        found = [said_of(templates()["preference_model"], json.dumps(one[-1]["content"])) for one in conversations]
        return [4 * MARKS[says] - 2 for says in found]


def test_every_file_is_a_template_and_has_its_place() -> None:
    assert {path.stem for path in FILES.glob("*.json")} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_a_template_has_answers_of_every_sort_for_columns_that_they_have(name: str) -> None:
    template = templates()[name]
    grader = parse(template.grader)
    assert {one.says for one in template.samples} == {"right", "half", "wrong"}
    assert 4 <= len(template.samples) <= 6
    assert all(item_columns(grader) <= one.item.keys() for one in template.samples)


@pytest.mark.parametrize("name", [name for name in ORDER if name not in ("judge_with_rubric", "preference_model")])
def test_what_is_right_scores_above_what_is_half_right_and_that_above_what_is_wrong(name: str) -> None:
    template = templates()[name]
    if runs_code(parse(template.grader)) and sys.platform != "linux":
        pytest.skip("jails need Linux")
    found = scores(template)
    assert is_sound(found), found


def judge(asked: Asked) -> Said:
    """Reads the answer and marks each criterion; the last one, which takes points away, the other way round."""
    mark = MARKS[said_of(templates()["judge_with_rubric"], last_words(asked))]
    marks = [mark, mark, mark, 1 - mark]
    return completion(
        json.dumps({"criteria": [{"number": n, "score": m, "reason": "read"} for n, m in enumerate(marks, 1)]})
    )


def test_a_judge_that_reads_puts_the_rubrics_answers_in_order(tmp_path: Path) -> None:
    with serving(judge) as server:
        calls, cache = Calls(Allowed.read("127.0.0.1"), tries=1), AnswerCache(tmp_path / "judges.sqlite3")
        port = http_port([JudgeAddress(name=YOUR_JUDGE, base_url=server.url, model="m", key="")], {}, calls, cache)
        found = scores(templates()["judge_with_rubric"], port)
    assert is_sound(found), found
    assert "Why is the sky blue?" in last_words(server.asked[0])


def test_a_reward_model_that_reads_puts_the_preferences_in_order() -> None:
    found = scores(templates()["preference_model"], Port(scorers=Reading()))
    assert is_sound(found), found


@pytest.mark.parametrize(
    ("name", "tricks"),
    [
        ("exact_answer", ["", "positive " * 30, "negative positive neutral"]),
        ("format_and_correctness", ["", "42", "<answer>42</answer>", "<think>a b c d</think><answer>42</answer>" * 2]),
        ("json_extraction", ["", "{}", "null", '{"vendor": "Acme"}']),
        ("tool_call", ["", "get_weather", '{"name": "get_weather"}']),
        ("concise_reasoning", ["", "42 " * 200, "so " * 300 + "42"]),
    ],
)
def test_cheap_tricks_stay_below_the_right_answers(name: str, tricks: list[str]) -> None:
    template = templates()[name]
    item = next(one.item for one in template.samples if one.says == "right")
    found = grade(parse(template.grader), [sample_of(text) for text in tricks], [item] * len(tricks))
    assert all((one.score or 0) < min(scores(template)["right"]) for one in found), [one.score for one in found]


def test_placeholders_are_filled_with_what_the_team_has() -> None:
    team = make_team()
    bare = {one["id"]: parse(one["grader"]) for one in templates_for(team)}
    assert [*judges_of(bare["judge_with_rubric"])] == [YOUR_JUDGE]
    assert [*models_of(bare["preference_model"])] == [YOUR_REWARD_MODEL]
    Judge.objects.create(team=team, name='a "wise" one', base_url="http://x", model="m")
    Model.objects.create(
        team=team, name="taste", origin="trained", task="reward", parameters=1, context_length=1, created_by=make_user()
    )
    filled = {one["id"]: parse(one["grader"]) for one in templates_for(team)}
    assert [*judges_of(filled["judge_with_rubric"])] == ['a "wise" one']
    assert [*models_of(filled["preference_model"])] == ["taste"]


def test_templates_are_told_over_rest_and_on_the_builders_page() -> None:
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    told = http.get("/api/v1/evaluator-templates").json()["data"]
    assert [one["id"] for one in told] == list(ORDER)
    assert told[0].keys() == {"id", "title", "promise", "grader", "samples"}
    assert told[0]["samples"][0].keys() == {"says", "why", "sample", "item"}
    page = browser().get(f"{reverse('evaluator-build')}?template=math").content.decode()
    data = page_data(page, "builder-data")
    assert (data["templates"], data["template"]) == (told, "math")
    page = browser().get(f"{reverse('evaluator-build')}?template=nothing").content.decode()
    assert page_data(page, "builder-data")["template"] is None


def test_templates_speak_the_readers_language() -> None:
    with translation.override("zh-hans"):
        told = templates_for(make_team())
    assert all(re.search(r"[\u4e00-\u9fff]", one["title"] + one["promise"]) for one in told)
    assert len(set(texts())) == sum(2 + len(one["samples"]) for one in told)
