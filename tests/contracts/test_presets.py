"""Presets: names of papers, what they set, and what a person sets beside them."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from contracts.method import GrpoHyperparameters, PpoHyperparameters
from contracts.method.presets import GRPO_PRESETS, PPO_PRESETS, Preset

KINDS: list[tuple[type[Any], Mapping[str, Preset]]] = [
    (GrpoHyperparameters, GRPO_PRESETS),
    (PpoHyperparameters, PPO_PRESETS),
]


@pytest.mark.parametrize(("kind", "presets"), KINDS)
def test_every_preset_can_be_chosen_and_is_described(kind: type[Any], presets: Mapping[str, Preset]) -> None:
    names = next(part for part in get_args(kind.model_fields["preset"].annotation) if get_args(part))
    assert set(get_args(names)) == set(presets)
    schema = kind.model_json_schema()["properties"]["preset"]["presets"]
    assert {name: Preset.model_validate(told) for name, told in schema.items()} == presets


@pytest.mark.parametrize(("kind", "presets"), KINDS)
def test_a_preset_sets_what_it_says_and_nothing_else(kind: type[Any], presets: Mapping[str, Preset]) -> None:
    for name, preset in presets.items():
        found = kind.model_validate({"preset": name}).model_dump()
        assert found == kind().model_dump() | preset.sets | {"preset": name}


def test_null_takes_a_presets_value_away() -> None:
    found = PpoHyperparameters.model_validate({"preset": "ppo_max", "reward_clip": None})
    assert (found.reward_clip, found.value_clip_range) == (None, 0.2)
