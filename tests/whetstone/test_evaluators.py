"""Evaluators over REST: versions that never change, nobody's work lost, nothing deleted that a job needs."""

import json
from typing import Any

import pytest
from django.test import Client

from graders import parse
from tests.whetstone.factories import EXACT, make_job, make_key, make_team, make_user
from whetstone.api.native.evaluators import evaluator_json
from whetstone.evaluators.export import OPENAI, export
from whetstone.evaluators.models import Evaluator, EvaluatorVersion
from whetstone.evaluators.save import save_evaluator

pytestmark = pytest.mark.django_db
URL = "/api/v1/evaluators"


def script(name: str = "ada") -> Client:
    return Client(headers={"authorization": f"Bearer {make_key(make_user(name))}"})


def save(name: str = "exact", status: int = 200, who: str = "ada", **body: Any) -> dict[str, Any]:
    answer = script(who).post(URL, {"name": name, "grader": EXACT} | body, content_type="application/json")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def get(path: str = "", status: int = 200) -> dict[str, Any]:
    answer = script().get(f"{URL}{path}")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def other(reference: object) -> dict[str, Any]:
    return EXACT | {"reference": str(reference)}


def trained_with(ref: str) -> str:
    return make_job(method={"type": "grpo", "grpo": {"evaluator": ref}}).id


def test_a_version_says_who_saved_it_what_it_is_and_how_many_jobs_use_it() -> None:
    saved = save(note="first")
    assert (saved["ref"], saved["author"], saved["note"], saved["used_by"]) == ("exact@1", "ada", "first", 0)
    trained_with("exact")
    found = get("/exact@1")
    assert found == saved | {"used_by": 1}
    assert len(found["sha256"]) == 64
    assert get("/exact") == found


def test_saving_on_top_of_the_version_one_started_from_makes_the_next() -> None:
    save(base=0)
    assert save(grader=other(1), base=1)["ref"] == "exact@2"
    assert save(grader=other(2))["ref"] == "exact@3"


def test_saving_on_top_of_an_older_version_is_refused_with_who_and_when() -> None:
    save()
    save(grader=other(1))
    answer = script().post(URL, {"name": "exact", "grader": other(2), "base": 1}, content_type="application/json")
    assert (answer.status_code, answer["x-should-retry"]) == (409, "false")
    error = answer.json()["error"]
    assert (error["code"], error["param"], error["params"]["number"]) == ("evaluator.changed_meanwhile", "base", 2)
    assert "“exact@2” was saved by ada on 20" in error["message"]
    assert EvaluatorVersion.objects.count() == 2


def test_a_name_that_is_to_be_new_takes_no_other_ones() -> None:
    save()
    assert save(grader=other(1), base=0, status=409)["error"]["params"]["newest"] == "exact@1"
    assert save(base=0)["ref"] == "exact@1", "the same content is nobody's loss"
    assert save("copy", grader=other(1), base=0)["ref"] == "copy@1"


def test_the_newest_content_saved_again_stays_the_newest_whatever_it_was_made_from() -> None:
    save()
    save(grader=other(1))
    assert save(grader=other(1), base=1)["ref"] == "exact@2"


def test_an_enormous_grader_is_refused_with_its_size() -> None:
    big = {"type": "multi", "graders": {f"g{n}": other("x" * 90_000) for n in range(12)}, "calculate_output": "g0"}
    error = save(grader=big, status=413)["error"]
    assert (error["code"], error["param"]) == ("evaluator.too_large", "grader")
    assert "1000 KB" in error["message"]
    assert not Evaluator.objects.exists()


@pytest.mark.parametrize("name", ["diff", ".", "..", "a\nb", "a/b", "a@b", " a", ""])
def test_a_name_that_no_address_could_hold_is_refused(name: str) -> None:
    assert save(name, status=400)["error"]["param"] == "name"


def test_the_list_has_the_newest_version_of_each_in_pages() -> None:
    for name in ("a", "b", "c"):
        save(name)
        save(name, grader=other(name))
    trained_with("b@2")
    first = get("?limit=2")
    assert [(one["ref"], one["used_by"]) for one in first["data"]] == [("c@2", 0), ("b@2", 1)]
    assert (first["has_more"], first["first_id"], first["last_id"]) == (True, "c", "b")
    last = get(f"?limit=2&after={first['last_id']}")
    assert ([one["ref"] for one in last["data"]], last["has_more"]) == (["a@2"], False)
    assert get("?after=nobody", 400)["error"]["param"] == "after"
    assert get("?limit=0", 400)["error"]["param"] == "limit"


