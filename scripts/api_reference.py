"""Writes docs/reference/openapi.json and api.md from the routes: `python -m scripts.api_reference`."""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OPENAPI = ROOT / "docs" / "reference" / "openapi.json"
PAGE = ROOT / "docs" / "reference" / "api.md"
INTRODUCTION = """\
# API reference

<!-- Written by `python -m scripts.api_reference`. Change the routes in platform/whetstone/api, not this page. -->

Every route, its parameters and its body. The same as a document for machines: [openapi.json](openapi.json), which a
running platform serves at `/api/openapi.json`. How keys, scopes, errors and repeated requests work is in
[the guide](../guides/api.md).
"""
Json = Any  # Any: JSON


def main() -> None:
    OPENAPI.parent.mkdir(exist_ok=True)
    OPENAPI.write_text(text(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def document() -> Json:
    sys.path.insert(0, str(ROOT / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")
    import django

    django.setup()
    from whetstone.api.document import document as found

    return found()


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def page() -> str:
    found = document()
    by_tag: dict[str, list[str]] = defaultdict(list)
    for path, verbs in found["paths"].items():
        for verb, told in verbs.items():
            by_tag[told.get("tags", ["other"])[0]].append(_operation(found, verb, path, told))
    sections = [f"## {tag.capitalize()}\n\n" + "\n".join(by_tag[tag]) for tag in sorted(by_tag)]
    return INTRODUCTION + "\n" + "\n".join(sections)


def _operation(document: Json, verb: str, path: str, told: Json) -> str:
    lines = [f"### `{verb.upper()} {path}`", ""]
    if told.get("description"):
        lines += [told["description"].strip(), ""]
    rows = [
        (one["name"], one["in"], _type(one["schema"]), one["schema"].get("description", ""), one.get("required"))
        for one in told.get("parameters", [])
    ]
    rows += _body(document, told)
    if rows:
        lines += ["| field | in | type | |", "|---|---|---|---|", *(_row(*row) for row in rows), ""]
    if answers := _answers(told):
        lines += [f"Answers {answers}.", ""]
    return "\n".join(lines)


def _answers(told: Json) -> str:
    contents = {status: one["content"] for status, one in told["responses"].items() if "content" in one}
    schemas = {status: _type(one["application/json"]["schema"]) for status, one in contents.items()}
    return ", ".join(f"{status} `{schema}`" for status, schema in schemas.items() if status != "default")


def _body(document: Json, told: Json) -> list[tuple[str, str, str, str, Any]]:
    content = told.get("requestBody", {}).get("content", {})
    found = []
    for kind, body in content.items():
        schema = _resolved(document, body["schema"])
        place = "form" if "form" in kind else "body"
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            found.append((name, place, _type(field), field.get("description", ""), name in required))
    return found


def _row(name: str, place: str, kind: str, about: str, required: bool | None) -> str:
    text = " ".join(about.split()).replace("|", "\\|")
    return f"| `{name}`{' *' if required else ''} | {place} | {kind} | {text} |"


def _resolved(document: Json, schema: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _type(schema: Json) -> str:
    """A word or two; a schema of its own by its name."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[key]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


if __name__ == "__main__":
    main()
