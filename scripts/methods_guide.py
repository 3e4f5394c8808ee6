"""Writes docs/guides/methods.md from the contracts: `python -m scripts.methods_guide`."""

import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import create_model
from pydantic.fields import FieldInfo

from contracts import Contract
from contracts.dataset import SERVES, Shape
from contracts.method import (
    METHODS,
    CanonicalMethod,
    Hyperparameters,
    LoraAdapter,
    RowHyperparameters,
    SamplingHyperparameters,
)
from contracts.method.presets import GRPO_PRESETS, PPO_PRESETS, Preset
from contracts.resolve import RECOMMENDED

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "methods.md"

INTRODUCTION = """\
# Methods

<!-- Written by `python -m scripts.methods_guide`. Change that script or contracts/method/, not this page. -->

A job has one method. It stands in the body of `POST /v1/fine_tuning/jobs` in OpenAI's form, and the page draws its
form from the same description:

```json
{
  "model": "starter",
  "training_file": "arithmetic@1",
  "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}, "lora": {"rank": 16}}}
}
```

OpenAI's `supervised` leads to `full`, or to `lora` when it holds a `lora` block; `reinforcement` leads to `grpo`.
What rows of each kind look like stands in [datasets](datasets.md).
"""

EVALUATOR = {
    "needed": "The evaluator's score is the reward.",
    "optional": "An evaluator may score held-out answers; nothing is learned from it.",
    "none": "It takes no evaluator.",
}


def page() -> str:
    parts = [INTRODUCTION.rstrip(), overview(), automatic(), shared(), *map(section, METHODS.values())]
    return "\n\n".join(parts) + "\n"


def overview() -> str:
    rows = [
        f"| `{name}` | {method.model_config['title']} | {' · '.join(fitting(method.shape))} | {_evaluator(method)} |"
        for name, method in METHODS.items()
    ]
    head = ["| method | is | learns from rows of shape | evaluator |", "|---|---|---|---|"]
    return "\n".join(["## Which one", "", *head, *rows])


def fitting(shape: Shape) -> list[str]:
    return [other for other, served in SERVES.items() if shape in served]


def _evaluator(method: CanonicalMethod) -> str:
    return "needed" if method.is_reinforcement else "none" if method.reward is None else "optional"


def automatic() -> str:
    head = [
        "| method | epochs | batch | learning rate, below 10M parameters | below 100M | above |",
        "|---|---|---|---|---|---|",
    ]
    rows = [
        f"| `{name}` | {r.epochs} | {r.batch} | {_rates(r.tiny)} | {_rates(r.small)} | {_rates(r.large)} |"
        for name, r in RECOMMENDED.items()
    ]
    said = "The job shows what became of every `auto`. Learning rates are for all weights / for an adapter."
    return "\n".join(["## What auto becomes", "", said, "", *head, *rows])


def _rates(rates: tuple[float, float]) -> str:
    return f"{rates[0]:g} / {rates[1]:g}"


def shared() -> str:
    parts = [
        ("## Settings of every method", None, own(Hyperparameters)),
        ("## The `lora` block", LoraAdapter.__doc__, LoraAdapter.model_fields),
        ("## Settings of methods that learn from given answers", None, own(RowHyperparameters)),
        ("## Settings of methods that sample answers", None, own(SamplingHyperparameters)),
    ]
    return "\n\n".join("\n\n".join(filter(None, [title, said, table(fields)])) for title, said, fields in parts)


def section(method: CanonicalMethod) -> str:
    kind = type(method.hyperparameters)
    said = f"{type(method).__doc__} {kind.__doc__} {EVALUATOR[_evaluator(method)]}"
    parts = [f"## {method.type}", textwrap.fill(said, 115, break_on_hyphens=False)]
    if fields := own(kind):
        parts.append(table(fields))
    return "\n\n".join([*parts, *presets(method.type)])


def presets(method: str) -> Iterable[str]:
    known: Mapping[str, Mapping[str, Preset]] = {"grpo": GRPO_PRESETS, "ppo": PPO_PRESETS}
    if method not in known:
        return
    yield "A preset is a starting point: what you set beside it stays."
    rows = [f"| `{name}` | {p.title} | {p.description} | {_settings(p)} |" for name, p in known[method].items()]
    yield "\n".join(["| preset | on the page | | sets |", "|---|---|---|---|", *rows])


def _settings(preset: Preset) -> str:
    return ", ".join(f"`{name}` {_shown(value)}" for name, value in preset.sets.items()) or "nothing"


def own(kind: type[Contract]) -> dict[str, FieldInfo]:
    """Fields that a class adds, or describes otherwise than the class that it is made from."""
    parent = kind.__mro__[1]
    known: Mapping[str, FieldInfo] = getattr(parent, "model_fields", {})
    return {name: field for name, field in kind.model_fields.items() if repr(known.get(name)) != repr(field)}


def table(fields: Mapping[str, FieldInfo]) -> str:
    rows = [
        f"| `{name}` | {field.title} | {_shown(field.default)} | {_limits(field)} | {field.description} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| field | on the page | default | may be | |", "|---|---|---|---|---|", *rows])


def _shown(value: Any) -> str:  # Any: a default of any field
    return value if isinstance(value, str) else json.dumps(value)


def _limits(field: FieldInfo) -> str:
    schema = _schema(field)
    options = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    return ", ".join(_allowed(option) for option in options)


def _schema(field: FieldInfo) -> dict[str, Any]:
    made = create_model("Made", value=(cast(Any, field.annotation), field))  # Any: whatever the field is
    found: dict[str, Any] = made.model_json_schema()["properties"]["value"]
    return found


def _allowed(option: Mapping[str, Any]) -> str:
    if "const" in option:
        return str(option["const"])
    if "enum" in option:
        return ", ".join(one if isinstance(one, str) else json.dumps(one) for one in option["enum"])
    if option["type"] in ("boolean", "array"):
        return "true, false" if option["type"] == "boolean" else "a list of names"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    said = [f"{sign} {option[name]:g}" for name, sign in bounds.items() if name in option]
    return " and ".join(said)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
