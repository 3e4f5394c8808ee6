"""The one held-out number by which a job's checkpoints are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Values = Mapping[str, float]


@dataclass(frozen=True)
class Headline:
    """A key of the evaluations, and which way it is better."""

    key: str
    lower_is_better: bool = False

    def merit(self, values: Values) -> float | None:
        """Higher is better, whatever the number is. None where the held-out data has no such number."""
        value = values.get(self.key)
        return None if value is None else -value if self.lower_is_better else value


REWARD, PAIRS, LOSS, MARGIN = (
    Headline("reward_mean"),
    Headline("pair_accuracy"),
    Headline("loss", lower_is_better=True),
    Headline("margin"),
)


def headline_of(method: str, evaluations: Iterable[Values]) -> Headline | None:
    """What the evaluator says comes first, then what the method is for.

    Pairs count for a reward model alone, and margins only where there is nothing else: both grow in DPO while the
    model becomes worse.
    """
    told = {key for values in evaluations for key in values}
    order = (REWARD, PAIRS, LOSS) if method == "reward_model" else (REWARD, LOSS, MARGIN)
    return next((headline for headline in order if headline.key in told), None)
