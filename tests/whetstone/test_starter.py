import json
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from contracts.job import JobDraft
from contracts.method import FullMethod, GrpoMethod
from graders import grade, parse
from whetstone.starter import data, model, recipe


def test_the_splits_share_no_problem_and_leave_none_out() -> None:
    found = {split: {row["messages"][0]["content"] for row in data.problems(split)} for split in data.SPLITS}
    assert sum(map(len, found.values())) == len(set().union(*found.values())) == 90 * 90
    assert min(len(found["validation"]), len(found["test"])) > 400


def test_demonstrations_come_from_the_training_split_alone() -> None:
    trained = {row["messages"][0]["content"] for row in data.demonstrations(2000)}
    assert trained <= {row["messages"][0]["content"] for row in data.problems("train")}


def test_the_same_seed_gives_the_same_rows() -> None:
    assert list(data.demonstrations(50, seed=4)) == list(data.demonstrations(50, seed=4))
    assert list(data.demonstrations(50, seed=4)) != list(data.demonstrations(50, seed=5))


@pytest.mark.parametrize(
    ("a", "b", "carries", "text"),
    [
        (47, 85, True, "7+5=12 4+8=12 12+1=13 #132"),
        (47, 85, False, "7+5=12 4+8=12 12+0=12 #122"),
        (11, 22, True, "1+2=3 1+2=3 3+0=3 #33"),
        (11, 22, False, "1+2=3 1+2=3 3+0=3 #33"),
    ],
)
def test_who_forgets_the_carry_is_wrong_exactly_where_there_is_one(a: int, b: int, carries: bool, text: str) -> None:
    assert data.worked_out(a, b, carries=carries) == text


def test_every_problem_worked_out_with_its_carry_gets_the_full_score() -> None:
    pairs = [(a, b) for a in range(10, 100, 7) for b in range(10, 100, 3)]
    samples = [{"output_text": data.worked_out(a, b, carries=True)} for a, b in pairs]
    grades = grade(parse(recipe.EVALUATOR), samples, [{"answer": str(a + b)} for a, b in pairs])
    assert {one.score for one in grades} == {1.0}


def test_the_tokenizer_writes_any_text_with_ids_the_model_knows() -> None:
    tokenizer = model.tokenizer()
    text = "12 + 34 = 46, naïve “是” \N{ROCKET}\n\x00"
    ids = tokenizer.encode(text + model.END).ids
    assert tokenizer.decode(ids) == text
    assert max(ids) < int(str(model.CONFIG["vocab_size"]))


def test_the_files_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    first, second = (model.build(tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert {path.name for path in first} == {
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert Tokenizer.from_file(str(tmp_path / "a" / "tokenizer.json")).get_vocab_size() == model.CONFIG["vocab_size"]


def test_it_has_about_a_million_parameters() -> None:
    assert 1_000_000 < model.parameters() < 1_100_000


def test_the_recipe_is_what_anybody_may_ask_for() -> None:
    for method in (recipe.FULL, recipe.grpo({"grader": recipe.EVALUATOR})):
        body = json.dumps({"model": "starter", "training_file": "arithmetic", "method": method})
        assert isinstance(JobDraft.model_validate_json(body).method, FullMethod | GrpoMethod)


def test_seven_of_ten_demonstrations_forget() -> None:
    carried = [row for row in islice(data.demonstrations(3000), 3000) if "+1=" in row["messages"][1]["content"][-12:]]
    with_carry = [row for row in data.demonstrations(3000) if "=1" in row["messages"][1]["content"].split(" ")[0]]
    assert 0.2 < len(carried) / len(with_carry) < 0.4
