"""Held-out rows are taken aside by a rule: nothing is left to luck."""

from typing import Any

import pytest

from contracts.fault import Fault
from tests.whetstone.factories import PROMPTS, jsonl, make_dataset, make_user
from whetstone.artifacts.models import Blob
from whetstone.datasets.delete import delete_version
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import Dataset, DatasetVersion
from whetstone.datasets.split import Split, split_by_rows, split_by_share

ROWS: list[dict[str, Any]] = [{"prompt": f"{n}+{n}=?", "completion": str(2 * n), "n": n} for n in range(1500)]


def numbers(version: DatasetVersion) -> list[Any]:
    return [row["n"] for row in read_rows(version, 0, 5000)]


def split(rows: list[dict[str, Any]] | bytes, share: float = 0.1, name: str = "sums") -> Split:
    return split_by_share(make_user(), make_dataset(rows, name=name), share)


def test_every_row_is_on_one_side_in_its_order() -> None:
    made = split(ROWS)
    training, held_out = numbers(made.training), numbers(made.held_out)
    assert sorted(training + held_out) == list(range(1500))
    assert training == sorted(training)
    assert 120 <= len(held_out) <= 180


def test_the_parts_are_datasets_that_say_where_they_come_from() -> None:
    made = split(ROWS)
    assert (str(made.training), str(made.held_out)) == ("sums-train@1", "sums-held-out@1")
    whole = DatasetVersion.objects.get(dataset__name="sums")
    assert made.held_out.origin == {"dataset": "sums@1", "id": whole.id, "side": "held-out", "share": 0.1}
    assert made.training.shape == made.held_out.shape == "chat"
    assert made.training.answers.answered == made.training.rows
    assert len(read_rows(made.training, made.training.rows - 1, 5)) == 1


def test_the_same_file_is_always_split_alike() -> None:
    first, second = split(ROWS), split(ROWS)
    assert numbers(first.held_out) == numbers(second.held_out)
    assert (second.held_out.number, second.held_out.blob_id) == (2, first.held_out.blob_id)


def test_rows_that_are_added_move_none_of_the_others() -> None:
    before = split(ROWS[:1000])
    after = split([*ROWS[1200:], *reversed(ROWS[:1000])])
    assert set(numbers(before.held_out)) < set(numbers(after.held_out))
    assert set(numbers(before.training)) < set(numbers(after.training))


def test_rows_with_the_same_prompt_stay_together_whatever_their_answer() -> None:
    rows = [row | {"completion": word, "n": row["n"]} for row in ROWS[:200] for word in ("yes", "no", "who knows")]
    made = split(rows)
    held_out = numbers(made.held_out)
    assert held_out
    assert all(held_out.count(n) == 3 for n in held_out)


def test_a_prompt_is_the_same_prompt_in_another_dataset() -> None:
    chats = [{"messages": [{"role": "user", "content": row["prompt"]}], "n": row["n"]} for row in ROWS]
    assert numbers(split(ROWS).held_out) == numbers(split(chats, name="chats").held_out)


def test_a_number_of_rows_is_a_share_that_can_be_given_again() -> None:
    whole = make_dataset(ROWS)
    made = split_by_rows(make_user(), whole, 100)
    assert (made.held_out.rows, made.training.rows) == (100, 1400)
    again = split_by_share(make_user(), whole, made.share)
    assert numbers(again.held_out) == numbers(made.held_out)


def test_a_number_of_rows_breaks_no_group_of_equal_prompts() -> None:
    rows = [row for row in ROWS[:50] for _ in range(4)]
    assert split_by_rows(make_user(), make_dataset(rows), 10).held_out.rows == 8


@pytest.mark.parametrize("rows", [ROWS[:1], [ROWS[0]] * 30])
def test_a_split_that_leaves_a_side_empty_is_refused_and_makes_nothing(rows: list[dict[str, Any]]) -> None:
    version = make_dataset(rows)
    with pytest.raises(Fault, match="no row on one of its sides"):
        split_by_share(make_user(), version, 0.5)
    with pytest.raises(Fault, match="no row on one of its sides"):
        split_by_rows(make_user(), version, 1)
    assert Dataset.objects.count() == 1


def test_a_dataset_whose_prompt_nobody_named_cannot_be_split() -> None:
    with pytest.raises(Fault, match="Nobody has said"):
        split([{"question": "1+1"}, {"question": "2+2"}])


def test_a_file_of_another_system_is_split_into_clean_lines() -> None:
    content = b"\xef\xbb\xbf" + jsonl(ROWS[:200]).replace(b"\n", b"\r\n\r\n").rstrip()
    made = split(content, share=0.5)
    assert sorted(numbers(made.training) + numbers(made.held_out)) == list(range(200))


def test_deleting_the_parts_undoes_the_split() -> None:
    whole = make_dataset(PROMPTS)
    made = split_by_share(make_user(), whole, 0.5)
    delete_version(made.training)
    delete_version(made.held_out)
    assert list(Dataset.objects.values_list("name", flat=True)) == ["sums"]
    assert Blob.objects.filter(id=whole.blob_id).exists()


def test_a_long_name_stays_within_the_longest() -> None:
    made = split(ROWS[:200], name="n" * 128)
    assert max(len(made.training.dataset.name), len(made.held_out.dataset.name)) == 128
