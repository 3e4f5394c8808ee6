"""Graders that ask a model."""

from typing import Literal

from pydantic import ConfigDict, Field

from graders.schema.base import BASIC, GraderModel, Turns


class RewardModelGrader(GraderModel):
    """Asks a reward model how good the answer is: any number, and higher is better."""

    model_config = ConfigDict(title="Reward model", json_schema_extra={"group": "models"})

    type: Literal["reward_model"] = "reward_model"
    model: str = Field(
        min_length=1, max_length=256, title="Reward model", json_schema_extra=BASIC | {"format": "reward-model"}
    )
    """Name of a reward model in the hub."""
    input: Turns | None = Field(None, title="Conversation")
    """Messages with role and content, which may hold templates. Empty: the row's prompt and the answer to it."""
    scale: Literal["none", "sigmoid"] = Field("none", title="Scale", json_schema_extra=BASIC)
    """none: the score as it is. sigmoid: between 0 and 1, where 0.5 is a score of 0; easier to weigh in a formula."""
