"""Deployments as people and scripts make, steer and read them; and serving tests."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contracts.fault import Fault
from contracts.serving import Counts, Held, Load
from tests.whetstone.factories import MACHINE, make_model, make_team, make_user
from tests.whetstone.pages import browser
from tests.whetstone.test_claim_and_record import stored
from tests.whetstone.test_deployments import held, say
from tests.whetstone.test_named_models import client, job_with_checkpoint
from whetstone.accounts.models import ApiKey
from whetstone.artifacts.store import put_bytes
from whetstone.deployments import serving_tests
from whetstone.deployments.attend import AGAIN_AFTER
from whetstone.deployments.deploy import NewDeployment, deploy, stop
from whetstone.deployments.measure import Seen, ServingPlan, summed_up
from whetstone.deployments.models import Deployment, Host, ServingTest
from whetstone.deployments.room import needed_gb
from whetstone.deployments.start import call
from whetstone.deployments.states import EDGES, move
from whetstone.modelhub.models import Model

JSON = "application/json"
NASTY = "<script>alert(1)</script>\x1b[31m"


def weighty(name: str, sha: str = "0", base: Model | None = None, adapter: str = "", config: bytes = b"{}") -> Model:
    """A model with weights. `adapter`: with one under this folder, or in its place with “.”."""
    model = make_model(name)
    files = [] if adapter == "." else [{"path": "model.safetensors", "sha256": sha * 64, "size": 4}]
    if adapter:
        folder = adapter.removeprefix(".")
        told = put_bytes(make_team(), config).ref(f"{folder}adapter_config.json")
        files += [
            told.model_dump(),
            {"path": f"{folder}adapter_model.safetensors", "sha256": "a" * 64, "size": 1 << 28},
        ]
    model.files, model.base = files, base
    model.save()
    return model


@pytest.fixture
def base() -> Model:
    return weighty("base")


@pytest.fixture
def http() -> Client:
    return client()


def made(http: Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/deployments", body, content_type=JSON)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def told(http: Client, **body: Any) -> tuple[int, str]:
    answer = http.post("/api/v1/deployments", body, content_type=JSON)
    return answer.status_code, answer.json()["error"]["code"]


def test_a_deployment_is_asked_by_its_own_name_and_goes_through_its_states(base: Model, http: Client) -> None:
    say()
    one = made(http, model="base", name="prod", idle_minutes=None)
    assert (one["status"], one["reason"], one["is_on_demand"], one["idle_minutes"]) == (
        "queued",
        "started",
        False,
        None,
    )
    (load,) = say().load
    assert (load.name, load.model.name) == ("prod", "base")
    say(held("loading"))
    say(
        held(
            counts=Counts(requests=3, tokens=40, tokens_per_s=4, first_token_ms=12.5),
            log=("10:00:00 ready",),
            running=2,
        )
    )
    one = http.get(f"/api/v1/deployments/{one['id']}").json()
    assert (one["status"], one["host"], one["stats"]["tokens"], one["stats"]["running"]) == ("ready", "here", 40, 2)
    assert http.get(f"/api/v1/deployments/{one['id']}/log").json() == {"lines": ["10:00:00 ready"]}
    Deployment.objects.update(
        asked_at=timezone.now() - timedelta(days=9), changed_at=timezone.now() - timedelta(days=9)
    )
    assert say(held()).drop == (), "it is always kept"
    assert call(make_team(), "prod").standing.status == "ready"
    assert http.post(f"/api/v1/deployments/{one['id']}/stop").json()["status"] == "stopping"
    assert say(held()).drop == (one["id"],)
    say(held("gone", counts=Counts(requests=5, tokens=60, first_token_ms=12.5)))
    stopped = http.get(f"/api/v1/deployments/{one['id']}").json()
    assert (stopped["status"], stopped["reason"], stopped["is_off"]) == ("stopped", "stopped", True)
    assert (stopped["stats"]["tokens"], stopped["stats"]["first_token_ms"]) == (60, 12.5)
    with pytest.raises(Fault) as caught:
        call(make_team(), "prod")
    assert caught.value.report.code == "deployment.off"
    assert http.post(f"/api/v1/deployments/{one['id']}/start").json()["status"] == "queued"
    say()
    say(held(counts=Counts(requests=1, tokens=5)))
    assert http.get(f"/api/v1/deployments/{one['id']}/stats").json()["tokens"] == 65, "counts go on"
    assert http.delete(f"/api/v1/deployments/{one['id']}").status_code == 204
    assert say(Held(deployment=one["id"], state="ready")).drop == (one["id"],)
    assert http.get(f"/api/v1/deployments/{one['id']}").status_code == 404


def test_what_cannot_be_deployed_is_refused_with_a_sentence(base: Model, http: Client) -> None:
    say()
    made(http, model="base", name="prod")
    assert told(http, model="base", name="prod") == (409, "deployment.name_taken")
    weighty("other", "1")
    assert told(http, model="base", name="other") == (400, "deployment.name_of_a_model")
    assert told(http, model="base", name=NASTY) == (400, "deployment.bad_name")
    assert told(http, model=NASTY, name="x") == (404, "deployment.model_missing")
    assert told(http, model="base", pool=NASTY[:20], name="x") == (400, "deployment.no_pool")
    assert told(http, model="base", name="x", idle_minutes=0) == (400, "greater_than_equal")
    assert told(http, model="base", name="x", keeps=True) == (400, "extra_forbidden")
    assert told(http, model="base", name="x", shares_base=True) == (400, "deployment.no_adapter")
    eve = client("eve")
    one = Deployment.objects.get()
    for method, path in (("get", ""), ("delete", ""), ("post", "/start"), ("post", "/stop"), ("get", "/log")):
        assert getattr(eve, method)(f"/api/v1/deployments/{one.id}{path}").status_code == 404
    assert eve.get("/api/v1/deployments").json() == {"data": []}
    assert told(eve, model="base", name="x") == (404, "deployment.model_missing")


def test_a_deployment_on_demand_is_listed_and_can_be_taken_over(base: Model, http: Client) -> None:
    say()
    call(make_team(), "base")
    (row,) = http.get("/api/v1/deployments").json()["data"]
    assert (row["is_on_demand"], row["name"]) == (True, "base")
    assert made(http, model="base", idle_minutes=30)["id"] == row["id"]
    (row,) = http.get("/api/v1/deployments").json()["data"]
    assert (row["is_on_demand"], row["idle_minutes"]) == (False, 30)
    assert told(http, model="base") == (409, "deployment.name_taken")
    changed = http.patch(f"/api/v1/deployments/{row['id']}", {"idle_minutes": None}, content_type=JSON).json()
    assert (changed["idle_minutes"], changed["pool"]) == (None, "auto")


def test_one_on_demand_that_was_stopped_comes_again_when_it_is_asked(base: Model) -> None:
    say()
    call(make_team(), "base")
    assert stop(Deployment.objects.get()).status == "stopped"
    assert call(make_team(), "base").standing.status == "queued"


def test_adapters_share_the_memory_of_their_base(base: Model, http: Client) -> None:
    weighty("ada", "1", base, "adapter/")
    weighty("bob", base=base, adapter=".")
    Model.objects.update(parameters=500_000_000)
    say(free_memory_gb=2.5)
    for name in ("base", "ada", "bob"):
        one = made(http, model=name)
        assert one["base"] == (None if name == "base" else "base")
    loads: list[Load] = []
    holds: list[Held] = []
    for free in (2.5, 0.6, 0.3):
        loads += say(*holds, free_memory_gb=free).load
        holds = [Held(deployment=load.deployment, state="ready") for load in loads]
    assert [load.name for load in loads] == ["base", "ada", "bob"], "the second and third cost their adapters alone"
    assert len({load.model for load in loads}) == 1
    assert [[file.path for file in load.adapter] for load in loads[1:]] == 2 * [
        ["adapter_config.json", "adapter_model.safetensors"]
    ]
    ada = Deployment.objects.get(name="ada")
    assert (needed_gb(ada, MACHINE), needed_gb(ada, MACHINE, {"other"})) == (2.6, 2.6)
    whole = made(http, model="ada", name="whole", shares_base=False)
    assert whole["base"] is None
    page = browser().get(reverse("deployment", args=[ada.id])).content.decode()
    assert "Shares memory with" in page


@pytest.mark.parametrize(
    ("config", "detail"),
    [(b'{"use_dora": true}', "use_dora"), (b'{"bias": "all"}', "biases"), (b"[", "no JSON"), (b"[]", "no JSON")],
)
def test_an_adapter_that_changes_more_than_sums_is_not_laid_over_a_shared_base(
    base: Model, http: Client, config: bytes, detail: str
) -> None:
    weighty("bob", base=base, adapter=".", config=config)
    answer = http.post("/api/v1/deployments", {"model": "bob"}, content_type=JSON)
    assert answer.json()["error"]["code"] == "engine.unfit_adapter"
    assert detail in answer.json()["error"]["message"]
    weighty("merged", "1", base, "adapter/", config)
    assert made(http, model="merged")["base"] is None, "it is loaded whole"


def test_an_adapter_whose_base_is_away_cannot_be_served(http: Client) -> None:
    weighty("bob", base=make_model("blank"), adapter=".")
    assert told(http, model="bob") == (400, "deployment.no_base")


def test_a_model_deleted_while_it_serves_takes_its_deployments_along(base: Model, http: Client) -> None:
    say()
    made(http, model="base", name="prod")
    say()
    there = held()
    assert http.delete("/v1/models/base").status_code == 200
    assert say(there).drop == (there.deployment,)
    assert http.get("/api/v1/deployments").json() == {"data": []}


def test_a_pool_chosen_by_hand_is_waited_for(base: Model, http: Client) -> None:
    say()
    Host.objects.create(name="far", pool="h100", machine=MACHINE.model_dump(mode="json"), seen_at=timezone.now())
    assert made(http, model="base", pool="h100")["pool"] == "h100"
    assert say().load == ()
    with pytest.raises(Fault) as caught:
        call(make_team(), "base")
    assert caught.value.report.code == "deployment.no_room"


def test_what_is_always_kept_is_tried_again_by_itself(base: Model) -> None:
    say()
    deploy(make_user(), make_team(), NewDeployment(model="base", idle_minutes=None))
    say()
    say(held("failed", fault={"code": "deployment.failed", "params": {"model": "base", "detail": "no"}}))
    assert Deployment.objects.get().status == "failed"
    assert say().load == ()
    Deployment.objects.update(changed_at=timezone.now() - 2 * AGAIN_AFTER)
    assert len(say().load) == 1


def test_every_state_can_be_left_and_no_other_edge_is_taken(base: Model) -> None:
    one = deploy(make_user(), make_team(), NewDeployment(model="base"))
    for start in Deployment.Status.values:
        for to in Deployment.Status.values:
            one.status = start
            if to in EDGES[start]:
                move(one, to, "asked")
                continue
            with pytest.raises(Fault) as caught:
                move(one, to, "asked")
            assert caught.value.report.code == "deployment.not_possible"


def test_a_checkpoint_is_deployed_with_one_click_and_kept_as_a_model() -> None:
    job = job_with_checkpoint()
    page = browser().get(reverse("job", args=[job.id])).content.decode()
    assert reverse("checkpoint-deploy", args=[job.id, 2]) in page
    browser().post(reverse("checkpoint-deploy", args=[job.id, 2]))
    one = Deployment.objects.get()
    assert (one.name, one.source) == (job.checkpoint_name(2), Model.objects.get(name=job.checkpoint_name(2)))
    browser().post(reverse("checkpoint-deploy", args=[job.id, 2]))
    assert Deployment.objects.count() == 1


def test_an_adapters_checkpoint_is_deployed_over_its_base() -> None:
    config, adapter = stored("adapter_config.json", b"{}"), stored("adapter_model.safetensors", b"adapter")
    job = job_with_checkpoint(adapter, config)
    base = job.base
    base.files = [stored("model.safetensors", b"weights").model_dump(mode="json")]
    base.save()
    browser().post(reverse("checkpoint-deploy", args=[job.id, 2]))
    one = Deployment.objects.get()
    assert (one.ref.name, {file.path for file in one.adapter_files}) == (base.name, {adapter.path, config.path})


def test_the_pages_show_what_there_is_and_take_orders(base: Model) -> None:
    person = browser()
    assert "No deployments yet" in person.get(reverse("deployments")).content.decode()
    assert "No engine is running" in person.get(reverse("deployments")).content.decode()
    say()
    answer = person.post(reverse("model-deploy", args=[base.pk]))
    one = Deployment.objects.get()
    assert answer["Location"] == reverse("deployment", args=[one.id])
    say()
    say(held(log=(f"10:00:00 {NASTY}",)))
    page = person.get(reverse("deployment", args=[one.id])).content.decode()
    assert "&quot;model&quot;: &quot;base&quot;" in page
    assert "/v1/chat/completions" in page
    assert "<script>alert" not in page
    assert "/chat?model=base" in page
    assert "Ready" in person.get(reverse("deployments")).content.decode()
    person.post(reverse("deployment-change", args=[one.id]), {"idle_minutes": "never"})
    assert Deployment.objects.get().idle_s is None
    person.post(reverse("deployment-stop", args=[one.id]))
    assert "takes nothing new" in person.get(reverse("deployment", args=[one.id])).content.decode()
    say(held("gone"))
    assert (
        reverse("deployment-start", args=[one.id]) in person.get(reverse("deployment", args=[one.id])).content.decode()
    )
    wrong = person.post(reverse("deployment-new"), {"model": "base", "name": NASTY}).content.decode()
    assert "is no name for a deployment" in wrong
    assert "<script>alert" not in wrong
    eve = browser(make_user("eve"))
    assert eve.get(reverse("deployment", args=[one.id])).status_code == 404
    assert eve.post(reverse("deployment-delete", args=[one.id])).status_code == 404
    person.post(reverse("deployment-delete", args=[one.id]))
    assert not Deployment.objects.exists()


@pytest.fixture
def served(base: Model, http: Client) -> str:
    say()
    return str(made(http, model="base")["id"])


def test_a_serving_test_is_begun_once_and_can_be_called_off(served: str, http: Client) -> None:
    path = f"/api/v1/deployments/{served}/serving-tests"
    one = http.post(path, {"levels": [1, 2]}, content_type=JSON).json()
    assert (one["state"], one["plan"]["levels"], one["levels"]) == ("queued", [1, 2], [])
    again = http.post(path, {}, content_type=JSON)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "serving_test.running")
    wrongs: list[dict[str, Any]] = [{"levels": []}, {"levels": [0]}, {"levels": [1] * 99}, {"answer_tokens": 10**9}]
    for wrong in wrongs:
        assert http.post(path, wrong, content_type=JSON).status_code == 400
    assert client("eve").get(f"/api/v1/deployments/serving-tests/{one['id']}").status_code == 404
    assert http.post(f"/api/v1/deployments/serving-tests/{one['id']}/cancel").json()["state"] == "cancelled"
    assert http.post(f"/api/v1/deployments/serving-tests/{one['id']}/cancel").status_code == 400
    assert serving_tests.claim() is None
    assert http.delete(f"/api/v1/deployments/serving-tests/{one['id']}").status_code == 204
    assert http.get(path).json() == {"data": []}


def test_of_several_supervisors_one_measures_and_another_takes_over_when_it_falls_silent(served: str) -> None:
    serving_tests.begin_test(make_user(), Deployment.objects.get(), ServingPlan())
    first = serving_tests.claim()
    assert first is not None
    assert serving_tests.claim() is None
    ServingTest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = serving_tests.claim()
    assert (second and second.id, second and second.attempt) == (first.id, 2)


@pytest.mark.django_db(transaction=True)
def test_a_test_whose_platform_does_not_answer_says_so_and_leaves_no_key(served: str, settings: Any) -> None:
    nowhere = settings.ENVIRONMENT.model_copy(update={"internal_url": "http://127.0.0.1:9"})
    settings.ENVIRONMENT = nowhere
    serving_tests.begin_test(make_user(), Deployment.objects.get(), ServingPlan(levels=(1,)))
    keys = ApiKey.objects.count()
    one = serving_tests.claim()
    assert one is not None
    serving_tests.carry_out(one)
    one.refresh_from_db()
    assert (one.state, one.fault and one.fault["code"]) == ("failed", "serving_test.no_answer")
    assert ApiKey.objects.count() == keys


def test_a_level_tells_medians_the_slowest_and_the_faults() -> None:
    seen = [Seen(first_s=0.1 * n, whole_s=0.1 * n + 0.9, tokens=10) for n in range(1, 20)]
    level = summed_up(4, [*seen, Seen(whole_s=3, fault="engine.busy")], 2.0)
    assert (level.requests, level.errors, level.faults) == (20, 1, {"engine.busy": 1})
    assert (level.tokens, level.tokens_per_s) == (190, 95.0)
    assert (level.first_token_p50_ms, level.first_token_p95_ms) == (1000.0, 1900.0)
    assert (level.token_p50_ms, level.answer_p50_ms) == (100.0, 1900.0)
    assert summed_up(1, [Seen(fault="x")], 1.0).first_token_p50_ms is None


def test_openai_clients_find_deployments_among_the_models(http: Client, base: Model) -> None:
    """One that bears its model's name is told once, one that was stopped not at all."""
    deploy(make_user(), make_team(), NewDeployment(model="base"))
    own = deploy(make_user(), make_team(), NewDeployment(model="base", name="own"))
    off = deploy(make_user(), make_team(), NewDeployment(model="base", name="off"))
    stop(off)
    http.get("/v1/models")
    with CaptureQueriesContext(connection) as seen:
        told = http.get("/v1/models").json()["data"]
    assert sum("deployments_deployment" in query["sql"] for query in seen) == 1
    assert sorted(one["id"] for one in told) == ["base", "own"]
    (found,) = [one for one in told if one["id"] == "own"]
    assert (found["object"], found["owned_by"], found["parameters"]) == ("model", own.team.slug, base.parameters)
    assert http.get("/v1/models/own").json() == found
    assert http.get("/v1/models/base").json()["id"] == "base"
    assert http.get("/v1/models/nobody").status_code == 404
    Deployment.objects.update(source=None)  # a checkpoint of which nobody has made a model
    assert http.get("/v1/models/own").json() == found
    other = client("eve")
    assert other.get("/v1/models/own").status_code == 404
    assert other.get("/v1/models").json()["data"] == []
