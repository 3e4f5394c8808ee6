"""Imitation of the answers that the rows hold."""

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, field_validator

from contracts import Contract
from contracts.method.common import LoraAdapter, MethodBase, RewardedBlock, RowHyperparameters, Shape


class SupervisedHyperparameters(RowHyperparameters):
    """Cross-entropy on the assistant's answers."""


class Supervised(RewardedBlock):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()


class Full(RewardedBlock):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()
    lora: None = None

    @field_validator("lora", mode="before")
    @classmethod
    def without_adapter(cls, given: Any) -> None:  # Any: what the request holds
        if given is not None:
            raise ValueError("full fine-tuning trains all weights; for an adapter use the method lora")


class Lora(RewardedBlock):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()
    lora: LoraAdapter = LoraAdapter()


class FullMethod(MethodBase):
    """Supervised fine-tuning of all weights."""

    model_config = ConfigDict(title="Full fine-tuning")
    shape: ClassVar[Shape] = "chat"

    type: Literal["full"] = "full"
    full: Full = Full()


class LoraMethod(MethodBase):
    """Supervised fine-tuning of a low-rank adapter."""

    model_config = ConfigDict(title="LoRA")
    shape: ClassVar[Shape] = "chat"

    type: Literal["lora"] = "lora"
    lora: Lora = Lora()


class SupervisedMethod(Contract):
    """OpenAI's word: `lora` when a lora block is given, `full` otherwise."""

    type: Literal["supervised"] = "supervised"
    supervised: Supervised = Supervised()

    def canonical(self) -> FullMethod | LoraMethod:
        given = {name: getattr(self.supervised, name) for name in self.supervised.model_fields_set}
        if given.get("lora") is not None:
            return LoraMethod(lora=Lora(**given))
        return FullMethod(full=Full(**given))
