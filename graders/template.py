"""Texts with variables: `{{ item.answer }}`, `{{ sample.output_tools[0].function.name }}`.

Names are separated by dots; `[0]` counts from the start of a list, `[-1]` from its end; `['a name']` reaches
names that hold dots or spaces. A string stands as it is, everything else as compact JSON.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graders.problem import Mistake, quoted
from graders.receipt import Flagged, Item, Sample

Render = Callable[[Sample, Item], str]

_TAG = re.compile(r"\{\{([^{}]*)\}\}")
_ROOT = re.compile(r"\s*([^\s.\[\]]+)")
_STEP = re.compile(r"""\.([^\s.\[\]'"]+)|\[\s*(?:(-?[0-9]{1,9})|'([^']*)'|"([^"]*)")\s*\]""")


@dataclass(frozen=True, slots=True)
class Variable:
    """One `{{ … }}` of a template."""

    namespace: str
    steps: tuple[str | int, ...]
    tag: str


def split(source: str) -> list[str | Variable]:
    """The literal texts and the variables of a template, in order. Raises Mistake."""
    # re.split with one group gives: literal, tag, literal, tag, ..., literal.
    texts = enumerate(_TAG.split(source))
    parts = [_variable(text) if place % 2 else _literal(text) for place, text in texts]
    return [part for part in parts if part != ""]


def compile_template(source: str) -> Render:
    """A function that fills the template in. Raises Mistake; the function raises Flagged."""
    readers = [_constant(part) if isinstance(part, str) else _reader(part) for part in split(source)]
    if len(readers) == 1:
        return readers[0]
    return lambda sample, item: "".join([read(sample, item) for read in readers])


def columns(source: str) -> frozenset[str]:
    """The columns of the dataset that a template reads. Raises Mistake."""
    variables = [part for part in split(source) if isinstance(part, Variable)]
    return frozenset(str(v.steps[0]) for v in variables if v.namespace == "item")


def _literal(text: str) -> str:
    if "{{" in text:
        raise Mistake("template.unclosed", opening=quoted(text[text.index("{{") :]), closing="}}")
    return text


def _variable(tag: str) -> Variable:
    shown = quoted(tag.strip())
    root = _ROOT.match(tag)
    if root is None:
        raise Mistake("template.not_a_variable", tag=shown)
    if root[1] not in ("item", "sample"):
        raise Mistake("template.namespace", tag=shown)
    steps: list[str | int] = []
    at = root.end()
    while step := _STEP.match(tag, at):
        dotted, index, *names = step.groups()
        steps.append(int(index) if index else next(name for name in (dotted, *names) if name is not None))
        at = step.end()
    if not steps or isinstance(steps[0], int) or tag[at:].strip():
        raise Mistake("template.not_a_variable", tag=shown)
    return Variable(root[1], tuple(steps), tag.strip())


def _constant(text: str) -> Render:
    return lambda sample, item: text


def _reader(variable: Variable) -> Render:
    from_item = variable.namespace == "item"
    first, *rest = variable.steps

    def read(sample: Sample, item: Item) -> str:
        try:
            value = (item if from_item else sample)[first]  # type: ignore[index]  # a name, as split() saw to
            for step in rest:
                value = _inside(value, step)
        except LookupError:
            raise Flagged(_flag_of(variable), f"There is no “{variable.tag}” here.") from None
        return value if type(value) is str else _written(value, variable)

    return read


def _flag_of(variable: Variable) -> str:
    """What is not there because the model did not say it is the answer's fault, and not the template's."""
    is_said = variable.namespace == "sample" and variable.steps[0] in ("output_json", "output_tools")
    return "sample_parse_error" if is_said else "invalid_variable_error"


def _inside(value: object, step: str | int) -> object:
    if isinstance(step, int) and isinstance(value, list | tuple):
        return value[step]
    if isinstance(step, str) and isinstance(value, Mapping):
        return value[step]
    raise LookupError(step)


def _written(value: object, variable: Variable) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        details = f"“{variable.tag}” holds something that JSON cannot say."
        raise Flagged("invalid_variable_error", details) from None
