"""Keys: what each may do, until when, and how a script shows one."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.whetstone.factories import EXACT, make_dataset, make_job, make_key, make_model, make_team, make_user
from tests.whetstone.pages import browser
from whetstone.accounts.models import ApiKey, Scope
from whetstone.api.native.surface import native_api
from whetstone.api.openai.surface import openai_api
from whetstone.api.scopes import READING, WRITING, rule_of, scope_of

DRAFT = {"model": "tiny", "training_file": "sums", "method": {"type": "grpo", "grpo": {"grader": EXACT}}}
JSON = "application/json"


def with_scopes(*scopes: str) -> Client:
    text = ApiKey.make(make_user(), make_team(), scopes=scopes)[1]
    return Client(headers={"authorization": f"Bearer {text}"})


def routes() -> list[tuple[str, frozenset[str]]]:
    """Every address that a key opens, with its verbs."""
    return [
        (path.removeprefix("/"), frozenset(verb.upper() for verb in verbs))
        for api in (openai_api, native_api)
        for path, verbs in api.get_openapi_schema()["paths"].items()
    ]


def test_every_route_that_changes_something_has_a_scope_of_its_own() -> None:
    writing = [route for route, verbs in routes() if verbs - READING]
    assert len(writing) > 20
    assert [route for route in writing if rule_of(route) is None] == []


def test_every_rule_is_about_a_route() -> None:
    assert set(WRITING) - {rule_of(route) for route, _verbs in routes()} == set()


def test_what_nobody_thought_of_is_for_administrators() -> None:
    assert scope_of("POST", "v1/something_new") == Scope.ADMIN
    assert scope_of("POST", "v1/filesystem") == Scope.ADMIN, "a rule ends where a word ends"
    assert scope_of("GET", "v1/something_new") == Scope.READ


@pytest.mark.parametrize(
    ("scope", "verb", "path", "body"),
    [
        ("read", "get", "/v1/models", None),
        ("read", "get", "/v1/fine_tuning/jobs", None),
        ("read", "get", "/api/v1/judges", None),
        ("read", "post", "/api/v1/graders/check", {"grader": EXACT}),
        ("read", "post", "/api/v1/jobs/check", DRAFT),
        ("read", "post", "/v1/fine_tuning/alpha/graders/validate", {"grader": EXACT}),
        ("jobs", "post", "/v1/fine_tuning/jobs", DRAFT),
        ("jobs", "post", "/v1/fine_tuning/alpha/graders/run", {"grader": EXACT, "model_sample": "4"}),
        ("jobs", "post", "/api/v1/graders/try", {"grader": EXACT, "dataset": "sums"}),
        ("jobs", "post", "/api/v1/evaluators", {"name": "exact", "grader": EXACT}),
        ("files", "post", "/api/v1/datasets/sums/split", {"rows": 5}),
        ("admin", "post", "/api/v1/secrets", {"name": "KEY", "value": "v"}),
    ],
)
def test_a_route_takes_its_scope_and_no_other(scope: str, verb: str, path: str, body: object) -> None:
    make_model()
    make_dataset()
    others = [one for one in Scope.values if one != scope]
    refused = getattr(with_scopes(*others), verb)(path, body, content_type=JSON)
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert error["code"] == "auth.scope_missing"
    assert error["params"] == {"scope": scope, "scopes": ", ".join(others)}
    assert f"“{scope}”" in error["message"]
    assert getattr(with_scopes(scope), verb)(path, body, content_type=JSON).status_code == 200


def test_a_key_that_only_reads_deletes_and_uploads_nothing() -> None:
    version = make_dataset()
    reader = with_scopes("read", "jobs", "admin")
    assert reader.delete(f"/v1/files/{version.id}").status_code == 403
    assert reader.post("/v1/files", {"purpose": "fine-tune"}).status_code == 403
    assert reader.get(f"/v1/files/{version.id}").status_code == 200


def test_a_page_may_do_everything() -> None:
    make_job()
    assert browser().post("/v1/fine_tuning/jobs", DRAFT, content_type=JSON).status_code == 200
    assert browser().post("/api/v1/secrets", {"name": "KEY", "value": "v"}, content_type=JSON).status_code == 200


def test_a_key_that_was_made_without_scopes_to_choose_from_has_all_of_them() -> None:
    make_key()
    assert ApiKey.objects.get().scopes == Scope.values


def test_an_expired_key_says_since_when() -> None:
    text = ApiKey.make(make_user(), make_team(), expires_at=timezone.now() + timedelta(hours=1))[1]
    http = Client(headers={"authorization": f"Bearer {text}"})
    assert http.get("/v1/models").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now())
    answer = http.get("/v1/models")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "auth.expired"
    assert answer.json()["error"]["message"] == f"This API key expired on {timezone.now():%Y-%m-%d}."


def test_a_revoked_key_says_so_even_when_it_has_expired() -> None:
    text = make_key()
    ApiKey.objects.update(revoked_at=timezone.now(), expires_at=timezone.now())
    answer = Client(headers={"authorization": f"Bearer {text}"}).get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.revoked")


def test_the_header_of_azure_s_client_is_read() -> None:
    assert Client(headers={"api-key": make_key()}).get("/v1/models").status_code == 200
    answer = Client(headers={"api-key": "wk-wrong"}).get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.invalid")


def test_numbers_for_prometheus_take_a_key_that_reads() -> None:
    assert with_scopes("read").get("/metrics").status_code == 200
    assert with_scopes("jobs").get("/metrics").status_code == 403


def test_a_key_is_made_on_the_page_with_scopes_and_an_end() -> None:
    client = browser()
    page = client.post(reverse("settings"), {"name": "ci", "scopes": ["jobs", "read"], "days": "30"}).content.decode()
    key = ApiKey.objects.get()
    assert (key.name, key.scopes) == ("ci", ["read", "jobs"])
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    assert re.search(r"wk-[\w-]{20,}", page)
    assert '<span class="badge">Jobs</span>' in page


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "scopes": ["read"], "days": "30"},
        {"name": "ci", "days": "30"},
        {"name": "ci", "scopes": ["root"], "days": "30"},
        {"name": "ci", "scopes": ["read"], "days": "31"},
    ],
    ids=repr,
)
def test_a_key_that_cannot_be_is_not_made(fields: dict[str, str]) -> None:
    page = browser().post(reverse("settings"), fields)
    assert page.status_code == 200
    assert not ApiKey.objects.exists()


def test_a_key_without_a_scope_is_asked_for_one() -> None:
    page = browser().post(reverse("settings"), {"name": "nightly", "days": ""}).content.decode()
    assert "Choose at least one" in page
    assert 'value="nightly"' in page, "what was typed is not lost"


def test_the_page_tells_which_keys_have_expired() -> None:
    make_key()
    ApiKey.objects.update(expires_at=timezone.now())
    assert '<span class="badge bad">expired</span>' in browser().get(reverse("settings")).content.decode()


def test_a_key_is_made_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("ada")
    call_command("createkey", "--user", "ada", "--scopes", "jobs, read", "--expires-days", "7")
    key = ApiKey.objects.get()
    assert key.scopes == ["read", "jobs"]
    assert key.expires_at is not None
    assert (key.expires_at - timezone.now()).days == 6
    assert capsys.readouterr().out.startswith("wk-")
    call_command("createkey", "--user", "ada")
    newest = ApiKey.objects.latest("id")
    assert (newest.scopes, newest.expires_at) == (Scope.values, None)


@pytest.mark.parametrize("wrong", [("--scopes", "root"), ("--scopes", ""), ("--expires-days", "0")])
def test_a_wrong_option_of_the_command_makes_no_key(wrong: tuple[str, str]) -> None:
    make_user("ada")
    with pytest.raises(CommandError):
        call_command("createkey", "--user", "ada", *wrong)
    assert not ApiKey.objects.exists()


KEYS = "/api/v1/keys"


def test_a_pipeline_renews_its_key_by_itself() -> None:
    old = with_scopes("read", "admin")
    made = old.post(KEYS, {"name": "nightly", "lasts_s": 3600}, content_type=JSON).json()
    assert (made["name"], made["scopes"], made["is_current"]) == ("nightly", ["read", "admin"], False)
    assert made["expires_at"] - made["created_at"] in (3599, 3600, 3601)
    new = Client(headers={"authorization": f"Bearer {made['key']}"})
    listed = new.get(KEYS).json()["data"]
    assert (listed[0]["id"], listed[0]["is_current"]) == (made["id"], True)
    assert "key" not in listed[0]
    assert new.delete(f"{KEYS}/{listed[1]['id']}").status_code == 204
    assert (refused := old.get(KEYS)).status_code == 401
    assert refused.json()["error"]["code"] == "auth.revoked"
    assert [one["id"] for one in new.get(KEYS).json()["data"]] == [made["id"]]


def test_a_key_gives_no_scope_that_it_lacks() -> None:
    asked = {"name": "more", "scopes": ["jobs", "read"]}
    refused = with_scopes("read", "admin").post(KEYS, asked, content_type=JSON)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "auth.scope_exceeded")
    assert refused.json()["error"]["params"] == {"beyond": "jobs", "scopes": "read, admin"}
    assert ApiKey.objects.count() == 1
    assert browser().post(KEYS, asked, content_type=JSON).json()["scopes"] == ["read", "jobs"], "a page has every scope"


def test_keys_are_seen_and_changed_by_administrators_of_the_team_alone() -> None:
    stranger = ApiKey.make(make_user("eve"), make_team(make_user("eve")))[0]
    for_everything_else = with_scopes("read", "jobs", "files")
    assert for_everything_else.get(KEYS).status_code == 403
    assert for_everything_else.post(KEYS, {"name": "x"}, content_type=JSON).status_code == 403
    admin = with_scopes("admin")
    assert stranger.pk not in [one["id"] for one in admin.get(KEYS).json()["data"]]
    for key_id in (stranger.pk, 2**63 - 1):
        answer = admin.delete(f"{KEYS}/{key_id}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key.not_found")
    stranger.refresh_from_db()
    assert stranger.revoked_at is None


@pytest.mark.parametrize("wrong", [{}, {"name": ""}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["root"]}])
def test_a_key_that_cannot_be_is_refused_over_rest(wrong: dict[str, object]) -> None:
    assert with_scopes("admin").post(KEYS, wrong, content_type=JSON).status_code == 400
    assert ApiKey.objects.count() == 1
