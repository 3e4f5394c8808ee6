"""Imports over REST and on the pages: begun, sent, watched, tried again; and the list, preview and end of a model."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.whetstone.factories import make_job, make_key, make_model, make_team, make_user
from tests.whetstone.imports import roots
from tests.whetstone.model_files import make_adapter, make_folder
from tests.whetstone.pages import browser
from whetstone.accounts.models import ApiKey
from whetstone.artifacts.store import put_bytes
from whetstone.modelhub import carry
from whetstone.modelhub.models import Import, Model

__all__ = ["roots"]

JSON = "application/json"


@pytest.fixture
def http(roots: Path) -> Client:
    return caller(make_key())


def caller(key: str) -> Client:
    return Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=False)


def begin(http: Client, source: dict[str, Any], status: int = 200, **more: Any) -> Any:
    answer = http.post("/api/v1/imports", {"source": source} | more, content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_model_is_sent_file_by_file_and_goes_on_where_the_platform_says(http: Client, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in make_folder(tmp_path / "mine").iterdir()}
    announced = [{"path": name, "size": len(content)} for name, content in files.items()]
    one = begin(http, {"type": "upload", "files": announced}, name="mine")
    address = f"/api/v1/imports/{one['id']}"

    def put(name: str, offset: int, content: bytes) -> Any:
        return http.put(f"{address}/files/{name}?offset={offset}", content, content_type="application/octet-stream")

    assert put("config.json", 0, files["config.json"][:7]).json() == {"path": "config.json", "received": 7}
    refused = put("config.json", 9, b"more")
    assert (refused.status_code, refused.json()["error"]["params"]["received"]) == (409, 7)
    assert put("evil.py", 0, b"x").status_code == 400
    told = {file["path"]: file["received"] for file in http.get(address).json()["files"]}
    for name, content in files.items():
        assert put(name, told[name], content[told[name] :]).status_code == 200
    assert http.get(address).json()["state"] == "queued"
    carry.carry_out_one()
    done = http.get(address).json()
    assert (done["state"], done["model"], done["error"]) == ("succeeded", "mine", None)
    assert done["bytes_done"] == done["bytes_total"] == sum(map(len, files.values()))


def test_a_failed_import_says_why_and_can_be_tried_again(http: Client, roots: Path) -> None:
    one = begin(http, {"type": "folder", "folder": str(make_adapter(roots / "adapter", "base"))})
    carry.carry_out_one()
    failed = http.get(f"/api/v1/imports/{one['id']}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "adapter.no_base")
    page = browser().get(reverse("models")).content.decode()
    assert "Import “base” first" in page
    assert http.post(f"/api/v1/imports/{one['id']}/retry").json()["state"] == "queued"
    assert http.post(f"/api/v1/imports/{one['id']}/cancel").json()["state"] == "cancelled"
    assert http.post(f"/api/v1/imports/{one['id']}/retry").status_code == 400


def test_a_key_without_the_scope_for_it_takes_no_folder_of_the_server(roots: Path) -> None:
    key = ApiKey.make(make_user(), make_team(), scopes=["read", "jobs"])[1]
    refused = begin(caller(key), {"type": "folder", "folder": str(roots)}, status=403)
    assert refused["error"]["code"] == "folder.admins_only"


@pytest.mark.parametrize(
    ("source", "name", "code"),
    [
        ({"type": "hub", "repo": "no-slash"}, "", "hub.no_repo_id"),
        ({"type": "hub", "repo": "org/tiny", "token": "NONE"}, "", "evaluator.secret_missing"),
        ({"type": "hub", "repo": "org/tiny"}, "ft:mine", "import.no_name"),
        ({"type": "hub", "repo": "org/tiny"}, "../up", "import.no_name"),
        ({"type": "hub", "repo": "org/tiny"}, "tiny", "import.name_taken"),
        ({"type": "upload", "files": [{"path": "a.bin", "size": 1}]}, "new", "model.only_pickles"),
        ({"type": "upload", "files": [{"path": "config.json", "size": 1}]}, "new", "model.no_weights"),
    ],
)
def test_what_cannot_become_an_import_is_refused_at_once(
    http: Client, source: dict[str, Any], name: str, code: str
) -> None:
    make_model("tiny")
    assert begin(http, source, status=400, name=name)["error"]["code"] == code
    assert not Import.objects.exists()


def test_another_team_s_import_is_not_there(http: Client) -> None:
    one = begin(http, {"type": "hub", "repo": "org/tiny"})
    other = caller(make_key(make_user("eve")))
    for answer in (
        other.get(f"/api/v1/imports/{one['id']}"),
        other.post(f"/api/v1/imports/{one['id']}/cancel"),
        other.put(f"/api/v1/imports/{one['id']}/files/config.json", b"{}"),
    ):
        assert answer.status_code == 404


def test_a_list_of_a_thousand_models_asks_the_database_as_often_as_one_of_ten(
    http: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    about = {"team": make_team(), "created_by": make_user(), "origin": "imported", "files": [], "parameters": 1}
    Model.objects.bulk_create(Model(name=f"org/m{n}", architecture=f"A{n % 3}", **about) for n in range(60))
    page = browser()
    with django_assert_max_num_queries(14):
        assert page.get(reverse("models")).status_code == 200
    found = http.get("/api/v1/models?search=m5&architecture=A2&limit=3").json()
    assert [one["name"] for one in found["data"]] == ["org/m59", "org/m56", "org/m53"]
    assert found["total"] == 5


def model_with(template: str) -> Model:
    config = put_bytes(make_team(), json.dumps({"chat_template": template, "eos_token": "<end>"}).encode())
    model = make_model("talker")
    model.files = [config.ref("tokenizer_config.json").model_dump(mode="json")]
    model.save()
    return model


def test_a_chat_template_is_shown_as_what_it_makes(http: Client) -> None:
    model_with("{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}")
    answer = http.post(
        "/api/v1/models/talker/template", {"messages": [{"role": "user", "content": "<b>"}]}, content_type=JSON
    )
    assert answer.json() == {"text": "[user] <b><end>"}


def test_a_template_that_loops_is_stopped_and_never_runs_here(http: Client) -> None:
    model = model_with("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    answer = http.post("/api/v1/models/talker/template", {}, content_type=JSON)
    assert answer.json()["error"]["code"] == "template.too_slow"
    assert "takes too long" in browser().get(reverse("model", args=[model.pk]) + "?preview").content.decode()


def test_a_template_that_reaches_for_python_is_refused(http: Client) -> None:
    model_with("{{ messages.__class__.__mro__ }}")
    answer = http.post("/api/v1/models/talker/template", {}, content_type=JSON)
    assert answer.json()["error"]["code"] == "template.broken"


def test_a_model_that_jobs_began_with_shows_them_and_stays(http: Client) -> None:
    job = make_job()
    page = browser()
    shown = page.get(reverse("model", args=[job.base.pk])).content.decode()
    assert "It cannot be deleted as long as" in shown
    page.post(reverse("model-delete", args=[job.base.pk]))
    assert Model.objects.filter(pk=job.base.pk).exists()
    free = make_model("free")
    page.post(reverse("model-delete", args=[free.pk]))
    assert not Model.objects.filter(pk=free.pk).exists()


def test_a_base_is_not_deleted_under_its_adapter_and_no_job_trains_from_what_is_quantized(
    http: Client, roots: Path
) -> None:
    begin(http, {"type": "folder", "folder": str(make_folder(roots / "tiny"))})
    carry.carry_out_one()
    begin(http, {"type": "folder", "folder": str(make_adapter(roots / "adapter", "tiny"))})
    carry.carry_out_one()
    refused = http.delete("/v1/models/tiny")
    assert refused.json()["error"]["code"] == "model.has_adapters"
    Model.objects.filter(name="tiny").update(quantization="gptq 4-bit")
    checked = http.post("/api/v1/jobs/check", {"model": "tiny", "training_file": "none"}, content_type=JSON).json()
    assert "model.is_quantized" in {problem["code"] for problem in checked["problems"]}


def test_an_import_is_begun_on_its_page(roots: Path) -> None:
    page = browser()
    wrong = page.post(reverse("model-import"), {"type": "folder", "folder": "/etc", "name": "mine"})
    assert "lies outside of the folders" in wrong.content.decode()
    assert 'value="mine"' in wrong.content.decode()
    page.post(reverse("model-import"), {"type": "folder", "folder": str(make_folder(roots / "mine")), "name": ""})
    carry.carry_out_one()
    assert Model.objects.get().name == "mine"
    assert "apache-2.0" in page.get(reverse("models")).content.decode()
