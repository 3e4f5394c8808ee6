from contracts.method import METHODS
from contracts.method.presets import GRPO_PRESETS, PPO_PRESETS
from scripts.methods_guide import PAGE, page


def test_the_guide_says_what_the_contracts_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m scripts.methods_guide"


def test_every_method_has_a_section_and_every_preset_a_line() -> None:
    text = page()
    assert all(f"## {name}\n" in text for name in METHODS)
    presets = {**GRPO_PRESETS, **PPO_PRESETS}
    assert all(f"| `{name}` | {preset.title} | {preset.description} |" in text for name, preset in presets.items())


def test_every_field_of_every_method_stands_in_the_guide() -> None:
    text = page()
    names = {name for method in METHODS.values() for name in type(method.hyperparameters).model_fields}
    assert [name for name in sorted(names) if f"| `{name}` |" not in text] == []
