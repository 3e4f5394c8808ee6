"""What a model's chat template makes of a conversation, found out in a jail: a template is a program of its author."""

import re
from textwrap import dedent
from typing import Any

from contracts.fault import Fault
from graders.sandbox import Jail, Limits, Unsafe
from whetstone.artifacts.store import find, open_blob
from whetstone.modelhub.inspection.config import LARGEST, Config, read_json
from whetstone.modelhub.models import Model

FILE, CONFIG = "chat_template.jinja", "tokenizer_config.json"
TIMEOUT_S = 2
LIMITS = Limits(timeout_s=TIMEOUT_S, memory_mb=512, scratch_mb=1)
LONGEST = 20_000
"""Characters of what it makes that are shown."""
SAMPLE: list[dict[str, Any]] = [  # Any: JSON
    {"role": "system", "content": "You answer in one word."},
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris"},
    {"role": "user", "content": "And of Italy?"},
]
LATE = re.compile("did not finish|more processor time")

# As transformers sets its environment up (utils/chat_template_utils.py), with its `generation` block and functions.
SOURCE = dedent(
    """
    import json
    from datetime import datetime
    from jinja2 import nodes
    from jinja2.exceptions import TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return nodes.Scope(body, lineno=line)

    def refuse(message):
        raise TemplateError(message)

    def grade(sample, item):
        world = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
        )
        world.filters["tojson"] = lambda value, indent=None, **_: json.dumps(value, ensure_ascii=False, indent=indent)
        world.globals["raise_exception"] = refuse
        world.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        try:
            print(world.from_string(sample["template"]).render(**item), end="")
        except TemplateError as error:
            print(f"{type(error).__name__}: {error}", end="")
            return 0.0
        return 1.0
    """
)


def template_of(model: Model) -> str:
    """The template's text; empty where the model has none. Raises Fault model.broken_json or artifact.lost."""
    if (content := _content(model, FILE)) is not None:
        return content.decode("utf-8", "replace")
    told = _tokenizer_config(model).get("chat_template")
    if isinstance(told, list):  # several under names: the one that is taken where nobody asks for another
        named = {str(one.get("name")): one.get("template") for one in told if isinstance(one, dict)}
        told = named.get("default")
    return told if isinstance(told, str) else ""


def lacks_template(model: Model) -> bool:
    """Whether a tokenizer came with it, and no chat template: no conversation can be put to such a model."""
    files = {file.path: file.sha256 for file in model.ref().files}
    return FILE not in files and CONFIG in files and not _is_told(model, files[CONFIG])


def _is_told(model: Model, sha256: str) -> bool:
    """Files never change, so each is read once."""
    if (model.team_id, sha256) not in _told:
        _told[(model.team_id, sha256)] = bool(template_of(model))
    return _told[(model.team_id, sha256)]


_told: dict[tuple[int, str], bool] = {}


def rendered(model: Model, messages: list[dict[str, Any]]) -> str:  # Any: JSON
    """The conversation as the model would read it. Raises Fault template.*."""
    template = template_of(model)
    if not template:
        raise Fault("template.none")
    tokens = {name: _text(value) for name, value in _tokenizer_config(model).items() if name.endswith("_token")}
    item = tokens | {"messages": messages, "add_generation_prompt": True}
    with Jail(SOURCE, ("jinja2", "jinja2.sandbox", "jinja2.ext"), LIMITS) as jail:
        try:
            verdict = jail.run([({"template": template}, item)], shown=LONGEST)[0]
        except (Unsafe, OSError) as error:
            raise Fault("template.no_jail", detail=str(error)) from None
    if verdict.score == 1.0:
        return verdict.printed
    if LATE.search(verdict.error or ""):
        raise Fault("template.too_slow", seconds=TIMEOUT_S)
    told = verdict.printed or verdict.error or verdict.unscored or "–"
    raise Fault("template.broken", detail=told.strip().splitlines()[-1][:500])


def _text(token: object) -> str:
    """A token stands as a text, or as an object that says how it is matched."""
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")


def _tokenizer_config(model: Model) -> Config:
    content = _content(model, CONFIG)
    return read_json(content, CONFIG) if content is not None else {}


def _content(model: Model, path: str) -> bytes | None:
    """Of one of its files, or of its base's where it is an adapter."""
    found = next((file.sha256 for file in model.ref().files if file.path == path), None)
    if found is None:
        return None
    blob = find(model.team, found)
    if blob is None:
        raise Fault("artifact.lost", path=path)
    with open_blob(blob) as content:
        return content.read(LARGEST + 1)
