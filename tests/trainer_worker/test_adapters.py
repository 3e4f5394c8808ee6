"""An adapter beside its base is loaded as the model that both make together."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tests.whetstone.model_files import CONFIG
from trainer_worker.models import load_model


def test_an_adapter_is_merged_into_its_base_before_anything_trains(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    base = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    base.save_pretrained(folder)
    both = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    both.save_pretrained(folder)
    prompt = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        wanted = both.eval()(prompt).logits
        plain = both.base_model.disable_adapter_layers() or both(prompt).logits
    loaded = load_model(folder, seed=1, drawn=tmp_path / "drawn").eval()
    with torch.no_grad():
        found = loaded(prompt).logits
    assert torch.allclose(found, wanted, atol=1e-5)
    assert not torch.allclose(found, plain, atol=1e-3)
    assert not (tmp_path / "drawn" / "adapter_config.json").exists()
