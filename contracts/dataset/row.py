"""One row, read as the mapping says."""

from collections.abc import Mapping

from pydantic import JsonValue

from contracts import Contract
from contracts.dataset.conversation import Message, Turns, conversation, question
from contracts.dataset.mapping import RESERVED, TOOLS, Column, ColumnMapping
from contracts.fault import Fault

Row = Mapping[str, JsonValue]

# True is 1 and False is 0, for Python as for most files.
GOOD: frozenset[JsonValue] = frozenset({1, "1", "true", "yes", "good", "desirable", "chosen", "positive"})
BAD: frozenset[JsonValue] = frozenset({0, "0", "false", "no", "bad", "undesirable", "rejected", "negative"})


class PreparedRow(Contract):
    """A row, ready for a trainer: the conversation so far, what is known of answers to it, the grader's item."""

    prompt: tuple[Message, ...]
    completion: str | None
    """The answer to imitate; the better one of a preference; the one that a label judges."""
    item: dict[str, JsonValue]
    rejected: str | None = None
    """The worse answer of a preference."""
    label: bool | None = None
    """Whether the completion is a good one, where rows are labelled."""


def prepare(row: Row, mapping: ColumnMapping) -> PreparedRow:
    """Read one row as the mapping says.

    Raises:
        ValueError: with a sentence, when the row does not hold what the mapping promises.
        Fault: dataset.not_mapped, when the mapping promises nothing.
    """
    _refuse_tools(row, mapping)
    if mapping.first("chosen"):
        return _pair(row, mapping)
    turns, completion = _answered(row, mapping)
    label = _label(row, mapping)
    if label is not None and completion is None:
        raise ValueError("it has a label, and no answer that the label could judge")
    return PreparedRow(prompt=turns, completion=completion, item=_item(row, mapping), label=label)


def _refuse_tools(row: Row, mapping: ColumnMapping) -> None:
    """Nobody would offer them to the model: better said than silently trained without. Ignored columns are nothing."""
    ignored = {column.name for column in mapping.columns if column.role == "ignored"}
    for name in TOOLS:
        if row.get(name) and name not in ignored:
            raise ValueError(f"“{name}” is not empty, and tools are not supported yet")


def labelled(row: PreparedRow) -> tuple[PreparedRow, ...]:
    """The row as labelled answers: a pair becomes a good and a bad one, a labelled row stays what it is.

    Raises:
        ValueError: when nothing is known of how good its answer is.
    """
    if row.rejected is not None:
        good = row.model_copy(update={"rejected": None, "label": True})
        return good, good.model_copy(update={"completion": row.rejected, "label": False})
    if row.label is None:
        raise ValueError("nothing says whether its answer is good or bad")
    return (row,)


def _answered(row: Row, mapping: ColumnMapping) -> tuple[Turns, str | None]:
    """The prompt, and the answer to it if the row holds one."""
    turns = _turns(row, mapping)
    if mapping.first("prompt") and (column := mapping.first("completion")):
        return turns, _answer(_value(row, column), column.name, turns)
    if turns[-1].role != "assistant":
        return turns, None
    if len(turns) == 1:
        raise ValueError("the conversation has no turn before the answer")
    return turns[:-1], turns[-1].content


def _turns(row: Row, mapping: ColumnMapping) -> Turns:
    if column := mapping.first("messages"):
        return conversation(row.get(column.name), column.name)
    prompt = mapping.first("prompt")
    if prompt is None:
        raise Fault("dataset.not_mapped", dataset="")
    turns = question(_value(row, prompt), prompt.name)
    if system := mapping.first("system"):
        return (Message(role="system", content=_text(row, system)), *turns)
    return turns


def _pair(row: Row, mapping: ColumnMapping) -> PreparedRow:
    better, worse = mapping.first("chosen"), mapping.first("rejected")
    if better is None or worse is None:
        raise ValueError("a pair needs a chosen and a rejected answer, and only one of them is mapped")
    chosen, rejected = _value(row, better), _value(row, worse)
    asked = mapping.first("messages") or mapping.first("prompt")
    turns = _turns(row, mapping) if asked else _common(chosen, better.name, rejected, worse.name)
    if turns[-1].role == "assistant":
        raise ValueError("the prompt ends with an answer already")
    return PreparedRow(
        prompt=turns,
        completion=_answer(chosen, better.name, turns),
        rejected=_answer(rejected, worse.name, turns),
        item=_item(row, mapping),
    )


def _common(chosen: JsonValue, better: str, rejected: JsonValue, worse: str) -> Turns:
    """The turns with which both conversations begin, up to their answers."""
    if not isinstance(chosen, list):
        raise ValueError(f"“{better}” holds no conversation, and no column is mapped as the prompt")
    one, other = conversation(chosen, better), conversation(rejected, worse)
    if len(one) < 2 or one[:-1] != other[:-1]:
        raise ValueError(f"“{better}” and “{worse}” do not begin with the same prompt, followed by one answer each")
    return one[:-1]


def _answer(value: JsonValue, column: str, prompt: Turns) -> str:
    """The answer's text: as it is, from one message, or from the end of a conversation that repeats the prompt."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else str(value)
    turns = conversation(value, column)
    if len(turns) > 1 and turns[:-1] == prompt[-len(turns) + 1 :]:
        turns = turns[-1:]
    if len(turns) != 1 or turns[0].role != "assistant":
        raise ValueError(f"“{column}” is not one answer of the assistant to the prompt")
    return turns[0].content


def _label(row: Row, mapping: ColumnMapping) -> bool | None:
    column = mapping.first("label")
    if column is None:
        return None
    value = _value(row, column)
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, list | dict) or word not in GOOD | BAD:
        known = "true or false, 1 or 0, yes or no, good or bad"
        raise ValueError(f"“{column.name}” is “{str(value)[:40]}”, which is no label; use {known}")
    return word in GOOD


def _value(row: Row, column: Column) -> JsonValue:
    """What the column holds, or the text that stands behind the mark. Raises ValueError where it is empty."""
    if row.get(column.name) is None:
        raise ValueError(f"the column “{column.name}” is empty")
    return row[column.name] if column.after is None else _text(row, column)


def _text(row: Row, column: Column) -> str:
    if column.name not in row or row[column.name] is None:
        raise ValueError(f"the column “{column.name}” is empty")
    value = row[column.name]
    text = value if isinstance(value, str) else str(value)
    if column.after is None:
        return text
    _head, found, tail = text.rpartition(column.after)
    if not found:
        raise ValueError(f"the column “{column.name}” does not contain “{column.after}”")
    return tail.strip()


def _item(row: Row, mapping: ColumnMapping) -> dict[str, JsonValue]:
    hidden = {c.name for c in mapping.columns if c.role in ("ignored", "messages")} | RESERVED
    item = {name: value for name, value in row.items() if name not in hidden}
    for column in mapping.columns:
        if column.after is not None and column.name in item:
            item[column.name] = _text(row, column)
    if reference := mapping.first("reference"):
        item["reference"] = item.get(reference.name)
        if reference.after is None and reference.name not in row:
            raise ValueError(f"the column “{reference.name}” is empty")
    return item
