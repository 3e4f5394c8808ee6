"""Rows as people bring them, read into the few forms that a trainer knows."""

from typing import Any

import pytest

from contracts.dataset import (
    SERVES,
    Column,
    ColumnMapping,
    Message,
    PreparedRow,
    Role,
    guess_mapping,
    guesses,
    labelled,
    prepare,
)

USER: Any = {"role": "user", "content": "1+1?"}
GOOD: Any = {"role": "assistant", "content": "2"}
BAD: Any = {"role": "assistant", "content": "3"}
ASKED = (Message(role="user", content="1+1?"),)


def mapped(**roles: Role) -> ColumnMapping:
    return ColumnMapping(columns=tuple(Column(name=name, role=role) for name, role in roles.items()))


def read(row: dict[str, Any]) -> PreparedRow:
    return prepare(row, guess_mapping(tuple(row)))


PAIRS = {
    "texts": {"prompt": "1+1?", "chosen": "2", "rejected": "3"},
    "messages": {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
    "conversations without a prompt": {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
    "conversations that repeat the prompt": {"prompt": "1+1?", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
    "OpenAI's": {"input": {"messages": [USER]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]},
    "beside messages": {"prompt": "1+1?", "messages": [USER, GOOD], "chosen": "2", "rejected": "3"},
}


@pytest.mark.parametrize("row", PAIRS.values(), ids=PAIRS)
def test_a_pair_is_the_same_pair_however_it_is_written(row: dict[str, Any]) -> None:
    found = read(row)
    assert (found.prompt, found.completion, found.rejected, found.label) == (ASKED, "2", "3", None)
    assert guess_mapping(tuple(row)).shape(is_answered=True) == "preference"


def test_the_prompt_of_a_pair_is_all_that_both_conversations_begin_with() -> None:
    system = {"role": "system", "content": "Add."}
    earlier = [system, USER, GOOD, {"role": "user", "content": "And 2+2?"}]
    found = read({"chosen": [*earlier, GOOD], "rejected": [*earlier, BAD]})
    assert [turn.role for turn in found.prompt] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"chosen": "2", "rejected": "3"}, "no column is mapped as the prompt"),
        ({"prompt": "1+1?", "chosen": "2", "rejected": None}, "“rejected” is empty"),
        ({"chosen": [GOOD], "rejected": [BAD]}, "same prompt"),
        ({"chosen": [USER, GOOD], "rejected": [{**USER, "content": "?"}, BAD]}, "same prompt"),
        ({"prompt": "1+1?", "chosen": [GOOD, GOOD], "rejected": [BAD]}, "“chosen” is not one answer"),
        ({"prompt": "1+1?", "chosen": [GOOD], "rejected": [USER]}, "“rejected” is not one answer"),
        ({"prompt": [USER, GOOD], "chosen": "2", "rejected": "3"}, "ends with an answer"),
        ({"prompt": [USER], "chosen": [{"role": "assistant"}], "rejected": "3"}, "chosen.0..content. is not text"),
        (
            {
                "input": {"messages": [USER], "tools": [{"type": "function"}]},
                "preferred_output": [GOOD],
                "non_preferred_output": [BAD],
            },
            "“input.tools” is not empty, and tools are not supported yet",
        ),
        ({"input": {}, "preferred_output": [GOOD], "non_preferred_output": [BAD]}, "“input.messages” is not a list"),
    ],
)
def test_a_pair_that_is_none_says_why(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(row)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": [USER, GOOD], "tools": [{"type": "function"}]}, "“tools” is not empty"),
        ({"messages": [USER, GOOD], "functions": [{"name": "add"}]}, "“functions” is not empty"),
        ({"prompt": "1+1?", "completion": "2", "label": True, "tools": [{}]}, "“tools” is not empty"),
        ({"messages": [USER, {**GOOD, "tool_calls": [{"type": "function"}]}]}, "messages.1.” calls a tool"),
        ({"messages": [USER, {"role": "assistant", "function_call": {"name": "add"}}]}, "messages.1.” calls a tool"),
    ],
)
def test_tools_are_refused_with_a_sentence(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=f"{reason}, and tools are not supported yet"):
        read(row)


