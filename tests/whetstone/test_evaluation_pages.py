"""The pages of evaluations: the table, the form that says what is missing, the numbers, the SHIP card."""

import re

import pytest
from django.test import Client

from graders import parse
from tests.whetstone.evaluations import evaluated, make_evaluation
from tests.whetstone.factories import EXACT, make_dataset, make_job, make_model, make_team, make_user
from tests.whetstone.pages import browser
from whetstone.evaluations.models import Evaluation
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model

RIGHT, WRONG = [1.0], [0.0]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def http() -> Client:
    return browser()


def page(http: Client, path: str) -> str:
    answer = http.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return re.sub(r"\s+", " ", answer.content.decode())


def math() -> str:
    return str(save_evaluator(make_user(), make_team(), "math", parse(EXACT)))


def test_the_list_says_what_to_do_first_and_then_holds_a_table_over_models(http: Client) -> None:
    assert "No evaluations yet" in page(http, "/evaluations")
    ref = math()
    for model, scores in (("tiny", [WRONG, RIGHT]), ("tuned", [RIGHT, RIGHT])):
        evaluated(scores, model=model, grader=None, evaluator=ref)
    found = page(http, "/evaluations")
    assert found.index("sums@1") < found.index("math@1") < found.index("tuned")
    assert "<strong>1</strong>" in found
    make_evaluation(model="tuned")
    assert 'hx-trigger="every 3s"' in page(http, "/evaluations")


def test_the_form_says_what_is_missing_and_begins_both(http: Client) -> None:
    make_model()
    tuned = make_model("tuned")
    version, ref = make_dataset(), math()
    assert ">Choose a model</button>" in page(http, "/evaluations/new")
    assert ">Choose an evaluator</button>" in page(http, f"/evaluations/new?model=tuned&dataset={version.id}")
    for named in (version.id, str(version)):
        assert f'<option value="{version.id}" selected>' in page(http, f"/evaluations/new?dataset={named}")
    filled = {"model": "tuned", "baseline": "tiny", "dataset": version.id, "evaluator": ref, "limit": "4"}
    card = http.post("/evaluations/preview", filled).content.decode()
    assert "Evaluate both</button>" in card
    assert "disabled" not in card
    for wrong, said in (({"samples": "0"}, "greater than or equal"), ({"limit": "x"}, "is no number")):
        assert said in http.post("/evaluations/preview", filled | wrong).content.decode()
    Model.objects.filter(id=tuned.id).update(task="reward")
    assert "is a reward model" in http.post("/evaluations/preview", filled).content.decode()
    Model.objects.filter(id=tuned.id).update(task="text")

    answer = http.post("/evaluations/new", filled)
    assert answer.status_code == 302
    assert answer["location"].startswith("/evaluations/compare?candidate=eval-")
    assert [one.job.base.name for one in Evaluation.objects.order_by("job__created_at")] == ["tuned", "tiny"]
    watched = page(http, answer["location"])
    assert "The verdict appears here" in watched
    again = http.post("/evaluations/new", filled)
    assert (again["location"], Evaluation.objects.count()) == (answer["location"], 2)
    assert "was asked the same before" in http.post("/evaluations/preview", filled).content.decode()
    bad = http.post("/evaluations/new", filled | {"dataset": "nothing"})
    assert "There is no dataset" in bad.content.decode()


def test_an_evaluation_shows_its_numbers_and_answers_as_text(http: Client) -> None:
    done = evaluated([RIGHT, WRONG, [None], RIGHT], text=EVIL)
    found = page(http, f"/evaluations/{done.pk}")
    assert EVIL not in found
    assert "&lt;script&gt;" in found
    assert "66.7%" in found
    assert "grader error" in found
    assert "<rect" in found
    wrong = page(http, f"/evaluations/{done.pk}?only=failed")
    assert "1 answer" in wrong
    assert "No answer is of this kind" in page(http, f"/evaluations/{done.pk}?only=failed&page=9")
    many = evaluated([[1.0, 0.0], [0.0, 0.0]])
    assert "pass@2" in page(http, f"/evaluations/{many.pk}")


def test_one_that_waits_or_failed_says_why_and_can_be_stopped(http: Client) -> None:
    one = make_evaluation()
    assert "No worker of the pool" in page(http, f"/evaluations/{one.pk}")
    assert http.get(f"/jobs/{one.pk}")["location"] == f"/evaluations/{one.pk}"
    assert one.pk in page(http, "/")
    assert one.pk not in page(http, "/jobs")
    http.post(f"/evaluations/{one.pk}/pause")
    assert "Paused" in page(http, f"/evaluations/{one.pk}")
    http.post(f"/evaluations/{one.pk}/resume")
    http.post(f"/evaluations/{one.pk}/cancel")
    assert Job.objects.get(id=one.pk).status == "cancelled"
    ended = http.get(f"/evaluations/{one.pk}", headers={"hx-request": "true"})
    assert ended["HX-Refresh"] == "true"
    for path in (f"/evaluations/{one.pk}", f"/evaluations/compare?candidate={one.pk}&baseline={one.pk}"):
        assert browser(make_user("bob")).get(path).status_code == 404


def test_the_ship_card_tells_who_won_and_what_regressed(http: Client) -> None:
    baseline = evaluated([WRONG] * 14 + [RIGHT] * 4, text=EVIL)
    candidate = evaluated([RIGHT] * 17 + [WRONG], text=f"new {EVIL}", model="tuned")
    address = f"/evaluations/compare?candidate={candidate.pk}&baseline={baseline.pk}"
    found = page(http, address)
    assert ">SHIP</h2>" in found
    assert "14 better" in found
    assert "1 worse" in found
    assert EVIL not in found
    assert "McNemar p = 0.000977" in found
    assert "DON&#x27;T SHIP" in page(http, f"{address}&min_mean=&min_delta=0.99")
    assert "CAN&#x27;T TELL" in page(http, f"{address}&max_regressed=0.1")
    assert "is no requirement" in page(http, f"{address}&min_delta=much")
    other = evaluated([RIGHT] * 3, model="tuned")
    assert "differ in more than the model" in page(http, f"{address}&candidate={other.pk}")


def test_a_trained_model_and_its_job_lead_to_an_evaluation_against_the_base(http: Client) -> None:
    job = make_job(validation_file=make_dataset(name="held out").id)
    tuned = make_model("tuned")
    Model.objects.filter(id=tuned.id).update(base=make_model())
    Job.objects.filter(id=job.id).update(status="succeeded", trained=tuned)
    link = f"/evaluations/new?model=tuned&amp;baseline=tiny&amp;dataset={job.validation_id}"
    assert link in page(http, f"/jobs/{job.id}")
    assert "/evaluations/new?model=tuned&amp;baseline=tiny" in page(http, f"/models/{tuned.pk}")
    trained_on = evaluated([RIGHT, RIGHT], model="tuned")
    assert 'id="evaluations"' in page(http, f"/models/{tuned.pk}")
    assert "2 of 2 rows were trained on" in page(http, f"/evaluations/{trained_on.pk}")
