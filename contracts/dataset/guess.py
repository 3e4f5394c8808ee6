"""The mapping that needs no question: columns whose names say what they are."""

from collections.abc import Mapping

from contracts.dataset.mapping import Column, ColumnMapping, Role

Names = Mapping[Role, tuple[str, ...]]

QUESTION: Names = {"prompt": ("prompt",), "system": ("system",), "reference": ("reference", "reference_answer")}
PAIR: Names = {**QUESTION, "chosen": ("chosen",), "rejected": ("rejected",)}
OPENAI_PAIR: Names = {"prompt": ("input",), "chosen": ("preferred_output",), "rejected": ("non_preferred_output",)}
LABELLED: Names = {**QUESTION, "completion": ("completion",), "label": ("label",)}
ANSWERED: Names = {**QUESTION, "completion": ("completion",)}

# The names, and the roles without which they say nothing. What a row holds most of comes first.
KNOWN: tuple[tuple[Names, frozenset[Role]], ...] = (
    (OPENAI_PAIR, frozenset({"prompt", "chosen", "rejected"})),
    (PAIR, frozenset({"chosen", "rejected"})),
    ({"messages": ("messages",)}, frozenset({"messages"})),
    (LABELLED, frozenset({"prompt", "completion", "label"})),
    (ANSWERED, frozenset({"prompt"})),
)


def guesses(columns: tuple[str, ...]) -> tuple[ColumnMapping, ...]:
    """What the names of the columns suggest, best first. The rows decide whether it is true."""
    return tuple(found for names, needed in KNOWN if needed <= _roles(found := _named(names, columns)))


def guess_mapping(columns: tuple[str, ...]) -> ColumnMapping:
    """The best of the guesses; a mapping of nothing where the names say nothing."""
    return next(iter(guesses(columns)), ColumnMapping())


def _roles(mapping: ColumnMapping) -> frozenset[Role]:
    return frozenset(column.role for column in mapping.columns)


def _named(names: Names, columns: tuple[str, ...]) -> ColumnMapping:
    found = [
        Column(name=column, role=role)
        for role, candidates in names.items()
        for column in columns
        if column in candidates
    ]
    return ColumnMapping(columns=tuple(found))
