"""The classical way of RLHF (Ouyang et al., arXiv:2203.02155): pairs, a reward model, PPO with it, a comparison.

Nothing of it is stored. How far somebody has come is read off what was made, the newest first: what was made by hand or
over REST counts too, a tab that is closed loses nothing, and there is no second truth to get out of step.
"""

from dataclasses import dataclass

from contracts.fault import Fault
from graders import models_of, parse
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.split import other_part
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.evaluators.templates import preference_grader
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model

LOOKED_AT = 200
"""Newest versions of evaluators among which the one that asks the reward model is looked for."""
WITH = ("base", "trained", "training__dataset", "validation__dataset", "evaluator__evaluator", "team")


@dataclass(frozen=True)
class Way:
    """From one base and one dataset of pairs. What is None has not been made yet."""

    base: Model
    pairs: DatasetVersion
    prompts: DatasetVersion
    """What PPO answers: the pairs' own prompts, or another dataset."""
    taught: Job | None
    """The newest job that taught a reward model from the pairs."""
    evaluator: EvaluatorVersion | None
    """The newest one that asks that reward model."""
    learned: Job | None
    """The newest PPO job with that evaluator."""

    @property
    def reward_model(self) -> Model | None:
        return self.taught.trained if self.taught else None

    @property
    def result(self) -> Model | None:
        return self.learned.trained if self.learned else None


def way_of(team: Team, base: Model, pairs: DatasetVersion, prompts: DatasetVersion) -> Way:
    jobs = owned(Job, team).select_related(*WITH).order_by("-created_at", "-id")
    taught = jobs.filter(method="reward_model", base=base, training=pairs).first()
    evaluator = _asking(team, taught.trained) if taught and taught.trained else None
    learned = jobs.filter(method="ppo", base=base, training=prompts, evaluator=evaluator).first() if evaluator else None
    return Way(base, pairs, prompts, taught, evaluator, learned)


def _asking(team: Team, scorer: Model) -> EvaluatorVersion | None:
    versions = owned(EvaluatorVersion, team).select_related("evaluator")[:LOOKED_AT]
    return next((version for version in versions if scorer.name in models_of(version.grader)), None)


def taught_for(job: Job) -> Job | None:
    """The newest job of the same base that taught the reward model by which a PPO job is rewarded."""
    if job.method != "ppo" or job.evaluator is None:
        return None
    taught = owned(Job, job.team).filter(method="reward_model", base=job.base)
    return taught.filter(trained__name__in=models_of(job.evaluator.grader)).order_by("-created_at", "-id").first()


def evaluator_from(user: User, team: Team, taught: Job) -> EvaluatorVersion:
    """Saves the reward model as an evaluator: between 0 and 1, held back from paying for long or repeated text.

    Raises:
        Fault: evaluator.model_missing, when the job has made no model or somebody deleted it.
    """
    if taught.trained is None:
        raise Fault("evaluator.model_missing", field="job", model=taught.model_name)
    grader = parse(preference_grader(taught.trained.name))
    return save_evaluator(user, team, f"taste-{taught.id[-8:]}", grader, note=taught.label)


def held_out_of(version: DatasetVersion) -> DatasetVersion | None:
    """The rows that were held out when these were split off to train on."""
    other = other_part(version)
    return other if other and other.origin["side"] == "held-out" else None
