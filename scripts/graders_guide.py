"""Writes docs/guides/graders.md from the graders themselves: `python -m scripts.graders_guide`."""

import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from graders import Conversation, Port, grade, parse
from graders.schema import Multi, Number, Regex, RewardModelGrader, StringCheck, TextSimilarity

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "graders.md"

INTRODUCTION = """\
# Graders

<!-- Written by `python -m scripts.graders_guide`. Change that script or graders/schema.py, not this page. -->

A grader is a JSON document that turns one answer of a model into a score. The JSON is OpenAI's where OpenAI has the
kind. The results below are what the code said when this page was made.

```python
from graders import grade, parse

grader = parse({"type": "string_check", "reference": "{{ item.answer }}"})
grades = grade(grader, [{"output_text": "42"}], [{"answer": "42"}])
```

`grade` takes a batch and gives a receipt for each sample: `score`, `errors` by OpenAI's flag names, `sub` with the
receipts of the parts, `time_s`, and `passed` where the grader has a `pass_threshold`. Scores are not clamped. A score
of `None` means *not scored*, which is not 0. `parse` raises `GraderError` with every problem at its path in the JSON.

## Templates

`{{ item.column }}` is a column of the dataset, `{{ sample.output_text }}` what the model said and
`{{ sample.prompt[-1].content }}` what it was asked. Names are separated by dots, lists counted from 0
(`{{ sample.output_tools[0].function.name }}`) or from the end (`[-1]`), and names with spaces stand in brackets
(`{{ item['the answer'] }}`). Text stands as it is, everything else as compact JSON. A variable that is not there
scores 0 with `invalid_variable_error`.
"""


class ByLength:
    """A scorer that needs no model: the longer the last message, the better."""

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        return [float(len(conversation[-1]["content"])) for conversation in conversations]


PORT = f"""\
The library loads no model. Who calls `grade` brings a port along, through which reward models are asked:

```python
{inspect.getsource(ByLength).strip()}


grades = grade(grader, samples, items, Port(scorers=ByLength()))
```

A job's worker loads the models that its evaluator names. On the page and in the API there is none, and without one
nothing is scored.
"""

EXACT = {"type": "string_check", "reference": "{{ item.answer }}"}
NUMBER = {"type": "number", "reference": "{{ item.answer }}"}
Example = tuple[Mapping[str, object], str, object]
"""Grader, the model's answer, the dataset's column `answer`."""

EXAMPLES: list[tuple[type[BaseModel], str, list[Example]]] = [
    (
        StringCheck,
        "Nothing is trimmed. `like` and `ilike` look for the reference inside the text; an empty reference is in every "
        "text. OpenAI's older word `neq` is read as `ne`.",
        [
            (EXACT, "42", "42"),
            (EXACT, "The answer is 42", "42"),
            (EXACT | {"operation": "ilike"}, "It is a CAT.", "cat"),
        ],
    ),
    (
        TextSimilarity,
        "`fuzzy_match` is `rapidfuzz.fuzz.ratio` over 100: 1 − (insertions + deletions) / (both lengths). OpenAI does "
        "not say which function of rapidfuzz it uses. Two texts whose lengths multiply to more than 10^10 are not "
        "compared: 0 with `other_error`.",
        [
            (EXACT | {"type": "text_similarity"}, "fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair"),
            (EXACT | {"type": "text_similarity"}, "gallstone ileus", "gall stone ileus"),
        ],
    ),
    (
        Number,
        "Reads `-3.5`, `−7`, `.5`, `1,234,567`, `6e-3`, `$12`, `3/4` and `25%`, exactly and however long. Right is "
        "|answer − right| ≤ max(absolute tolerance, relative tolerance × |right|). A percent sign on one side only may "
        "be meant either way: 25% equals 25 and 0.25. No number in the answer is 0; none in the reference is 0 with "
        "`other_error`.",
        [
            (NUMBER, "16 − 3 − 4 = 9, so she makes $18.", "#### 18"),
            (NUMBER | {"relative_tolerance": 0.01}, "about 3.14", "3.14159"),
            (NUMBER | {"pick": "only"}, "18 dollars", 18),
        ],
    ),
    (
        Regex,
        "RE2 syntax: no look-around, no back-references, and no pattern that hangs. With a `reference`, the first "
        "group of the last match must equal it. A text too long for a huge pattern is 0 with `other_error`.",
        [
            ({"type": "regex", "pattern": "(?s)^<think>.*</think>"}, "<think>16 - 7</think> 9", ""),
            (
                {"type": "regex", "pattern": "answer: (\\w+)", "reference": "{{ item.answer }}"},
                "answer: 7. No, answer: 9",
                "9",
            ),
        ],
    ),
    (
        RewardModelGrader,
        "What is scored is a conversation that ends with the answer: the messages in `sample.prompt`, then "
        "`sample.output_text`; or, with `input`, whatever its messages say. Whatever goes wrong is not scored, and "
        "never 0: these scores have no lowest one. Only differences between answers to the same prompt mean "
        "something; for another scale write a formula, like `(quality - 2) / 3`.",
        [
            ({"type": "reward_model", "model": "helpful"}, "Paris.", ""),
            ({"type": "reward_model", "model": "helpful", "scale": "sigmoid"}, "It is", ""),
        ],
    ),
    (
        Multi,
        "`^` binds tightest and to the right, `log` is natural. Parts may be `multi` themselves, up to five deep, "
        "which OpenAI does not allow. A formula without a value (division by zero, overflow) is 0 with "
        "`formula_parse_error`.",
        [
            (
                {
                    "type": "multi",
                    "graders": {"right": NUMBER, "brief": {"type": "regex", "pattern": r"^\S{1,8}$"}},
                    "calculate_output": "0.9 * right + 0.1 * brief",
                },
                "it is 18",
                18,
            ),
        ],
    ),
]


def page() -> str:
    return INTRODUCTION + "".join(section(model, note, examples) for model, note, examples in EXAMPLES)


def section(model: type[BaseModel], note: str, examples: list[Example]) -> str:
    kind = model.model_fields["type"].default
    shown = "\n".join(example(*given) for given in examples)
    said = textwrap.fill(f"{model.__doc__} {note}", 115, break_on_hyphens=False)
    more = f"{PORT}\n" if model is RewardModelGrader else ""
    return f"\n## {kind}\n\n{said}\n\n{fields(model)}\n\n{more}{shown}"


def fields(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {'needed' if field.is_required() else f'`{json.dumps(field.default)}`'} | {field.description} |"
        for name, field in model.model_fields.items()
        if name != "type"
    ]
    return "\n".join(["| field | default | |", "|---|---|---|", *rows])


def example(grader: Mapping[str, object], text: str, answer: object) -> str:
    sample = {"output_text": text, "prompt": [{"role": "user", "content": "What is the capital of France?"}]}
    (receipt,) = grade(parse(grader), [sample], [{"answer": answer}], Port(scorers=ByLength()))
    parts = ", ".join(f"{name} {part.score}" for name, part in receipt.sub.items())
    given = f"output_text {json.dumps(text, ensure_ascii=False)}, item.answer {json.dumps(answer)}"
    document = json.dumps(grader, indent=2, ensure_ascii=False)
    return f"```json\n{document}\n```\n\n{given} → **{receipt.score}**{f' ({parts})' if parts else ''}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