def test_a_list_asks_the_database_as_often_for_many_as_for_one(django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        save(f"e{number}")
    http = script()
    with django_assert_max_num_queries(8):
        assert len(http.get(URL).json()["data"]) == 12


def test_versions_are_listed_newest_first_in_pages() -> None:
    for number in range(3):
        save(grader=other(number))
    save("other")
    first = get("/exact/versions?limit=2")
    assert [one["ref"] for one in first["data"]] == ["exact@3", "exact@2"]
    assert first["has_more"]
    rest = get(f"/exact/versions?after={first['last_id']}")
    assert ([one["ref"] for one in rest["data"]], rest["has_more"]) == (["exact@1"], False)
    assert get("/nobody/versions", 404)["error"]["code"] == "evaluator.not_found"


@pytest.mark.parametrize("name", ["versions", "export", "my grader", "数学", "a.b+c%20d?"])
def test_any_name_can_be_fetched_exported_listed_and_deleted(name: str) -> None:
    from urllib.parse import quote

    save(name)
    path = "/" + quote(name, safe="")
    assert get(path)["ref"] == get(f"{path}@1")["ref"] == f"{name}@1"
    assert len(get(f"{path}/versions")["data"]) == 1
    assert script().get(f"{URL}{path}/export").status_code == 200
    assert script().delete(f"{URL}{path}").status_code == 204
    get(path, 404)


def test_a_version_that_no_job_uses_can_be_deleted_and_its_number_is_not_given_again() -> None:
    save()
    save(grader=other(1))
    assert script().delete(f"{URL}/exact@2").status_code == 204
    assert get("/exact")["ref"] == "exact@1"
    assert save(grader=other(2))["ref"] == "exact@3"
    for number in (1, 3):
        assert script().delete(f"{URL}/exact@{number}").status_code == 204
    assert not Evaluator.objects.exists()
    assert script().delete(f"{URL}/exact").status_code == 404


@pytest.mark.parametrize("ref", ["exact", "exact@1"])
def test_what_a_job_uses_is_not_deleted(ref: str) -> None:
    save()
    save(grader=other(1))
    job = trained_with("exact@1")
    answer = script().delete(f"{URL}/{ref}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "evaluator.in_use")
    assert job in answer.json()["error"]["message"]
    assert EvaluatorVersion.objects.count() == 2
    assert script().delete(f"{URL}/exact@2").status_code == 204


def test_nobody_lists_exports_or_deletes_another_teams_evaluators() -> None:
    save()
    eve = script("eve")
    for path in ("/exact", "/exact@1", "/exact/versions", "/exact/export"):
        assert eve.get(f"{URL}{path}").status_code == 404
    assert eve.delete(f"{URL}/exact").status_code == 404
    assert eve.get(URL).json()["data"] == []
    assert save(who="eve")["ref"] == "exact@1"
    assert Evaluator.objects.count() == 2


def test_an_export_goes_in_again_as_what_it_was() -> None:
    python = {"type": "python", "source": "def grade(sample, item):\n    return 1.0\n", "timeout_s": 5}
    parts = {"a": EXACT, "b": {"type": "steps", "grader": {"type": "number"}}, "p": python}
    saved = save(grader={"type": "multi", "graders": parts, "calculate_output": "a + b + p"})
    answer = script().get(f"{URL}/exact@1/export")
    assert answer["Content-Disposition"] == 'attachment; filename="exact@1.json"'
    assert save("copy", grader=json.loads(answer.content))["sha256"] == saved["sha256"]


def test_what_openai_has_is_exported_with_openais_keys_alone() -> None:
    python = {"type": "python", "source": "def grade(sample, item):\n    return 1.0\n"}
    parts = {"a": {"type": "string_check"}, "b": python, "c": {"type": "text_similarity"}}
    found = export(parse({"type": "multi", "graders": parts, "calculate_output": "a + b + c"}))
    assert found.keys() == OPENAI["multi"]
    assert found["graders"]["a"].keys() == OPENAI["string_check"]
    assert found["graders"]["b"].keys() == OPENAI["python"] - {"image_tag"}
    assert found["graders"]["c"].keys() == OPENAI["text_similarity"]


def test_a_version_is_told_alike_by_every_way_to_it() -> None:
    version = save_evaluator(make_user(), make_team(), "exact", parse(EXACT))
    told = evaluator_json(version, 0)
    assert get("/exact") == told == get()["data"][0] == get("/exact/versions")["data"][0]


def test_parts_keep_the_order_in_which_somebody_put_them() -> None:
    parts = {"zebra": EXACT, "a": EXACT, "longest_name": EXACT}
    multi = {"type": "multi", "graders": parts, "calculate_output": "a"}
    assert save("ordered", grader=multi)["version"] == 1
    turned = multi | {"graders": dict(reversed(parts.items()))}
    assert save("ordered", grader=turned)["version"] == 2
    for number, wanted in ((1, [*parts]), (2, [*reversed(parts)])):
        version = EvaluatorVersion.objects.get(evaluator__name="ordered", number=number)
        assert [*version.document["graders"]] == wanted


@pytest.mark.parametrize("name", ["a@b", "a/b", " a"])
def test_a_name_that_an_address_cannot_hold_is_refused_in_words(name: str) -> None:
    error = save(name, status=400)["error"]
    assert (error["param"], error["message"]) == (
        "name",
        "A name holds no “@” and no “/”, and does not begin with a space.",
    )
