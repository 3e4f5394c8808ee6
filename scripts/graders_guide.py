"""Writes docs/guides/graders.md from the graders themselves: `python -m scripts.graders_guide`."""

import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from graders import Answer, Conversation, Grade, Port, Question, Reply, Service, Vector, grade, parse
from graders.port import Json
from graders.schema import RewardModelGrader
from scripts.graders_examples import EXAMPLES, Example

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "graders.md"

INTRODUCTION = """\
# Graders

<!-- Written by `python -m scripts.graders_guide`. Change that script or graders/schema/, not this page. -->

A grader is a JSON document that turns one answer of a model into a score. The JSON is OpenAI's where OpenAI has the
kind. The results below are what the code said when this page was made.

```python
from graders import grade, parse

grader = parse({"type": "string_check", "reference": "{{ item.answer }}"})
grades = grade(grader, [{"output_text": "42"}], [{"answer": "42"}])
```

`grade` takes a batch and gives a receipt for each sample: `score`, `errors` by OpenAI's flag names, `sub` with the
receipts of the parts, `evidence` that explains the score, `usage` of models that were asked, `time_s`, `passed` where
the grader has a `pass_threshold`, and `version`, a digest of the grader. Scores are not clamped. A score of `None`
means *not scored*, which is not 0. `parse` raises `GraderError` with every problem at its path in the JSON.

Without writing Python, a file of answers is graded by

```sh
python -m graders run grader.json rows.jsonl --output grades.jsonl
```

where a row is `{"item": {…}, "sample": "the answer"}`, or an item with its answer in the column that `--sample` names.
`python -m graders check grader.json` says what is wrong with a grader, and `python -m graders sandbox` whether code can
be held back on this machine. Judges are asked at `OPENAI_BASE_URL` with `OPENAI_API_KEY`, each by the name that the
grader calls it; `${secret:NAME}` in a header is the environment variable `NAME`; `--cache FILE` remembers answers.

## Can it be gamed?

Reinforcement learning finds whatever a reward pays for. The builder's *Attack it*, `POST /api/v1/graders/attack` and
`graders.attack.attack` grade six cheap tricks on rows of a dataset beside the right answer: an empty answer, the right
one thirty times, the right one after a thousand words, the prompt, all right answers at once, and the bare result
without its form. One that scores as much as the right answer is a hole.

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

A job's worker loads the models that its evaluator names. A trial, on the page or over the API, asks one that is
[deployed](deployments.md#reward-models), and says where to deploy it when none is.
"""


class OneJudge:
    """Says what stands here, whatever it is asked."""

    def __init__(self, said: Mapping[str, object]) -> None:
        self._said = json.dumps(said)

    def ask(self, model: str, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(self._said) for _ in questions]


class ByVowels:
    """Embeds a text as its counts of a and o."""

    def embed(self, model: str, texts: Sequence[str]) -> list[Vector]:
        return [Vector([float(text.count("a")), float(text.count("o"))]) for text in texts]


class OneService:
    """Answers every request with the same score."""

    def post(self, service: Service, bodies: Sequence[Json]) -> list[Reply]:
        return [Reply({"score": 0.7}) for _ in bodies]


# What the judge of the examples says: all of it at once, so that each kind finds what it asked for.
STEP = {"description": "Is the capital named?", "conclusion": "Yes, Paris."}
MET = {"number": 1, "reason": "It names Paris.", "score": 1}
NOT_MET = {"number": 2, "reason": "It does not greet.", "score": 0}
SAID = {"steps": [STEP], "result": 0.8, "criteria": [MET, NOT_MET]}


def page() -> str:
    return INTRODUCTION + overview() + "".join(section(model, note, examples) for model, note, examples in EXAMPLES)


def overview() -> str:
    rows = [_row(model, examples[0]) for model, _, examples in EXAMPLES]
    return "\n".join(["\n## All kinds\n", "| kind | promise | the first example below |", "|---|---|---|", *rows, ""])


def _row(model: type[BaseModel], first: Example) -> str:
    kind = model.model_fields["type"].default
    text = " ".join(first[1].split())
    shown = (text if len(text) <= 40 else text[:39] + "…").replace("|", "\\|").replace("`", "'")
    promise = " ".join((model.__doc__ or "").split())
    return f"| [`{kind}`](#{kind}) | {promise} | `{shown or ' '}` → {receipt_of(*first).score} |"


def section(model: type[BaseModel], note: str, examples: list[Example]) -> str:
    kind = model.model_fields["type"].default
    shown = "\n".join(example(*given) for given in examples)
    said = textwrap.fill(f"{model.__doc__} {note}", 115, break_on_hyphens=False)
    more = f"{PORT}\n" if model is RewardModelGrader else ""
    return f"\n## {kind}\n\n{said}\n\n{fields(model)}\n\n{more}{shown}"


def fields(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {'needed' if field.is_required() else f'`{shown_default(field)}`'} | {field.description} |"
        for name, field in model.model_fields.items()
        if name != "type"
    ]
    return "\n".join(["| field | default | |", "|---|---|---|", *rows])


def shown_default(field: FieldInfo) -> str:
    return json.dumps(field.get_default(call_default_factory=True))


def receipt_of(grader: Mapping[str, object], text: str, answer: object) -> Grade:
    sample = {"output_text": text, "prompt": [{"role": "user", "content": "What is the capital of France?"}]}
    said = SAID | ({"result": "neutral"} if grader["type"] == "label_model" else {})
    port = Port(scorers=ByLength(), judges=OneJudge(said), embedders=ByVowels(), services=OneService())
    (receipt,) = grade(parse(grader), [sample], [{"answer": answer}], port)
    return receipt


def example(grader: Mapping[str, object], text: str, answer: object) -> str:
    receipt = receipt_of(grader, text, answer)
    parts = ", ".join(f"{name} {part.score}" for name, part in receipt.sub.items())
    given = f"output_text {json.dumps(text, ensure_ascii=False)}, item.answer {json.dumps(answer)}"
    document = json.dumps(grader, indent=2, ensure_ascii=False)
    evidence = {key: value for key, value in (receipt.evidence or {}).items() if key != "trace_id"}  # drawn anew
    seen = f"\n\nEvidence: `{json.dumps(evidence, ensure_ascii=False)}`" if evidence else ""
    return f"```json\n{document}\n```\n\n{given} → **{receipt.score}**{f' ({parts})' if parts else ''}{seen}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
