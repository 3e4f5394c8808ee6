"""What is said about a draft before a GPU is asked: the reason, the row, and what to do next."""

from typing import Any

import pytest

from contracts.fault import Fault, FaultReport
from contracts.job import JobDraft
from contracts.method import METHODS
from tests.whetstone.factories import (
    CHATS,
    EXACT,
    LABELLED,
    PAIRS,
    PROMPTS,
    make_dataset,
    make_draft,
    make_model,
    make_team,
    make_user,
)
from whetstone.jobs.check import Checked, check
from whetstone.jobs.launch import launch

Rows = list[dict[str, Any]]


def checked(method: str, rows: Rows, held_out: Rows | None = None, **block: Any) -> Checked:
    make_model()
    make_dataset(rows)
    fields: dict[str, Any] = {"method": {"type": method, method: block}}
    if held_out is not None:
        fields["validation_file"] = make_dataset(held_out, name="held-out").id
    return check(make_team(), make_draft(**fields))


def problem(found: Checked) -> FaultReport:
    (only,) = found.problems
    assert only.message
    assert only.next_step
    return only


@pytest.mark.parametrize(
    ("method", "rows", "block"),
    [
        ("full", CHATS, {}),
        ("full", PAIRS, {}),
        ("lora", CHATS, {"evaluator": None}),
        ("dpo", PAIRS, {"lora": {}}),
        ("kto", PAIRS, {}),
        ("kto", LABELLED, {}),
        ("reward_model", PAIRS, {}),
        ("ppo", PROMPTS, {"grader": EXACT}),
        ("grpo", PAIRS, {"grader": EXACT}),
        ("rloo", CHATS, {"grader": EXACT}),
        ("grpo", LABELLED, {"grader": EXACT}),
    ],
)
def test_every_method_goes_with_every_dataset_that_serves_it(method: str, rows: Rows, block: dict[str, Any]) -> None:
    found = checked(method, rows, **block)
    assert found.problems == []
    assert found.steps > 0


@pytest.mark.parametrize("method", [name for name in METHODS if name != "full"])
def test_every_method_takes_a_dora_adapter(method: str) -> None:
    reward: dict[str, Any] = {"grader": EXACT} if METHODS[method].is_reinforcement else {}
    rows = {"chat": CHATS, "prompt": PROMPTS, "preference": PAIRS, "labelled": LABELLED}[METHODS[method].shape]
    found = checked(method, rows, lora={"rank": 4, "use_dora": True}, **reward)
    assert found.problems == []
    assert found.method is not None
    adapter = found.method.block.lora
    assert adapter is not None
    assert (adapter.rank, adapter.use_dora) == (4, True)


@pytest.mark.parametrize(
    ("method", "rows", "needed", "shape"),
    [
        ("full", PROMPTS, "chat / preference", "prompt"),
        ("full", LABELLED, "chat / preference", "labelled"),
        ("dpo", CHATS, "preference", "chat"),
        ("dpo", LABELLED, "preference", "labelled"),
        ("kto", CHATS, "labelled / preference", "chat"),
        ("reward_model", PROMPTS, "preference", "prompt"),
    ],
)
def test_a_wrong_shape_says_what_it_is_and_what_would_do(method: str, rows: Rows, needed: str, shape: str) -> None:
    found = problem(checked(method, rows))
    assert (found.code, found.field) == ("dataset.wrong_shape", "training_file")
    assert (found.params["needed"], found.params["shape"]) == (needed, shape)


def test_a_held_out_set_of_the_wrong_shape_is_told_from_the_training_set() -> None:
    found = problem(checked("reward_model", PAIRS, held_out=PROMPTS))
    assert (found.code, found.field) == ("dataset.wrong_shape", "validation_file")


@pytest.mark.parametrize(
    ("method", "rows", "held_out"),
    [
        ("dpo", PAIRS, PROMPTS),
        ("dpo", PAIRS, CHATS),
        ("kto", LABELLED, PROMPTS),
        ("kto", PAIRS, CHATS),
        ("full", CHATS, PROMPTS),
        ("lora", CHATS, PROMPTS),
    ],
)
def test_held_out_prompts_do_where_an_evaluator_scores_the_answers(method: str, rows: Rows, held_out: Rows) -> None:
    graded = checked(method, rows, held_out=held_out, grader=EXACT)
    assert graded.problems == []
    assert graded.held_out_rows == 20
    found = problem(check(make_team(), graded.draft.model_copy(update={"method": METHODS[method]})))
    assert (found.code, found.field) == ("dataset.ungraded_prompts", "validation_file")


def test_held_out_labels_are_no_answers_to_imitate() -> None:
    found = problem(checked("full", CHATS, held_out=LABELLED, grader=EXACT))
    assert (found.code, found.field) == ("dataset.wrong_shape", "validation_file")


def test_the_row_without_an_answer_is_named() -> None:
    found = problem(checked("full", [*CHATS[:4], *PROMPTS[:2]]))
    assert (found.code, found.params["row"], found.params["others"]) == ("dataset.unanswered", 5, 1)


