"""Pairs and labelled answers as tokens, and the trainers' losses on rows that nobody trains on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from contracts.dataset import PreparedRow, guess_mapping, prepare
from contracts.fault import Fault
from tests.trainer_worker.jobs import labelled as labelled_rows
from trainer_worker.comparisons import encode, labelled_answers, pairs
from trainer_worker.methods.kto import with_strangers


@pytest.fixture(scope="session")
def tokenizer(tiny: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny)


def rows(*given: dict[str, Any]) -> Iterable[PreparedRow]:
    return [prepare(row, guess_mapping(tuple(row))) for row in given]


def pair(prompt: str, chosen: str, rejected: str) -> dict[str, Any]:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def labelled(prompt: str, completion: str, label: bool) -> dict[str, Any]:
    return {"prompt": prompt, "completion": completion, "label": label}


def test_a_pair_is_one_prompt_and_two_answers_with_their_end_mark(tokenizer: PreTrainedTokenizerBase) -> None:
    found, counts = pairs(rows(pair("1+1", "2", "11")), tokenizer, longest=100, name="sums")
    (row,) = found.to_list()
    assert tokenizer.decode(row["prompt_ids"]) == "<|user|>1+1<|end|><|assistant|>"
    assert [tokenizer.decode(row[key]) for key in ("chosen_ids", "rejected_ids")] == ["2<|end|>", "11<|end|>"]
    assert str(counts) == "1 rows read, 0 cut to the longest length, 0 left out"


def test_a_template_that_rewrites_the_prompt_ends_it_where_the_two_part(tiny: Path) -> None:
    thinking = AutoTokenizer.from_pretrained(tiny)
    thinking.chat_template = (
        "{%- for m in messages -%}<|{{ m.role }}|>{{ m.content }}<|end|>{%- endfor -%}"
        "{%- if add_generation_prompt -%}<|assistant|><think>{%- endif -%}"
    )
    (found,) = encode([([{"role": "user", "content": "1+1"}], "2")], thinking)
    assert thinking.decode(found.ids[: found.prompt]) == "<|user|>1+1<|end|><|assistant|>"
    assert thinking.decode(found.ids[found.prompt :]) == "2<|end|>"


def test_long_answers_are_cut_and_pairs_that_are_then_alike_left_out(tokenizer: PreTrainedTokenizerBase) -> None:
    given = rows(pair("1", "2", "3" * 50), pair("1", "2" * 50 + "a", "2" * 50 + "b"), pair("1" * 50, "2", "3"))
    found, counts = pairs(given, tokenizer, longest=20, name="sums")
    (row,) = found.to_list()
    assert len(row["prompt_ids"]) + len(row["rejected_ids"]) == 20
    assert (counts.read, counts.cut, counts.left_out) == (3, 3, 2)


def test_pairs_whose_answers_are_all_alike_are_a_fault(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault) as caught:
        pairs(rows(pair("1", "2", "2"), pair("2", "3", "3")), tokenizer, longest=20, name="sums")
    assert caught.value.report.code == "dataset.equal_pairs"
    assert "In all 2 pairs of “sums”" in caught.value.report.message


@pytest.mark.parametrize("chosen", ["", "  \n"])
def test_an_empty_answer_is_named_by_its_row(tokenizer: PreTrainedTokenizerBase, chosen: str) -> None:
    with pytest.raises(Fault, match="Row 2: its chosen answer is empty"):
        pairs(rows(pair("1", "2", "3"), pair("1", chosen, "3")), tokenizer, longest=20, name="sums")


def test_a_row_without_a_second_answer_is_named(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault, match="Row 1: its rejected answer is empty"):
        pairs(rows({"prompt": "1", "completion": "2"}), tokenizer, longest=20, name="sums")


def test_rows_that_are_all_too_long_are_a_fault(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault, match="All 1 rows are too long"):
        pairs(rows(pair("1" * 50, "2", "3")), tokenizer, longest=20, name="sums")
    with pytest.raises(Fault, match="All 1 rows are too long"):
        labelled_answers(rows(labelled("1" * 50, "2", True)), tokenizer, longest=20, seed=1)


def test_labelled_answers_are_mixed_by_the_seed(tokenizer: PreTrainedTokenizerBase) -> None:
    given = list(rows(*labelled_rows(40)))

    def mixed(seed: int) -> list[bool]:
        return list(labelled_answers(given, tokenizer, longest=100, seed=seed)[0]["label"])

    assert mixed(1) == mixed(1) != mixed(2)
    assert 3 < sum(mixed(1)[:20]) < 17
    assert sum(mixed(1)) == 20


def test_a_pair_is_a_good_and_a_bad_answer(tokenizer: PreTrainedTokenizerBase) -> None:
    found, counts = labelled_answers(rows(pair("1+1", "2", "11")), tokenizer, longest=100, seed=1)
    said = {tokenizer.decode(row["completion_ids"]): row["label"] for row in found}
    assert said == {"2<|end|>": True, "11<|end|>": False}
    assert counts.read == 2


def test_a_row_without_a_label_is_named(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault, match="Row 2"):
        labelled_answers(
            rows(labelled("1", "2", True), {"prompt": "1", "completion": "2"}), tokenizer, longest=100, seed=1
        )


def test_strangers_answers_come_from_the_rows_that_are_taken_together(tokenizer: PreTrainedTokenizerBase) -> None:
    given = rows(*(labelled(str(n), str(n), True) for n in range(5)))
    found = with_strangers(labelled_answers(given, tokenizer, longest=100, seed=1)[0], at_once=3)
    own, strange = found["completion_ids"][:], found["KL_completion_ids"][:]
    assert strange == [own[2], own[0], own[1], own[4], own[3]]
