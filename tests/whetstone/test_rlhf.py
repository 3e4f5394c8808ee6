"""RLHF as a guided path: how far one has come is read off what was made."""

import pytest

from tests.whetstone.factories import PAIRS, make_dataset, make_job, make_model, make_team, make_user
from tests.whetstone.pages import browser, page_data
from whetstone.datasets.split import split_by_share
from whetstone.jobs.models import Job
from whetstone.jobs.rlhf import evaluator_from, held_out_of, taught_for, way_of
from whetstone.modelhub.models import Model

pytestmark = pytest.mark.django_db
TEACH = {"type": "reward_model", "reward_model": {}}


def teach() -> Job:
    """A reward model that a job has learned from the pairs called “pairs”."""
    job = make_job(training_file="pairs", method=TEACH)
    about = {"origin": "trained", "task": "reward", "created_by": job.created_by, "base": job.base}
    job.trained = Model.objects.create(team=job.team, name=job.model_name, parameters=1_000_000, **about)
    job.status = Job.Status.SUCCEEDED
    job.save()
    return job


def test_every_step_is_filled_in_from_the_one_before() -> None:
    pairs = make_dataset(PAIRS, name="pairs")
    base, team = make_model(), make_team()
    assert way_of(team, base, pairs, pairs).taught is None

    taught = teach()
    way = way_of(team, base, pairs, pairs)
    assert (way.taught, way.reward_model, way.evaluator) == (taught, taught.trained, None)

    evaluator = evaluator_from(make_user(), team, taught)
    assert way_of(team, base, pairs, pairs).evaluator == evaluator
    assert evaluator_from(make_user(), team, taught) == evaluator  # pressed twice it is still one

    learned = make_job(training_file="pairs", method={"type": "ppo", "ppo": {"evaluator": str(evaluator)}})
    assert way_of(team, base, pairs, pairs).learned == learned
    assert taught_for(learned) == taught
    assert taught_for(taught) is None
    assert f'/rlhf?model=tiny&amp;pairs={pairs.id}"' in browser().get(f"/jobs/{learned.id}").content.decode()
    assert way_of(team, base, pairs, make_dataset(name="others")).learned is None

    again = make_job(training_file="pairs", method=TEACH)
    way = way_of(team, base, pairs, pairs)
    assert (way.taught, way.evaluator, way.learned) == (again, None, None)


def test_the_page_leads_through_it_and_fills_in_the_forms() -> None:
    pairs = split_by_share(make_user(), make_dataset(PAIRS, name="whole"), 0.3).training
    pairs.dataset.name = "pairs"
    pairs.dataset.save()
    held_out = held_out_of(pairs)
    assert held_out is not None
    make_model()
    address, person = f"/rlhf?model=tiny&pairs={pairs.id}", browser()
    page = person.get(address).content.decode()
    assert str(held_out) in page
    assert "method=reward_model" in page
    assert "Evaluate against the base" not in page
    form = person.get(f"/jobs/new?model=tiny&method=reward_model&dataset={pairs.id}&held_out={held_out.id}")
    draft = page_data(form.content.decode(), "job-form-data")["draft"]
    assert draft["method"] == {"type": "reward_model", "reward_model": {}}
    assert (draft["training_file"], draft["validation_file"]) == (pairs.id, held_out.id)

    taught = teach()
    assert "Make the evaluator" in person.get(address).content.decode()
    back = person.post(f"/rlhf/evaluator/{taught.id}")
    assert back.status_code == 302
    page = person.get(back["location"]).content.decode()
    assert "method=ppo" in page
    assert f"evaluator=taste-{taught.id[-8:]}%401" in page


def test_what_is_missing_is_said() -> None:
    person = browser()
    assert "Import the model that is to learn" in person.get("/rlhf").content.decode()
    make_model()
    assert "No pairs of answers yet" in person.get("/rlhf").content.decode()
    make_dataset(PAIRS, name="pairs")
    assert "Show the way" in person.get("/rlhf").content.decode()
    page = person.get("/rlhf?model=gone&pairs=pairs").content.decode()
    assert "gone" in page
    assert "way-live" not in page
    assert person.get("/jobs/new?method=no-such").status_code == 200


def test_another_teams_job_is_not_there() -> None:
    make_dataset(PAIRS, name="pairs")
    taught = teach()
    assert browser(make_user("eve")).post(f"/rlhf/evaluator/{taught.id}").status_code == 404
