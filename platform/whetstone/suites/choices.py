"""Multiple choice in the layouts that are published: MMLU (Hendrycks et al., arXiv:2009.03300), its like, and ARC."""

from string import ascii_uppercase

from pydantic import JsonValue

from whetstone.suites.task import Row, Task, Unreadable, text_in

MOST = 10
ASKED = "{about}{question}\n\n{choices}\n\nAnswer with the letter of the right choice."
ABOUT = "A multiple choice question about {subject}.\n\n"
GRADER: dict[str, JsonValue] = {
    "type": "regex",
    "name": "choice",
    "pattern": r"(?:^|[^A-Za-z0-9])\(?([A-J])(?:[^A-Za-z0-9]|$)",
    "reference": "{{ item.answer }}",
}
"""The last capital letter that stands alone: “The answer is (C).” """
WITHOUT_HEADER = ("question", "A", "B", "C", "D", "answer")
"""The columns of MMLU's CSV files, which have no line that names them."""


def read(row: Row) -> Task:
    """`question`, the choices and the right one. Raises Unreadable."""
    stem = row.get("question")
    nested = stem if isinstance(stem, dict) else {}
    question = text_in(nested, "stem") if nested else text_in(row, "question", "input")
    labels, texts = _choices(row, nested)
    right = _right(row, labels)
    subject = row.get("subject")
    about = ABOUT.format(subject=subject.replace("_", " ")) if isinstance(subject, str) and subject else ""
    shown = "\n".join(f"{letter}. {text}" for letter, text in zip(ascii_uppercase, texts, strict=False))
    item: dict[str, JsonValue] = {"answer": right}
    if about:
        item["subject"] = subject
    return Task(ASKED.format(about=about, question=question, choices=shown), right, item)


def _choices(row: Row, nested: Row) -> tuple[list[str], list[str]]:
    """What the file calls the choices, and their texts."""
    given = nested.get("choices") or row.get("choices") or row.get("options")
    if isinstance(given, dict):  # ARC as parquet: {"label": […], "text": […]}
        labels, texts = given.get("label"), given.get("text")
        given = [{"label": a, "text": b} for a, b in zip(_list(labels), _list(texts), strict=False)]
    if given is None:
        given = [row[letter] for letter in ascii_uppercase[:MOST] if row.get(letter) not in (None, "")]
    found = [_choice(one, ascii_uppercase[n]) for n, one in enumerate(_list(given)[:MOST])]
    if len(found) < 2:
        raise Unreadable("no choices: neither columns A, B, C, D nor a list under “choices”")
    return [label for label, _ in found], [text for _, text in found]


def _choice(one: JsonValue, letter: str) -> tuple[str, str]:
    if isinstance(one, dict):
        return str(one.get("label", letter)), str(one.get("text", "")).strip()
    return letter, str(one).strip()


def _right(row: Row, labels: list[str]) -> str:
    """The letter under which the right choice is shown."""
    given = next((row[name] for name in ("answer", "answerKey", "label", "target") if row.get(name) is not None), None)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < len(labels):
        return ascii_uppercase[given]
    said = str(given).strip()
    place = next((n for n, label in enumerate(labels) if label == said), None)
    if place is None and len(said) == 1 and said in ascii_uppercase[: len(labels)]:
        place = ascii_uppercase.index(said)
    if place is None:
        raise Unreadable(f"the right choice “{said[:40]}” is none of {', '.join(labels)}")
    return ascii_uppercase[place]


def _list(value: object) -> list[JsonValue]:
    return value if isinstance(value, list) else []
