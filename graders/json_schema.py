"""JSON Schema that cannot hang: no reference leaves the schema, patterns are RE2, and every step is counted.

Draft 2020-12, or what `$schema` names. A schema can take exponential time (references to references to references), and
a hostile answer quadratic time; both are stopped after a fixed amount of work, which is about a second.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from graders.pattern import Pattern
from graders.problem import Mistake, quoted
from graders.receipt import Flagged

MAX_WORK = 100_000
_COSTLY = {"$ref": 10, "anyOf": 10, "oneOf": 10, "not": 10, "if": 10, "contains": 10}
_SEARCHING = ("patternProperties", "additionalProperties")
SHOWN = 5
"""Of an answer's problems, how many are told."""
_CHARACTERS_A_STEP = 200
_UNBOUNDED = ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef")

Keyword = Callable[[Any, Any, Any, Any], Iterator[Any] | None]  # Any: as jsonschema types them


class _Work(threading.local):
    """What is left of the work that one answer may take, and how large its parts are."""

    left = 0
    sizes: Mapping[int, int] = {}

    def begin(self, answer: object) -> None:
        sizes: dict[int, int] = {}
        _measure(answer, sizes)
        self.left, self.sizes = MAX_WORK, sizes

    def spend(self, instance: object, cost: int) -> None:
        size = len(instance) if isinstance(instance, str) else self.sizes.get(id(instance), 1)
        self.left -= cost + size // _CHARACTERS_A_STEP
        if self.left < 0:
            raise Flagged("other_error", "The answer takes too much work with this JSON Schema.")


class JsonSchema:
    """A schema that was read once. Raises Mistake when it is none, or one that could not be held back."""

    def __init__(self, document: dict[str, Any]) -> None:
        # Slow to load, and most graders need none of it.
        from jsonschema import Draft202012Validator, SchemaError, validators
        from jsonschema_specifications import REGISTRY

        base = validators.validator_for(document, default=Draft202012Validator)
        try:
            base.check_schema(document)
            _check_parts(document)
        except SchemaError as error:
            raise Mistake("json_schema.invalid", where=error.json_path, detail=quoted(error.message)) from None
        except RecursionError:
            raise Mistake("json_schema.too_deep") from None
        self._work = _Work()
        own: dict[str, Keyword] = {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,  # which searches keys for the patterns itself
            "uniqueItems": _unique_items,
        }
        standing: Mapping[str, Keyword] = base.VALIDATORS
        keywords = {name: self._counted(name, own.get(name, found)) for name, found in standing.items()}
        self._validator = validators.extend(base, keywords)(document, registry=REGISTRY)  # type: ignore[no-untyped-call]
        self._refuse_endless()

    def problems(self, answer: object) -> list[str]:
        """What is wrong with this JSON, with paths: the first few. Raises Flagged when that takes too much work."""
        try:
            self._work.begin(answer)
            return [f"{error.json_path}: {quoted(error.message)}" for error in islice(self._errors(answer), SHOWN)]
        except RecursionError:
            raise Flagged("other_error", "The answer or its JSON Schema nests too deep.") from None

    def _errors(self, answer: object) -> Iterator[Any]:
        found: Iterator[Any] = self._validator.iter_errors(answer)
        return found

    def _counted(self, name: str, keyword: Keyword) -> Keyword:
        cost = _COSTLY.get(name, 1)

        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any] | None:
            is_searched = name in _SEARCHING and isinstance(instance, dict)
            searches = len(schema.get("patternProperties", ())) * len(instance) if is_searched else 0
            self._work.spend(instance, cost + searches)
            return keyword(validator, value, instance, schema)

        return counted

    def _refuse_endless(self) -> None:
        """`{"$ref": "#"}` and its like, which no answer ever gets through."""
        try:
            self._work.begin(None)
            next(self._errors(None), None)
        except RecursionError:
            raise Mistake("json_schema.endless") from None
        except Flagged:
            raise Mistake("json_schema.too_much") from None


def typed(value: object) -> object:
    """JSON in a form in which == tells types apart: true is not 1, "5" is not 5, and 5.0 is 5. Can be hashed."""
    if isinstance(value, bool) or value is None:
        return ("constant", str(value))
    if isinstance(value, Mapping):
        return ("object", frozenset((key, typed(inner)) for key, inner in value.items()))
    return ("list", tuple(map(typed, value))) if isinstance(value, list | tuple) else value


def _measure(value: object, sizes: dict[int, int]) -> int:
    """Fills in about how many characters each object and list takes when it is written."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        size = sum(len(key) + _measure(inner, sizes) for key, inner in value.items())
    elif isinstance(value, list):
        size = sum(_measure(inner, sizes) for inner in value)
    else:
        return 1
    sizes[id(value)] = size
    return size + 1


def _check_parts(document: Mapping[str, Any]) -> None:
    """Raises Mistake for a reference that leads out or nowhere, a pattern that RE2 cannot read, or no bound."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resource = DRAFT202012.create_resource(document)
    pending = [(resource, Registry().with_resource("", resource).resolver(""))]
    while pending:
        part, resolver = pending.pop()
        if isinstance(schema := part.contents, Mapping):
            _check_part(schema)
            reference = schema.get("$ref", "#")
            if not reference.startswith("#"):
                raise Mistake("json_schema.leads_out", reference=quoted(reference))
            try:
                resolver.lookup(reference)
            except Unresolvable:
                raise Mistake("json_schema.leads_nowhere", reference=quoted(reference)) from None
        pending += [(inner, resolver.in_subresource(inner)) for inner in part.subresources()]


def _check_part(schema: Mapping[str, Any]) -> None:
    for keyword in _UNBOUNDED:
        if keyword in schema:
            raise Mistake("json_schema.not_here", keyword=keyword)
    for pattern in (*schema.get("patternProperties", ()), *([schema["pattern"]] if "pattern" in schema else ())):
        Pattern(pattern)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and not Pattern.of(pattern).found(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for key, value in instance.items():
            if Pattern.of(pattern).found(key):
                yield from validator.descend(value, inner, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not isinstance(instance, dict):
        return
    patterns = [Pattern.of(pattern) for pattern in schema.get("patternProperties", ())]
    known = schema.get("properties", {})
    extra = [key for key in instance if key not in known and not any(pattern.found(key) for pattern in patterns)]
    if allowed is False and extra:
        yield ValidationError(f"additional properties are not allowed: {', '.join(extra[:SHOWN])}")
    elif isinstance(allowed, dict):
        for key in extra:
            yield from validator.descend(instance[key], allowed, path=key)


def _unique_items(validator: Any, is_asked: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if is_asked and isinstance(instance, list) and len({typed(item) for item in instance}) < len(instance):
        yield ValidationError("the list holds the same twice")
