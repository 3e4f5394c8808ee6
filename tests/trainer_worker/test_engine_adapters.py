"""One model, several adapters over it: each row is written as by the model that its adapter is merged into."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, set_seed

from contracts.completion import Ask
from contracts.fault import Fault
from contracts.job import ModelRef
from contracts.serving import Load
from tests.drawn import draw_large
from tests.trainer_worker.test_engine import Heard, an_ask
from trainer_worker.decoding import Manner, complete
from trainer_worker.engine.own import Loaded, OwnEngine
from whetstone.starter.model import build

TEXTS = ("12+30=", "a long text before the answer: 7", "x")


def a_load(deployment: str) -> Load:
    return Load(
        deployment=deployment,
        name=f"people say {deployment}",
        token="t",
        model=ModelRef(name="m", files=(), parameters=1),
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    build(folder)
    draw_large(folder)
    return folder


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: an_adapter(base, tmp_path_factory.mktemp(name), seed) for name, seed in (("ada", 1), ("bob", 2))}


def an_adapter(base: Path, folder: Path, seed: int, **more: Any) -> Path:
    set_seed(seed)
    model: Any = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(r=2 + seed, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", **more)
    adapted: Any = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.2)
    adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def engine(base: Path, heard: Heard) -> Iterator[OwnEngine]:
    started = OwnEngine("m", Loaded.from_folder(base), heard.tell, cache_bytes=1 << 28)
    started.hold(a_load("plain"), None)
    yield started
    started.close()


def ask_of(deployment: str, number: int, **sampling: Any) -> Ask:
    ask = an_ask(f"{deployment}{number}", text=TEXTS[number % len(TEXTS)], **sampling)
    return ask.model_copy(update={"deployment": deployment})


def merged(base: Path, adapter: Path | None) -> Loaded:
    loaded = Loaded.from_folder(base)
    if adapter is not None:
        around: Any = PeftModel.from_pretrained(loaded.model, str(adapter))
        loaded.model = around.merge_and_unload()
    return loaded


def expected(loaded: Loaded, text: str, longest: int) -> str:
    manner = Manner(longest, tuple(loaded.ends), loaded.tokenizer.pad_token_id, None)
    (one,) = complete(loaded.model, [loaded.tokenizer(text)["input_ids"]], manner)
    return str(loaded.tokenizer.decode(one.ids, skip_special_tokens=True))


def test_rows_of_different_adapters_are_written_together_as_by_each_merged_model(
    engine: OwnEngine, heard: Heard, base: Path, adapters: dict[str, Path]
) -> None:
    engine.hold(a_load("ada"), adapters["ada"])
    engine.hold(a_load("bob"), adapters["bob"])
    asks = [ask_of(name, n, max_tokens=16) for n in range(3) for name in ("plain", "ada", "bob")]
    for ask in asks:
        engine.ask(ask)
    written = {ask.id: heard.whole(ask)[0] for ask in asks}
    for name, adapter in {"plain": None, **adapters}.items():
        alone = merged(base, adapter)
        for n in range(3):
            assert written[f"{name}{n}"] == expected(alone, TEXTS[n], 16), name
    assert len({written["plain0"], written["ada0"], written["bob0"]}) == 3
    assert engine.busy_with("ada") == (0, 0)
    engine.let_go("ada")
    again = ask_of("bob", 4, max_tokens=16)
    engine.ask(again)
    assert heard.whole(again)[0] == written["bob1"]


def test_an_adapter_comes_and_goes_while_others_are_written(
    engine: OwnEngine, heard: Heard, base: Path, adapters: dict[str, Path]
) -> None:
    long, lost = ask_of("plain", 0, max_tokens=120), ask_of("ada", 1, max_tokens=1500)
    engine.ask(long)
    heard.until(lambda: len(heard.said[long.id]) > 5)
    engine.hold(a_load("ada"), adapters["ada"])
    engine.ask(lost)
    heard.until(lambda: len(heard.said[lost.id]) > 3)
    engine.let_go("ada")
    assert heard.refusal(lost) == "engine.lost"
    assert heard.whole(long) == [expected(merged(base, None), TEXTS[0], 120)]
    assert not hasattr(engine.loaded.model, "peft_config"), "nothing is left of the adapter"
    again = ask_of("plain", 2)
    engine.ask(again)
    assert heard.whole(again) == [expected(merged(base, None), TEXTS[2], 20)]


def test_an_adapter_that_does_not_fit_is_refused_and_the_others_go_on(
    engine: OwnEngine, heard: Heard, base: Path, tmp_path: Path
) -> None:
    other = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base, intermediate_size=96))
    other.save_pretrained(tmp_path / "other")
    wrong = an_adapter(tmp_path / "other", tmp_path / "wrong", 1)
    doubled = an_adapter(base, tmp_path / "dora", 1, use_dora=True)
    for folder, code in ((wrong, "adapter.wrong_base"), (doubled, "engine.unfit_adapter")):
        with pytest.raises(Fault) as caught:
            engine.hold(a_load("ada"), folder)
        assert caught.value.report.code == code
    ask = ask_of("plain", 0)
    engine.ask(ask)
    assert heard.whole(ask) == [expected(merged(base, None), TEXTS[0], 20)]
