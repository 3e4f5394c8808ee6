"""The evaluators' pages: where versions are looked at, compared, copied and deleted."""

import re
from typing import Any

import pytest
from django.urls import reverse

from graders import parse
from tests.whetstone.factories import EXACT, PROMPTS, make_dataset, make_rollouts, make_team, make_user
from tests.whetstone.pages import browser
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator

pytestmark = pytest.mark.django_db
ROWS = [row | {"reference": row["answer"] if n % 2 else f"{row['answer']} apples"} for n, row in enumerate(PROMPTS)]
CONTAINS = EXACT | {"operation": "like"}


def save(*graders: dict[str, Any], name: str = "exact") -> list[EvaluatorVersion]:
    return [save_evaluator(make_user(), make_team(), name, parse(grader)) for grader in graders]


def compare(query: str = "", name: str = "exact") -> str:
    return browser().get(f"{reverse('evaluator-compare', args=[name])}?{query}").content.decode()


def test_the_newest_version_is_compared_with_the_one_before() -> None:
    pair = [{"a": EXACT, "b": one} for one in (EXACT, CONTAINS)]
    save(EXACT, *({"type": "multi", "graders": parts, "calculate_output": "a"} for parts in pair))
    page = compare()
    assert "exact@2 beside exact@3" in page
    assert re.findall(r'<tr class="changed">.*?</tr>', page)
    assert "lines as before" in page
    assert "lines as before" not in compare("whole")


def test_versions_that_are_no_numbers_of_it_are_those_that_are_shown_unasked() -> None:
    save(EXACT, CONTAINS)
    assert "exact@1 beside exact@2" in compare("left=x&right=99")
    assert "exact@2 beside exact@1" in compare("left=2&right=1")


def test_a_single_version_says_that_there_is_nothing_to_compare() -> None:
    save(EXACT)
    assert "There is one version yet" in compare()


def test_scores_are_compared_on_a_dataset_with_the_headline_and_the_receipts() -> None:
    save(EXACT, CONTAINS)
    page = compare(f"on=dataset:{make_dataset(ROWS).id}")
    assert "10 of 20 flip" in page
    assert page.count('<details class="trial-row">') == 10
    assert "0 apples" in page
    assert "Receipt of exact@1" in page
    assert '<span class="score numeric zero">0</span>' in page


def test_scores_are_compared_on_what_a_job_answered() -> None:
    save(EXACT, CONTAINS)
    job = make_rollouts(["0", "2 apples", "5"], suffix="orchard")
    page = compare(f"on=job:{job.id}&limit=20")
    assert ">orchard</option>" in page
    assert "1 of 3 flips, rank correlation 0.50" in page


@pytest.mark.parametrize("on", ["dataset:file-x", "job:ftjob-x", "nonsense", "samples:x"])
def test_a_source_that_is_not_there_is_said_on_the_page(on: str) -> None:
    save(EXACT, CONTAINS)
    assert 'class="notice bad"' in compare(f"on={on}")


def test_an_answer_with_markup_is_shown_as_text() -> None:
    save(EXACT, CONTAINS)
    rows = [row | {"reference": f"<script>{row['answer']}</script>"} for row in PROMPTS]
    page = compare(f"on=dataset:{make_dataset(rows).id}")
    assert "&lt;script&gt;2&lt;/script&gt;" in page
    assert "<script>2" not in page


def test_another_teams_evaluator_is_not_compared() -> None:
    save(EXACT)
    assert browser(make_user("eve")).get(reverse("evaluator-compare", args=["exact"])).status_code == 404