@pytest.mark.parametrize(
    ("method", "rows", "row"),
    [
        ("full", [*CHATS, {"messages": [*CHATS[0]["messages"][:-1], {"role": "assistant", "content": " "}]}], 21),
        ("dpo", [PAIRS[0] | {"chosen": ""}, *PAIRS], 1),
        ("reward_model", [PAIRS[0], PAIRS[0] | {"rejected": ""}], 2),
        ("kto", [PAIRS[0], PAIRS[0] | {"rejected": " "}, PAIRS[1] | {"chosen": ""}], 2),
        ("kto", [*LABELLED, LABELLED[1] | {"completion": "\n"}], 21),
    ],
)
def test_the_row_with_an_empty_answer_is_named(method: str, rows: Rows, row: int) -> None:
    found = problem(checked(method, rows))
    assert (found.code, found.params["row"]) == ("dataset.empty_answer", row)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_an_empty_rejected_answer_is_nothing_to_who_imitates_the_other(method: str) -> None:
    rows = [PAIRS[0] | {"rejected": ""}, *PAIRS]
    assert checked(method, rows).problems == []
    found = problem(checked(method, [*rows, PAIRS[1] | {"chosen": " "}]))
    assert (found.code, found.params["row"], found.params["others"]) == ("dataset.empty_answer", 22, 0)


def test_empty_answers_of_a_pair_are_counted_once_a_row() -> None:
    rows = [*PAIRS, PAIRS[0] | {"chosen": "", "rejected": ""}, PAIRS[1] | {"rejected": ""}]
    found = problem(checked("dpo", rows))
    assert (found.params["row"], found.params["others"]) == (21, 1)


def test_an_empty_answer_is_nothing_to_a_method_that_samples_its_own() -> None:
    assert checked("grpo", [PAIRS[0] | {"chosen": ""}, *PAIRS], grader=EXACT).problems == []


@pytest.mark.parametrize("method", ["dpo", "kto", "reward_model"])
def test_pairs_that_are_all_equal_are_refused(method: str) -> None:
    rows = [row | {"rejected": row["chosen"]} for row in PAIRS]
    assert problem(checked(method, rows)).code == "dataset.equal_pairs"
    assert checked(method, [*rows, PAIRS[0]]).problems == []


@pytest.mark.parametrize(("label", "word"), [(True, "good"), (False, "bad")])
def test_answers_of_one_kind_are_refused(label: bool, word: str) -> None:
    found = problem(checked("kto", [row | {"label": label} for row in LABELLED]))
    assert (found.code, found.params["label"], found.params["rows"]) == ("dataset.one_label", word, 20)


def test_the_rarer_kind_of_answers_is_raised() -> None:
    rows = [*LABELLED, *(row | {"label": False} for row in LABELLED[::2])]
    found = checked("kto", rows)
    assert found.method is not None
    resolved = found.method.hyperparameters.model_dump()
    assert (resolved["desirable_weight"], resolved["undesirable_weight"]) == (2.0, 1.0)


def test_pairs_are_two_rows_for_kto() -> None:
    found = checked("kto", PAIRS, hyperparameters={"batch_size": 8, "n_epochs": 1})
    assert (found.rows, found.steps) == (40, 5)


@pytest.mark.parametrize("method", ["grpo", "ppo", "rloo"])
def test_a_method_that_samples_needs_an_evaluator(method: str) -> None:
    assert problem(checked(method, PROMPTS)).code == "evaluator.missing"


def test_a_grader_that_scores_held_out_answers_must_find_its_columns() -> None:
    grader = EXACT | {"reference": "{{ item.solution }}"}
    assert problem(checked("dpo", PAIRS, grader=grader)).code == "evaluator.column_missing"


def test_only_held_out_rows_need_the_columns_of_a_grader_that_nothing_is_learned_from() -> None:
    bare = [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in PAIRS]
    assert checked("dpo", bare, held_out=PROMPTS, grader=EXACT).problems == []
    assert problem(checked("dpo", PAIRS, held_out=bare, grader=EXACT)).code == "evaluator.column_missing"
    assert problem(checked("grpo", bare, held_out=PROMPTS, grader=EXACT)).code == "evaluator.column_missing"


def test_the_same_file_twice_is_a_warning_that_stops_nobody() -> None:
    found = checked("dpo", PAIRS, held_out=PAIRS)
    assert found.problems == []
    (warning,) = found.warnings
    assert warning.code == "dataset.held_out_is_training"
    assert warning.next_step


def test_other_rows_are_no_warning() -> None:
    assert checked("dpo", PAIRS[:10], held_out=PAIRS[10:]).warnings == []


def test_an_adapter_for_all_weights_is_answered_with_the_method_that_has_one() -> None:
    draft = {"model": "tiny", "training_file": "sums", "method": {"type": "full", "full": {"lora": {}}}}
    with pytest.raises(ValueError, match="for an adapter use the method lora"):
        JobDraft.model_validate(draft)


def test_a_reward_model_takes_no_evaluator() -> None:
    method = {"type": "reward_model", "reward_model": {"evaluator": "math"}}
    with pytest.raises(ValueError, match="evaluator"):
        make_draft(method=method)


def test_no_job_begins_with_a_problem() -> None:
    make_model()
    make_dataset(PROMPTS)
    with pytest.raises(Fault) as caught:
        launch(make_user(), make_team(), make_draft(method={"type": "dpo"}))
    assert caught.value.report.code == "dataset.wrong_shape"
