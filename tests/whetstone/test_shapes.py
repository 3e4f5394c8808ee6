"""What a dataset is, what was counted of it, and which methods it serves."""

from typing import Any

import pytest

from contracts.dataset import Column, Role
from contracts.fault import Fault
from contracts.method import METHODS
from tests.whetstone.factories import CHATS, LABELLED, PAIRS, PROMPTS, jsonl, make_dataset, make_user
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.remap import map_columns
from whetstone.datasets.serves import rows_for, why_not

SUPERVISED, REINFORCEMENT = {"full", "lora"}, {"grpo", "ppo", "rloo"}


@pytest.mark.parametrize(
    ("rows", "shape", "methods"),
    [
        (CHATS, "chat", SUPERVISED | REINFORCEMENT),
        (PROMPTS, "prompt", REINFORCEMENT),
        (PAIRS, "preference", set(METHODS)),
        (LABELLED, "labelled", REINFORCEMENT | {"kto"}),
        ([{"question": "1+1", "answer": "2"}], "", set()),
    ],
)
def test_the_rows_decide_which_methods_they_serve(rows: list[dict[str, Any]], shape: str, methods: set[str]) -> None:
    assert make_dataset(rows).shape == shape
    assert {name for name, method in METHODS.items() if not why_not(shape, method)} == methods


def test_every_refusal_says_what_to_map() -> None:
    for shape in ("", "chat", "prompt", "labelled"):
        for method in METHODS.values():
            reason = why_not(shape, method)
            assert not reason or "map" in reason.lower()


def test_labels_and_lengths_are_counted() -> None:
    answers = make_dataset(LABELLED[:5]).answers
    assert (answers.good, answers.bad, answers.answered) == (3, 2, 5)
    lengths = answers.characters["answer"]
    assert (lengths.median, lengths.p95, lengths.longest) == (1, 1, 1)
    assert set(answers.characters) == {"prompt", "answer"}


def test_the_median_and_the_longest_are_those_of_the_rows() -> None:
    rows = [{"prompt": "x" * n, "chosen": "a", "rejected": "b" * n} for n in range(1, 101)]
    found = make_dataset(rows).answers.characters
    assert (found["prompt"].median, found["prompt"].p95, found["prompt"].longest) == (50, 95, 100)
    assert found["rejected"].longest == 100


def test_equal_pairs_and_empty_answers_are_counted_and_the_first_is_named() -> None:
    equal = {"prompt": "1+1", "chosen": "2", "rejected": "2"}
    empty = {"prompt": "1+1", "chosen": " ", "rejected": "3"}
    empty_bad = {"prompt": "1+1", "chosen": "2", "rejected": ""}
    answers = make_dataset([*PAIRS[:3], equal, empty, empty, empty_bad]).answers
    assert (answers.equal, answers.empty, answers.first_empty) == (1, 2, 5)
    assert (answers.empty_rejected, answers.first_empty_rejected) == (1, 7)


def test_a_label_that_is_none_leaves_prompts_with_answers() -> None:
    version = make_dataset([*LABELLED, LABELLED[0] | {"label": "so so"}])
    assert version.shape == "chat"
    assert {column.name for column in version.column_mapping.columns} == {"prompt", "completion"}


def columns(**roles: Role) -> tuple[Column, ...]:
    return tuple(Column(name=name, role=role) for name, role in roles.items())


def test_half_a_pair_is_nothing_that_can_be_mapped() -> None:
    version = make_dataset(jsonl([{"question": "1+1", "better": "2", "worse": "3"}]))
    assert version.shape == ""
    with pytest.raises(Fault, match="only one of them is mapped"):
        map_columns(make_user(), version, columns(question="prompt", better="chosen"))
    mapped = map_columns(make_user(), version, columns(question="prompt", better="chosen", worse="rejected"))
    assert (mapped.shape, mapped.answers.equal) == ("preference", 0)


def test_a_pair_is_two_rows_for_a_method_that_wants_labels() -> None:
    pairs, labelled = make_dataset(PAIRS), make_dataset(LABELLED, name="labelled")
    assert rows_for(pairs, METHODS["kto"]) == (40, 20)
    assert rows_for(pairs, METHODS["dpo"]).total == 20
    assert rows_for(labelled, METHODS["kto"]) == (20, 10)


def test_a_version_from_before_something_was_counted_can_be_read() -> None:
    version = make_dataset(CHATS)
    DatasetVersion.objects.filter(id=version.id).update(statistics={"bytes": 1, "answered": 20})
    version.refresh_from_db()
    assert (version.answers.answered, version.answers.characters) == (20, {})
