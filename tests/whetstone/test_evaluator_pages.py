"""The evaluators' pages: where versions are looked at, compared, copied and deleted."""

import re
from typing import Any

import pytest
from django.urls import reverse

from graders import parse
from tests.whetstone.factories import EXACT, PROMPTS, make_dataset, make_job, make_rollouts, make_team, make_user
from tests.whetstone.pages import browser, page_data
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.models import Job

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


def page(name: str, *args: str, query: str = "") -> str:
    answer = browser().get(f"{reverse(name, args=args)}?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def trained_with(ref: str) -> Job:
    return make_job(method={"type": "grpo", "grpo": {"evaluator": ref}}, suffix="orchard")


def test_the_page_of_a_version_says_who_made_it_and_which_jobs_use_it() -> None:
    first, second = save(EXACT, CONTAINS)
    trained_with("exact@1")
    newest, oldest = page("evaluator", "exact"), page("evaluator", "exact", query="version=1")
    assert second.sha256[:12] in newest
    assert "No job yet." in newest
    assert ">orchard</a>" in oldest
    assert f"from={first.evaluator.name}%401&amp;as=copy" in oldest
    assert "?left=1&amp;right=2" in newest
    assert "/api/v1/evaluators/exact@2/export" in newest


def test_the_first_version_has_none_to_be_compared_with() -> None:
    save(EXACT)
    assert "Compare with previous" not in page("evaluator", "exact")


def test_a_version_is_deleted_and_with_the_last_one_the_evaluator() -> None:
    save(EXACT, CONTAINS)
    address = reverse("evaluator-delete", args=["exact"])
    answer = browser().post(address, {"version": "2"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("evaluator", args=["exact"])
    assert "exact@2 was deleted." in answer.content.decode()
    assert browser().post(address, {"version": "1"}, follow=True).redirect_chain[-1][0] == reverse("evaluators")
    assert not EvaluatorVersion.objects.exists()


def test_an_evaluator_is_deleted_with_all_its_versions() -> None:
    save(EXACT, CONTAINS)
    browser().post(reverse("evaluator-delete", args=["exact"]))
    assert not EvaluatorVersion.objects.exists()


def test_what_a_job_uses_stays_and_the_page_says_so_before_and_after() -> None:
    save(EXACT, CONTAINS)
    job = trained_with("exact@1")
    assert "1 job was graded with this version" in page("evaluator", "exact", query="version=1")
    for body in ({"version": "1"}, {}):
        answer = browser().post(reverse("evaluator-delete", args=["exact"]), body, follow=True)
        assert job.id in answer.content.decode()
    assert EvaluatorVersion.objects.count() == 2


def test_nobody_deletes_another_teams_evaluator() -> None:
    save(EXACT)
    assert browser(make_user("eve")).post(reverse("evaluator-delete", args=["exact"])).status_code == 404
    assert browser().post(reverse("evaluator-delete", args=["exact"]), {"version": "7"}).status_code == 302
    assert EvaluatorVersion.objects.exists()


def test_the_list_asks_the_database_as_often_for_many_as_for_one(django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        save(EXACT, CONTAINS, name=f"e{number}")
    client = browser()
    with django_assert_max_num_queries(10):
        listed = client.get(reverse("evaluators")).content.decode()
    assert listed.count('class="main-cell"') == 12


def test_more_than_ten_evaluators_can_be_filtered() -> None:
    save(EXACT, name="needle")
    assert 'type="search"' not in page("evaluators")
    for number in range(10):
        save(EXACT, name=f"straw {number}")
    assert 'type="search"' in page("evaluators")
    found = page("evaluators", query="q=NEED")
    assert found.count('class="main-cell"') == 1
    assert ">needle</a>" in found
    assert "None has “&lt;b&gt;” in its name" in page("evaluators", query="q=<b>")


def test_the_builder_starts_from_a_version_or_from_a_copy_of_it() -> None:
    save(EXACT, CONTAINS)
    save(EXACT, name="exact copy")
    data = page_data(page("evaluator-build", query="from=exact@1"), "builder-data")
    assert (data["name"], data["base"], data["author"], data["grader"]["operation"]) == ("exact", 2, "ada", "eq")
    data = page_data(page("evaluator-build", query="from=exact&as=copy"), "builder-data")
    assert (data["name"], data["base"], data["grader"]["operation"]) == ("exact copy 2", 0, "like")
    data = page_data(page("evaluator-build", query="as=copy"), "builder-data")
    assert (data["name"], data["base"], data["author"]) == ("", 0, None)


def test_the_builder_knows_jobs_with_stored_answers() -> None:
    job = make_rollouts(["0"], suffix="apples")
    make_job(suffix="nothing")
    data = page_data(page("evaluator-build"), "builder-data")
    assert data["jobs"] == [{"id": job.id, "label": "apples"}]
    assert data["datasets"][0]["columns"] == ["answer"]
