"""From somebody's JSON to a grader, or to a list of what is wrong with it and where."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from graders.problem import GraderError, Mistake, Problem, likely, quoted
from graders.schema import MAX_DEPTH, Grader, Multi, Steps

_GRADER: TypeAdapter[Grader] = TypeAdapter(Grader)
_MODELS: tuple[type[BaseModel], ...] = get_args(get_args(Grader)[0])
_KINDS = {model.model_fields["type"].default: model for model in _MODELS}

Place = tuple[str | int, ...]


def parse(document: object) -> Grader:
    """Read a grader's JSON, with all forms that OpenAI's reference has. Names that are missing are filled in:
    a part is called as its key, the whole as its type.

    Raises:
        GraderError: with every problem, each with its path in this JSON.
    """
    try:
        grader = _GRADER.validate_python(document)
    except ValidationError as error:
        problems = [_problem(document, details) for details in error.errors(include_url=False)]
        raise GraderError(problems) from None
    return _named(grader, grader.type)


def _named(grader: Grader, name: str) -> Grader:
    update: dict[str, object] = {"name": grader.name or name}
    if isinstance(grader, Multi):
        update["graders"] = {key: _named(part, key) for key, part in grader.graders.items()}
    if isinstance(grader, Steps):
        update["grader"] = _named(grader.grader, "step")
    return grader.model_copy(update=update)


def _problem(document: object, error: ErrorDetails) -> Problem:
    if error["type"] == "recursion_depth_exceeded":
        return Problem("", None, "grader.too_deep", {"most": MAX_DEPTH})
    kind, path = _located(document, error["loc"])
    value = error["input"]
    if error["type"] in ("union_tag_not_found", "union_tag_invalid"):
        path, value = (*path, "type"), value.get("type")
    if error["type"] == "missing":
        value = None
    wrong = _mistake(error, kind, path, value)
    return Problem(".".join(map(str, path)), value, wrong.code, wrong.params, wrong.guess)


def _located(document: object, loc: Place) -> tuple[str, Place]:
    """The kind of the grader that holds the problem, and the problem's path in the document.

    Pydantic's own path names the kind wherever it chose among kinds, and knows parts by name, however they came.
    """
    kind, path = "", tuple[str | int, ...]()
    while loc:
        kind, *rest = map(str, loc)
        if rest[:1] == ["grader"] and len(rest) > 1:  # steps has one grader, without a name
            document = document.get("grader") if isinstance(document, Mapping) else None
            path, loc = (*path, "grader"), loc[2:]
            continue
        if rest[:1] != ["graders"] or len(rest) == 1:
            return kind, (*path, *rest)
        parts = document.get("graders") if isinstance(document, Mapping) else None
        step, document = _part(parts, rest[1])
        path = (*path, "graders", *step)
        loc = loc[3:]
        if loc == ("[key]",):
            break
    return kind, path


def _part(parts: object, name: str) -> tuple[Place, object]:
    """Where the part of this name stands below `graders`, which is an object, a list or a single grader."""
    if isinstance(parts, list):
        return next(((n,), part) for n, part in enumerate(parts) if part.get("name") == name)
    if isinstance(parts, Mapping) and isinstance(parts.get("type"), str):
        return (), parts
    return (name,), parts.get(name) if isinstance(parts, Mapping) else None


# Pydantic's name of an error -> ours, where nothing else is to be said.
_SAME: Mapping[str, str] = {
    "model_attributes_type": "grader.not_an_object",
    "model_type": "grader.not_an_object",
    "dict_type": "multi.not_graders",
    "string_type": "grader.not_text",
    "string_unicode": "grader.not_unicode",
    "float_type": "grader.not_a_number",
    "float_parsing": "grader.not_a_number",
    "finite_number": "grader.not_a_number",
    "int_type": "grader.not_whole",
    "int_parsing": "grader.not_whole",
    "int_from_float": "grader.not_whole",
    "bool_type": "grader.not_a_switch",
    "bool_parsing": "grader.not_a_switch",
    "list_type": "grader.not_a_list",
    "tuple_type": "grader.not_a_list",
    "string_too_short": "grader.empty",
    "too_short": "grader.empty",
    "string_pattern_mismatch": "grader.bad_name",
}
_LIMITS: Mapping[str, str] = {"string_too_long": "grader.text_too_long", "too_long": "grader.too_many"}


def _mistake(error: ErrorDetails, kind: str, path: Place, value: object) -> Mistake:
    context: dict[str, Any] = error.get("ctx", {})  # Any: as Pydantic types it
    match error["type"]:
        case "value_error" if isinstance(context["error"], Mistake):
            return context["error"]
        case "union_tag_not_found":
            return Mistake("grader.type_missing", options=", ".join(_KINDS))
        case "union_tag_invalid":
            return _not_one_of(value, list(_KINDS))
        case "literal_error":
            return _not_one_of(value, re.findall(r"'([^']*)'", context["expected"]))
        case "extra_forbidden":
            return _not_a_field(str(path[-1]), *_holder(kind, path))
        case "missing":
            return Mistake("grader.field_missing", type=kind, field=str(path[-1]))
        case "greater_than_equal":
            return Mistake("grader.too_small", value=quoted(value), least=quoted(context["ge"]))
        case "greater_than":
            return Mistake("grader.not_above", value=quoted(value), bound=quoted(context["gt"]))
        case "less_than_equal":
            return Mistake("grader.too_large", value=quoted(value), most=quoted(context["le"]))
        case "too_long" if path[-1] != "graders":
            return Mistake("grader.list_too_long", most=int(context["max_length"]))
        case "dict_type" if path[-1] != "graders":
            return Mistake("grader.not_json", value=quoted(value))
        case "string_pattern_mismatch" if path[-2:-1] == ("tags",):
            return Mistake("format.bad_tag", value=quoted(value))
        case limit if limit in _LIMITS:
            return Mistake(_LIMITS[limit], most=int(context["max_length"]))
        case same if same in _SAME:
            return Mistake(_SAME[same], value=quoted(value))
        case _:
            return Mistake("grader.invalid", detail=error["msg"])


def _not_one_of(value: object, options: list[str]) -> Mistake:
    guess = likely(value, options) if isinstance(value, str) else None
    return Mistake("grader.not_one_of", guess, value=quoted(value), options=", ".join(options))


def _not_a_field(field: str, holder: str, fields: list[str]) -> Mistake:
    guess = likely(field, fields)
    return Mistake("grader.unknown_field", guess, field=quoted(field), type=holder, options=", ".join(fields))


def _holder(kind: str, path: Place) -> tuple[str, list[str]]:
    """What the field should have been one of: the fields of the grader, or of an object in it, like sampling_params."""
    name, fields = kind, _KINDS[kind].model_fields
    for step in path[:-1]:
        inner = _model_in(fields[str(step)].annotation) if str(step) in fields else None
        if inner is not None:
            name, fields = str(step), inner.model_fields
    return name, list(fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The one model that a field holds, be it in a list or optional. None for none, and for graders."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [one for one in map(_model_in, get_args(annotation)) if one is not None]
    return found[0] if len(found) == 1 else None
