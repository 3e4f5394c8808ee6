"""Every text that people read, gathered for translation: templates, Python, TypeScript, and the contracts' fields."""

import inspect
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from contracts.catalogue import CATALOGUE
from contracts.evaluation import EvaluationSettings
from whetstone.evaluators.templates import texts
from whetstone.web.schemas import GRADER, METHOD, SPOKEN

PACKAGE = Path(__file__).parents[1]
LOCALES = {"en": "en", "zh_Hans": "zh_Hans_CN"}
PYTHON_KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
SCRIPT_KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
SETTLED = datetime(2026, 1, 1, tzinfo=UTC)  # a date that moved would change the files with every run
MESSAGE = str | tuple[str, ...] | list[str]


def messages(domain: str) -> Catalog:
    """All texts of a domain: `djangojs` is what TypeScript says, `django` everything else."""
    catalog = Catalog(charset="utf-8")
    found = _of_scripts() if domain == "djangojs" else _of_the_platform()
    for text in sorted(found, key=str):
        catalog.add(text, flags={"python-format"} if domain == "django" and _is_formatted(text) else ())
    return catalog


def _is_formatted(text: MESSAGE) -> bool:
    return any("%(" in part for part in ([text] if isinstance(text, str) else text))


def _of_scripts() -> Iterator[MESSAGE]:
    source = PACKAGE.parents[1] / "frontend" / "src"
    for path in sorted(source.rglob("*.ts")):
        with path.open("rb") as file:
            yield from _texts(extract("javascript", file, keywords=SCRIPT_KEYWORDS, options={"jsx": "false"}))


def _of_the_platform() -> Iterator[MESSAGE]:
    for path in sorted(PACKAGE.rglob("*.py")):
        with path.open("rb") as file:
            yield from _texts(extract("python", file, keywords=PYTHON_KEYWORDS))
    for path in sorted(PACKAGE.rglob("templates/**/*.html")):
        source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        yield from _texts(extract("python", io.BytesIO(source.encode()), keywords=PYTHON_KEYWORDS))
    for _cause, sentence, next_step in CATALOGUE.values():
        yield from (sentence, next_step)
    yield from texts()
    for schema in (GRADER, METHOD):
        yield from _of_schema(schema.json_schema())
    yield from _of_schema(EvaluationSettings.model_json_schema())


def _of_schema(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from _of_schema(part)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key in SPOKEN and isinstance(value, str) and value:
                yield inspect.cleandoc(value)
            else:
                yield from _of_schema(value)


def _texts(found: Any) -> Iterator[MESSAGE]:
    """Babel's findings without places and comments."""
    for _line, text, _comments, _context in found:
        if text and text != ("", ""):
            yield text


def path_of(locale: str, domain: str) -> Path:
    return PACKAGE / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"


def load(locale: str, domain: str) -> Catalog:
    path = path_of(locale, domain)
    if not path.exists():
        return Catalog(locale=LOCALES[locale], domain=domain, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=LOCALES[locale], domain=domain)


def update(locale: str, domain: str) -> Catalog:
    """The catalogue with exactly the texts that there are now. English speaks for itself."""
    catalog = load(locale, domain)
    catalog.update(messages(domain), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.project, catalog.header_comment = "Whetstone", ""
    catalog.creation_date = catalog.revision_date = SETTLED
    for message in catalog:
        if locale == "en" and message.id:
            message.string = message.id if isinstance(message.id, str) else tuple(message.id)
    return catalog


def save(catalog: Catalog, locale: str, domain: str) -> None:
    path = path_of(locale, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, omit_header=False, ignore_obsolete=True, no_location=True)


def gaps(locale: str, domain: str) -> list[str]:
    """Texts that have no translation, an uncertain one, or one whose placeholders differ."""
    catalog = load(locale, domain)
    wanted = messages(domain)
    missing = [str(m.id) for m in wanted if m.id and not _is_translated(catalog, m.id)]
    uncertain = [str(m.id) for m in catalog if m.id and m.fuzzy]
    broken = [str(m.id) for m, errors in catalog.check() if errors and m.id]
    return sorted({*missing, *uncertain, *broken})


def _is_translated(catalog: Catalog, text: MESSAGE) -> bool:
    message = catalog.get(text if isinstance(text, str) else text[0])
    if message is None:
        return False
    return all(message.string) if isinstance(message.string, list | tuple) else bool(message.string)
