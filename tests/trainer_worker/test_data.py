import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from contracts.dataset import Column, ColumnMapping, PreparedRow, guess_mapping, prepare
from contracts.fault import Fault
from trainer_worker.data import IGNORED, conversations, prompts, read_rows

MESSAGES = guess_mapping(("messages",))


@pytest.fixture(scope="session")
def tokenizer(tiny: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny)


def chat(*turns: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns)]}


def rows(*given: dict[str, Any]) -> Iterable[PreparedRow]:
    return [prepare(row, MESSAGES) for row in given]


def learned(tokenizer: PreTrainedTokenizerBase, row: dict[str, Any]) -> str:
    """What of a row carries labels."""
    tokens, _ = conversations(rows(row), tokenizer, longest=100)
    return str(tokenizer.decode([label for label in tokens[0]["labels"] if label != IGNORED]))


def test_only_the_answer_and_its_end_are_learned(tokenizer: PreTrainedTokenizerBase) -> None:
    assert learned(tokenizer, chat("1+1", "2")) == "2<|end|>"


def test_every_answer_of_a_conversation_is_learned(tokenizer: PreTrainedTokenizerBase) -> None:
    assert learned(tokenizer, chat("1+1", "2", "déjà?", "vu — 是")) == "2<|end|>vu — 是<|end|>"


def test_a_template_that_rewrites_earlier_answers_leaves_the_last_one(tiny: Path) -> None:
    forgetful = AutoTokenizer.from_pretrained(tiny)
    forgetful.chat_template = (
        "{%- for m in messages -%}<|{{ m.role }}|>"
        "{{ m.content if loop.last or m.role == 'user' else '…' }}<|end|>{%- endfor -%}"
        "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
    )
    assert learned(forgetful, chat("a", "first", "b", "second")) == "second<|end|>"


def test_long_rows_are_cut_and_counted(tokenizer: PreTrainedTokenizerBase) -> None:
    long_answer, long_question = chat("1+1", "2" * 50), chat("1" * 50, "2")
    tokens, counts = conversations(rows(long_answer, long_question), tokenizer, longest=20)
    assert [len(ids) for ids in tokens["input_ids"]] == [20]
    assert (counts.read, counts.cut, counts.left_out) == (2, 2, 1)


def test_rows_that_are_all_too_long_are_a_fault(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault) as caught:
        conversations(rows(chat("1" * 50, "2")), tokenizer, longest=20)
    assert caught.value.report.code == "dataset.too_long"


def test_a_row_without_an_answer_is_named(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault, match="Row 2: it holds no answer"):
        conversations(rows(chat("1+1", "2"), chat("1+1")), tokenizer, longest=20)


def test_prompts_that_leave_no_room_for_an_answer_are_left_out(tokenizer: PreTrainedTokenizerBase) -> None:
    exactly = len(["<|user|>"]) + 7 + 2  # user mark, 7 bytes, end mark, assistant mark
    kept, counts = prompts(rows(chat("1234567"), chat("12345678")), tokenizer, room=exactly, context=100)
    assert kept["prompt"] == [[{"role": "user", "content": "1234567"}]]
    assert (counts.read, counts.left_out) == (2, 1)


def test_a_row_keeps_its_item_for_the_grader(tokenizer: PreTrainedTokenizerBase) -> None:
    row = prepare(chat("1+1") | {"answer": 2, "tags": {"easy": True}}, MESSAGES)
    kept, _ = prompts([row], tokenizer, room=50, context=100)
    assert json.loads(kept["item"][0]) == {"answer": 2, "tags": {"easy": True}}


def test_columns_are_read_as_they_are_mapped(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"q": "how many?", "a": "so 1 and 1\\n#### 2", "note": "x"}\n\n')
    mapping = ColumnMapping(
        columns=(
            Column(name="q", role="prompt"),
            Column(name="a", role="reference", after="####"),
            Column(name="note", role="ignored"),
        )
    )
    (row,) = read_rows(file, mapping)
    assert row.prompt[0].content == "how many?"
    assert row.item["reference"] == "2"
    assert "note" not in row.item


def test_an_empty_file_is_a_fault(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Fault) as caught:
        prompts([], tokenizer, room=10, context=100)
    assert caught.value.report.code == "dataset.empty"


def test_a_line_that_is_no_json_is_named_by_its_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(chat("1", "2")) + "\n{oops\n")
    with pytest.raises(Fault) as caught:
        list(read_rows(file, MESSAGES))
    assert caught.value.report.params["row"] == 2
