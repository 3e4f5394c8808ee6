"""Weights that are drawn large: answers differ, and few end by themselves."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, set_seed


def draw_large(folder: Path) -> None:
    """Into a folder that has a config. The same ones every time."""
    set_seed(3)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    model.save_pretrained(folder)
