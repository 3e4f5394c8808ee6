import pytest

from graders import parse
from graders.attack import TRICKS, Outranked, Target, attack

EXACT = {"type": "string_check", "reference": "{{ item.reference }}"}
CONTAINS = EXACT | {"operation": "like"}
QUESTION = [{"role": "user", "content": "What is 9 times 2? Not 17, not 19."}]
TARGETS = [Target(QUESTION, str(n), {"reference": str(n)}) for n in (18, 20, 22)]


def outcome(document: object, targets: list[Target] = TARGETS) -> dict[str, Outranked]:
    found = attack(parse(document), targets)
    assert [one.name for one in found] == list(TRICKS)
    return {one.name: one for one in found}


def winners(document: object, targets: list[Target] = TARGETS) -> set[str]:
    return {name for name, one in outcome(document, targets).items() if one.wins}


def test_nothing_outranks_the_right_answer_where_all_of_it_is_compared() -> None:
    assert winners(EXACT) == set()


def test_looking_for_a_part_pays_for_repeating_rambling_and_naming_everything() -> None:
    assert winners(CONTAINS) == {"repeated", "too_long", "all_options"}


def test_a_prompt_that_holds_the_answer_is_worth_echoing() -> None:
    target = Target([{"role": "user", "content": "Is it 18 or 20?"}], "18", {"reference": "18"})
    assert "prompt_echo" in winners(CONTAINS, [target])


def test_a_grader_that_likes_nothing_best_is_won_by_saying_nothing() -> None:
    quiet = {"type": "multi", "graders": {"a": EXACT}, "calculate_output": "1 - a"}
    one = outcome(quiet)["empty"]
    assert (one.tried, one.wins, one.mean, one.right_mean) == (3, 3, 1, 0)
    assert one.example == (0, "", 1, 0)


def test_the_bare_result_wins_where_the_form_is_not_asked_for() -> None:
    targets = [Target(QUESTION, "<answer>18</answer>", {"reference": "18"})]
    assert "wrong_form" in winners({"type": "number"}, targets)
    form = {"type": "format", "tags": ["answer"]}
    both = {"type": "multi", "graders": {"a": {"type": "number"}, "b": form}, "calculate_output": "a * b"}
    assert "wrong_form" not in winners(both, targets)


def test_a_trick_that_is_the_right_answer_is_none() -> None:
    found = outcome(EXACT, [Target([{"role": "user", "content": "18"}], "18", {"reference": "18"})])
    assert {name: one.tried for name, one in found.items()} == {
        "empty": 1,
        "repeated": 1,
        "too_long": 1,
        "prompt_echo": 0,
        "all_options": 0,
        "wrong_form": 0,
    }


def test_rows_without_an_answer_are_no_targets_and_keep_their_numbers() -> None:
    targets = [Target(QUESTION, " ", {"reference": ""}), TARGETS[0], TARGETS[1]]
    one = outcome(CONTAINS, targets)["repeated"]
    assert one.tried == 2
    assert one.example
    assert one.example[0] == 1


def test_what_is_not_scored_wins_and_loses_nothing() -> None:
    found = outcome({"type": "reward_model", "model": "nowhere"})
    assert {(one.tried, one.wins, one.mean) for one in found.values()} == {(0, 0, None)}


def test_no_rows_are_no_attack() -> None:
    assert {one.tried for one in attack(parse(EXACT), [])} == {0}


@pytest.mark.parametrize("right", ["<" * 5000, "\\boxed{" * 2000, "9," * 5000, "é\ud800", "```" * 3000])
def test_any_right_answer_can_be_attacked(right: str) -> None:
    assert winners(EXACT, [Target(QUESTION, right, {"reference": right})]) == set()