def test_no_tools_and_ignored_ones_are_nothing() -> None:
    assert read({"messages": [USER, GOOD], "tools": [], "functions": None}).completion == "2"
    found = prepare({"q": "1+1?", "tools": ["hammer"]}, mapped(q="prompt", tools="ignored"))
    assert found.item == {"q": "1+1?"}


def test_half_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="only one of them is mapped"):
        prepare({"q": "1+1?", "a": "2"}, mapped(q="prompt", a="chosen"))


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", "true", "True", " YES ", "good", "desirable", "chosen"])
def test_words_for_a_good_answer(value: object) -> None:
    assert read({"prompt": "1+1?", "completion": "2", "label": value}).label is True


@pytest.mark.parametrize("value", [False, 0, 0.0, "0", "false", "no", "Bad", "undesirable", "rejected"])
def test_words_for_a_bad_answer(value: object) -> None:
    assert read({"prompt": "1+1?", "completion": "2", "label": value}).label is False


@pytest.mark.parametrize("value", [2, -1, 0.5, "maybe", "", [True], {"a": 1}])
def test_other_words_are_no_label(value: object) -> None:
    with pytest.raises(ValueError, match="no label; use true or false, 1 or 0, yes or no, good or bad"):
        read({"prompt": "1+1?", "completion": "2", "label": value})


def test_a_label_needs_an_answer_to_judge() -> None:
    with pytest.raises(ValueError, match="no answer that the label could judge"):
        prepare({"messages": [USER], "ok": True}, mapped(messages="messages", ok="label"))
    found = prepare({"messages": [USER, BAD], "ok": False}, mapped(messages="messages", ok="label"))
    assert (found.prompt, found.completion, found.label) == (ASKED, "3", False)


def test_a_completion_may_be_a_message() -> None:
    assert read({"prompt": [USER], "completion": [GOOD]}) == PreparedRow(
        prompt=ASKED, completion="2", item={"prompt": [USER], "completion": [GOOD]}
    )


def test_a_pair_becomes_a_good_and_a_bad_answer() -> None:
    pair = read({"prompt": "1+1?", "chosen": "2", "rejected": "3", "source": "x"})
    good, bad = labelled(pair)
    assert (good.completion, good.label, good.rejected) == ("2", True, None)
    assert (bad.completion, bad.label, bad.rejected) == ("3", False, None)
    assert good.prompt == bad.prompt == ASKED
    assert good.item == bad.item == pair.item


def test_a_labelled_row_stays_what_it_is() -> None:
    row = read({"prompt": "1+1?", "completion": "3", "label": "bad"})
    assert labelled(row) == (row,)
    with pytest.raises(ValueError, match="good or bad"):
        labelled(read({"prompt": "1+1?", "completion": "3"}))


def test_a_grader_sees_what_was_compared() -> None:
    row = {"prompt": "1+1?", "chosen": "2", "rejected": "3", "reference": 2}
    assert read(row).item == row


def test_the_first_guess_reads_most_and_the_next_ones_less() -> None:
    found = guesses(("prompt", "completion", "label", "messages"))
    assert [one.shape(is_answered=True) for one in found] == ["chat", "labelled", "chat"]
    assert guesses(("question", "answer")) == ()


def test_whatever_serves_a_method_serves_it_by_one_rule() -> None:
    assert all(shape in serves for shape, serves in SERVES.items())
    assert [shape for shape in SERVES if "labelled" in SERVES[shape]] == ["preference", "labelled"]
    assert [shape for shape in SERVES if "chat" in SERVES[shape]] == ["chat", "preference"]
    assert all("prompt" in serves for serves in SERVES.values())
