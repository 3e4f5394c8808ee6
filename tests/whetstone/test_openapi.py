"""The document of the API: what is committed, what is served, and the routes are the same."""

import json
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from scripts import api_reference
from whetstone.api.document import document
from whetstone.api.openai.requests import CompletionRequest


def test_the_committed_document_and_page_say_what_the_routes_are() -> None:
    told = "run python -m scripts.api_reference"
    assert api_reference.OPENAPI.read_text(encoding="utf-8") == api_reference.text(), told
    assert api_reference.PAGE.read_text(encoding="utf-8") == api_reference.page(), told


def test_the_platform_serves_the_same_without_a_key() -> None:
    answer = Client().get("/api/openapi.json")
    assert answer.json() == json.loads(api_reference.OPENAPI.read_text(encoding="utf-8"))


def test_every_operation_has_a_name_of_its_own_and_says_how_it_fails() -> None:
    told = [one for verbs in document()["paths"].values() for one in verbs.values()]
    names = [one["operationId"] for one in told]
    assert len(names) == len(set(names))
    assert {"jobs_create", "files_create", "native_jobs_check_draft", "webhooks_rotate_secret"} <= set(names)
    assert all("default" in one["responses"] for one in told)


def test_every_answer_in_json_is_described() -> None:
    """That it is described rightly is seen in every other test: the fixture `conformance`."""
    told = [answer for verbs in document()["paths"].values() for one in verbs.values() for answer in _schemas(one)]
    assert len(told) > 60
    assert [schema for schema in told if not {"$ref", "anyOf"} & schema.keys()] == []
    assert [name for name in document()["components"]["schemas"] if "__" in name] == [], "two of one name"


def _schemas(operation: Any) -> list[Any]:  # Any: JSON
    contents = [answer.get("content", {}) for answer in operation["responses"].values()]
    return [content["application/json"]["schema"] for content in contents if "application/json" in content]


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= document()["components"]["schemas"].keys()


@pytest.mark.parametrize("name", sorted(document()["components"]["schemas"]))
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(document()["components"]["schemas"][name])


def test_an_error_is_as_the_document_says() -> None:
    schema = {"$ref": "#/components/schemas/Error", "components": document()["components"]}
    for path in ("/v1/models", "/v1/files/x", "/api/v1/nothing", "/v1/fine_tuning/jobs?limit=x"):
        Draft202012Validator(schema).validate(Client().get(path).json())


@pytest.mark.parametrize(("sent", "kept"), [(None, None), ("a", ["a"]), (["a", "b"], ["a", "b"])])
def test_stop_may_be_nothing_one_text_or_several(sent: object, kept: object) -> None:
    asked = {"model": "m", "prompt": "p", "stop": sent}
    assert CompletionRequest.model_validate(asked).stop == kept
