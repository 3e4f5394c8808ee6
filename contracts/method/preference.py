"""Learning from comparisons and verdicts that somebody made before."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from contracts.method.common import BASIC, Auto, Block, MethodBase, RewardedBlock, RowHyperparameters, Shape, Task


class DpoHyperparameters(RowHyperparameters):
    """Direct preference optimization (Rafailov et al. 2023, arXiv:2305.18290)."""

    beta: Annotated[float, Field(gt=0, le=2)] | Auto = Field("auto", title="Beta", json_schema_extra=BASIC)
    """How hard the model is held to its starting point. Higher holds harder. “auto” is 0.1, or 0.3 for tiny models."""
    loss_type: Literal["sigmoid", "ipo", "hinge", "robust"] = Field("sigmoid", title="Loss")
    """How a pair counts: DPO (sigmoid), IPO (arXiv:2310.12036), SLiC's hinge, robust against wrong labels."""
    sft_weight: Annotated[float, Field(ge=0, le=10)] | Auto = Field("auto", title="Weight of imitation")
    """Adds cross-entropy on the preferred answers, which keeps them likely (RPO, arXiv:2404.19733). “auto” is 1."""
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, title="Share of wrong labels")
    """How many pairs are likely to be the wrong way round. Used by the losses sigmoid and robust."""


class KtoHyperparameters(RowHyperparameters):
    """Kahneman-Tversky optimization (Ethayarajh et al. 2024, arXiv:2402.01306)."""

    beta: Annotated[float, Field(gt=0, le=2)] | Auto = Field("auto", title="Beta", json_schema_extra=BASIC)
    """How hard the model is held to its starting point. “auto” is 0.1, or 0.5 for tiny models."""
    loss_type: Literal["kto", "apo_zero_unpaired"] = Field("kto", title="Loss")
    """KTO, or APO-zero for a model whose answers are worse than those of the data (arXiv:2408.06266)."""
    desirable_weight: Annotated[float, Field(gt=0, le=100)] | Auto = Field("auto", title="Weight of good answers")
    """How much a good answer counts. “auto” balances the two classes."""
    undesirable_weight: Annotated[float, Field(gt=0, le=100)] | Auto = Field("auto", title="Weight of bad answers")
    """How much a bad answer counts. “auto” balances the two classes."""


class RewardModelHyperparameters(RowHyperparameters):
    """Bradley-Terry: the preferred answer shall score higher (Ouyang et al. 2022, arXiv:2203.02155)."""

    center_rewards_coefficient: float = Field(0.0, ge=0, le=1, title="Centering")
    """Pulls the scores of each pair towards a sum of zero (arXiv:2312.09244). 0.01 is a good start."""


class Dpo(RewardedBlock):
    hyperparameters: DpoHyperparameters = DpoHyperparameters()


class Kto(RewardedBlock):
    hyperparameters: KtoHyperparameters = KtoHyperparameters()


class RewardModel(Block):
    hyperparameters: RewardModelHyperparameters = RewardModelHyperparameters()


class DpoMethod(MethodBase):
    """Learning from pairs of a better and a worse answer."""

    model_config = ConfigDict(title="DPO")
    shape: ClassVar[Shape] = "preference"

    type: Literal["dpo"] = "dpo"
    dpo: Dpo = Dpo()


class KtoMethod(MethodBase):
    """Learning from answers that are marked as good or bad."""

    model_config = ConfigDict(title="KTO")
    shape: ClassVar[Shape] = "labelled"

    type: Literal["kto"] = "kto"
    kto: Kto = Kto()


class RewardModelMethod(MethodBase):
    """A model that scores answers, learned from pairs. Evaluators can use it as a reward."""

    model_config = ConfigDict(title="Reward model")
    shape: ClassVar[Shape] = "preference"
    makes: ClassVar[Task] = "reward"

    type: Literal["reward_model"] = "reward_model"
    reward_model: RewardModel = RewardModel()
