"""Can this become an evaluation? Everything that can be known before a model is loaded."""

import hashlib
from dataclasses import dataclass, field

import orjson

from contracts.estimate import Shape, Workload
from contracts.evaluation import Answering, EvaluationDraft, resolve
from contracts.fault import Fault, FaultReport
from graders.schema import Grader
from whetstone.accounts.models import Team
from whetstone.datasets.find import find_version
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluations.find import evaluations
from whetstone.evaluations.models import Evaluation
from whetstone.evaluators.find import find_evaluator
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.jobs.check_grader import check_columns, check_grader
from whetstone.jobs.keep import model_of
from whetstone.jobs.lengths import lengths
from whetstone.jobs.models import Job
from whetstone.jobs.named import find_named
from whetstone.jobs.noting import noting
from whetstone.jobs.place import Asking, Place, place_evaluation
from whetstone.modelhub.find import find_model
from whetstone.modelhub.models import Model

REUSED = (Job.Status.SUCCEEDED, Job.Status.RUNNING, Job.Status.QUEUED)


@dataclass
class Checked:
    """A draft, and what was found of all that it names."""

    draft: EvaluationDraft
    problems: list[FaultReport] = field(default_factory=list)
    warnings: list[FaultReport] = field(default_factory=list)
    model: Model | None = None
    dataset: DatasetVersion | None = None
    evaluator: EvaluatorVersion | None = None
    grader: Grader | None = None
    scorers: list[Model] = field(default_factory=list)
    answering: Answering | None = None
    place: Place | None = None
    same: Evaluation | None = None
    """As `same_as` finds it."""


def check(team: Team, draft: EvaluationDraft) -> Checked:
    """Look up all that the draft names, and collect every problem instead of stopping at the first."""
    found = Checked(draft)
    with noting(found.problems):
        found.model = _model(team, draft.model)
    with noting(found.problems):
        found.dataset = _dataset(team, draft.dataset)
    with noting(found.problems):
        _check_grader(team, found)
    with noting(found.problems):
        _resolve(found)
    with noting(found.problems):
        found.place = _place(found)
    if found.place and found.place.warning:
        found.warnings.append(found.place.warning)
    if not found.problems and found.model and found.model.pk:
        found.same = same_as(team, found)
    return found


def same_as(team: Team, found: Checked) -> Evaluation | None:
    """One that was carried out before, or is under way, and would come to the same."""
    return evaluations(team).filter(identity=identity_of(found), job__status__in=REUSED).first()


def subject_of(found: Checked) -> str:
    """A hash of what must be the same for two models to be compared: rows, evaluator, and how they were asked to
    answer. What “auto” came to may differ: it follows the model."""
    assert found.dataset  # check() found no problem
    assert found.grader
    asked = found.draft.settings.model_dump(mode="json", exclude={"batch_size", "precision", "seed"})
    return _hash(
        found.dataset.id,
        found.grader.model_dump(mode="json"),
        [[model.pk, model.files] for model in found.scorers],
        asked | {"temperature": 0 if found.draft.settings.is_greedy else asked["temperature"]},
    )


def identity_of(found: Checked) -> str:
    """A hash of all that the result hangs on. How many prompts are answered together changes greedy answers by
    rounding alone."""
    assert found.model  # check() found no problem
    assert found.answering
    beside = {"batch_size"} if found.answering.temperature is None else set[str]()
    how = found.answering.model_dump(mode="json", exclude=beside)
    return _hash(subject_of(found), found.model.pk, found.model.files, how)


def _hash(*parts: object) -> str:
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _model(team: Team, name: str) -> Model:
    """Of a checkpoint what it would be as a model: `launch` stores it. Raises Fault model.not_found,
    evaluation.reward_model, model.is_quantized or checkpoint.is_adapter."""
    checkpoint = find_named(team, name)
    model = model_of(*checkpoint) if checkpoint else find_model(team, name)
    if model.task == Model.Task.REWARD:
        raise Fault("evaluation.reward_model", field="model", model=name)
    if model.quantization:
        raise Fault("model.is_quantized", field="model", model=name, quantization=model.quantization)
    return model


def _dataset(team: Team, ref: str) -> DatasetVersion:
    """Raises Fault dataset.not_found, dataset.not_mapped or dataset.empty."""
    version = find_version(team, ref, param="dataset")
    if not version.shape:
        raise Fault("dataset.not_mapped", field="dataset", dataset=str(version))
    if not version.rows:
        raise Fault("dataset.empty", field="dataset")
    return version


def _check_grader(team: Team, found: Checked) -> None:
    draft, param = found.draft, "grader" if found.draft.grader else "evaluator"
    if draft.evaluator is not None:
        found.evaluator = find_evaluator(team, draft.evaluator)
    found.grader = found.evaluator.grader if found.evaluator else draft.grader
    if found.grader is None:
        raise Fault("evaluation.no_evaluator", field="evaluator")
    is_saved = found.evaluator is not None
    found.scorers = check_grader(team, found.grader, param, found.problems, is_saved=is_saved)
    if found.dataset:
        check_columns(found.grader, found.dataset, param)


def _resolve(found: Checked) -> None:
    """Raises Fault evaluation.no_room."""
    model, dataset = found.model, found.dataset
    if model is None or dataset is None:
        return
    context = model.context_length
    how = resolve(found.draft.settings, rows=dataset.rows, parameters=model.parameters, context=context)
    if context and how.max_completion_length >= context:
        place, longest = "settings.max_completion_length", how.max_completion_length
        raise Fault(
            "evaluation.no_room", field=place, model=model.name, longest=longest, context=context, most=context - 1
        )
    found.answering = how


def _place(found: Checked) -> Place | None:
    if found.answering is None:
        return None
    return place_evaluation(found.draft.resources.pool, found.answering, _asking(found))


def _asking(found: Checked) -> Asking | None:
    """None where a model's config does not say enough."""
    model, dataset = found.model, found.dataset
    assert model
    assert dataset
    try:
        shape, *beside = (Shape.of(one.config, one.parameters) for one in (model, *found.scorers))
    except ValueError:
        return None
    tokens = lengths(dataset, model, prompts_alone=True)
    load = Workload(shape=shape, tokens=tokens.longest, bf16=False, scorers=tuple(beside))
    return Asking(load, tokens.middle, model.pk)
