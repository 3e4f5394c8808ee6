"""How to train. One class a method: its fields are the form, the REST body, the docs and the worker's arguments.

Shapes follow OpenAI's fine-tuning API (`method.<type>.hyperparameters`, numbers or "auto"); what OpenAI has no
word for stands beside it under the name the field uses.
"""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field

from contracts.method.common import Auto as Auto
from contracts.method.common import Block as Block
from contracts.method.common import Hyperparameters as Hyperparameters
from contracts.method.common import LoraAdapter as LoraAdapter
from contracts.method.common import MethodBase as MethodBase
from contracts.method.common import RewardedBlock as RewardedBlock
from contracts.method.common import RowHyperparameters as RowHyperparameters
from contracts.method.common import Shape as Shape
from contracts.method.common import Task as Task
from contracts.method.preference import Dpo as Dpo
from contracts.method.preference import DpoHyperparameters as DpoHyperparameters
from contracts.method.preference import DpoMethod as DpoMethod
from contracts.method.preference import Kto as Kto
from contracts.method.preference import KtoHyperparameters as KtoHyperparameters
from contracts.method.preference import KtoMethod as KtoMethod
from contracts.method.preference import RewardModel as RewardModel
from contracts.method.preference import RewardModelHyperparameters as RewardModelHyperparameters
from contracts.method.preference import RewardModelMethod as RewardModelMethod
from contracts.method.reinforcement import Grpo as Grpo
from contracts.method.reinforcement import GrpoHyperparameters as GrpoHyperparameters
from contracts.method.reinforcement import GrpoMethod as GrpoMethod
from contracts.method.reinforcement import Ppo as Ppo
from contracts.method.reinforcement import PpoHyperparameters as PpoHyperparameters
from contracts.method.reinforcement import PpoMethod as PpoMethod
from contracts.method.reinforcement import ReinforcementMethod as ReinforcementMethod
from contracts.method.reinforcement import Rloo as Rloo
from contracts.method.reinforcement import RlooHyperparameters as RlooHyperparameters
from contracts.method.reinforcement import RlooMethod as RlooMethod
from contracts.method.reinforcement import SamplingHyperparameters as SamplingHyperparameters
from contracts.method.supervised import Full as Full
from contracts.method.supervised import FullMethod as FullMethod
from contracts.method.supervised import Lora as Lora
from contracts.method.supervised import LoraMethod as LoraMethod
from contracts.method.supervised import Supervised as Supervised
from contracts.method.supervised import SupervisedHyperparameters as SupervisedHyperparameters
from contracts.method.supervised import SupervisedMethod as SupervisedMethod

CanonicalMethod = Annotated[
    FullMethod | LoraMethod | DpoMethod | KtoMethod | RewardModelMethod | PpoMethod | GrpoMethod | RlooMethod,
    Field(discriminator="type"),
]
METHODS: Mapping[str, CanonicalMethod] = {kind().type: kind() for kind in get_args(get_args(CanonicalMethod)[0])}
"""Every method with its defaults, by name."""

Method = Annotated[CanonicalMethod | SupervisedMethod | ReinforcementMethod, Field(discriminator="type")]


def canonical(method: Method) -> CanonicalMethod:
    """The method under its own name: OpenAI's two words are resolved."""
    if isinstance(method, SupervisedMethod | ReinforcementMethod):
        return method.canonical()
    return method
