"""Can this draft become a job? Everything that can be known before a GPU is asked."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from contracts.estimate import Shape, Work, Workload
from contracts.fault import Fault, FaultReport
from contracts.job import JobDraft
from contracts.method import CanonicalMethod, RowHyperparameters, canonical
from contracts.resolve import Facts, resolve, total_steps
from graders.schema import Grader
from whetstone.accounts.models import Team
from whetstone.datasets.find import find_version
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.serves import rows_for
from whetstone.evaluators.find import find_evaluator
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.jobs.check_data import check_apart, check_held_out, check_labels, check_rows
from whetstone.jobs.check_grader import check_columns, check_grader
from whetstone.jobs.keep import model_of
from whetstone.jobs.lengths import lengths
from whetstone.jobs.named import find_named
from whetstone.jobs.noting import noting
from whetstone.jobs.place import Place, place
from whetstone.modelhub.find import find_model
from whetstone.modelhub.models import Model
from whetstone.modelhub.template import lacks_template

METHOD: TypeAdapter[CanonicalMethod] = TypeAdapter(CanonicalMethod)


@dataclass
class Checked:
    """A draft, and what was found of all that it names."""

    draft: JobDraft
    problems: list[FaultReport] = field(default_factory=list)
    warnings: list[FaultReport] = field(default_factory=list)
    """What a person should know and may still want."""
    model: Model | None = None
    training: DatasetVersion | None = None
    validation: DatasetVersion | None = None
    evaluator: EvaluatorVersion | None = None
    grader: Grader | None = None
    scorers: list[Model] = field(default_factory=list)
    """The reward models that the grader asks."""
    method: CanonicalMethod | None = None
    """Resolved: nothing in it says “auto”. None while model or dataset are missing."""
    rows: int = 0
    """As the method counts them: a pair may be two."""
    held_out_rows: int = 0
    steps: int = 0
    place: Place | None = None
    """None while the pool that was asked for is not there."""


def check(team: Team, draft: JobDraft) -> Checked:
    """Look up all that the draft names, and collect every problem instead of stopping at the first."""
    found = Checked(draft)
    method = canonical(_with_old_hyperparameters(draft).method)
    with noting(found.problems):
        found.model = _base(team, draft.model, method)
    with noting(found.problems):
        found.training = find_version(team, draft.training_file, param="training_file")
    if draft.validation_file is not None:
        with noting(found.problems):
            found.validation = find_version(team, draft.validation_file, param="validation_file")
    if draft.integrations:
        names = ", ".join(sorted({one.type for one in draft.integrations}))
        found.warnings.append(Fault("job.integration_ignored", field="integrations", integration=names).report)
    _check_data(found, method)
    with noting(found.problems):
        _check_evaluator(team, found, method)
    with noting(found.problems):
        _resolve(found, method)
    with noting(found.problems):
        _place(found)
    return found


def _base(team: Team, name: str, method: CanonicalMethod) -> Model:
    """The model to start from; of a checkpoint, what it would be as one: `launch` stores it.

    Raises Fault model.not_found, model.is_reward_model, model.is_quantized, model.no_chat_template or
    checkpoint.is_adapter.
    """
    checkpoint = find_named(team, name)
    model = model_of(*checkpoint) if checkpoint else find_model(team, name)
    if method.makes == "text" and model.task == Model.Task.REWARD:
        raise Fault("model.is_reward_model", field="model", model=name, method=method.type)
    if model.quantization:
        raise Fault("model.is_quantized", field="model", model=name, quantization=model.quantization)
    if lacks_template(model):
        raise Fault("model.no_chat_template", field="model", model=name)
    return model


def _resolve(found: Checked, method: CanonicalMethod) -> None:
    """Put a number in every place. What the numbers make together must be as valid as each of them."""
    if found.model is None or found.training is None:
        return
    rows = rows_for(found.training, method)
    facts = Facts(rows=max(1, rows.total), parameters=found.model.parameters, desirable=rows.good)
    resolved = resolve(_pinned(method, found), facts)
    try:
        METHOD.validate_python(resolved.model_dump(mode="json"))
    except ValidationError as error:
        first = error.errors()[0]
        name = next(key for key in first["loc"] if key in type(resolved.hyperparameters).model_fields)
        field = f"method.{found.draft.method.type}.hyperparameters.{name}"
        detail = f"{name} becomes {first['input']}: {first['msg'].lower()}"
        raise Fault("request.invalid", field=field, detail=detail) from None
    found.held_out_rows = rows_for(found.validation, method).total if found.validation else 0
    found.method, found.rows, found.steps = resolved, facts.rows, total_steps(resolved, facts.rows)


def _place(found: Checked) -> None:
    """Where it goes to, and what to change where that is too small."""
    base = found.model.pk if found.model else None
    found.place = place(found.draft.resources.pool, found.method, _work(found), base)
    if found.place.warning:
        found.warnings.append(found.place.warning)


def _work(found: Checked) -> Work | None:
    """None while the method is not resolved, and where a model's config does not say enough."""
    model, training, method = found.model, found.training, found.method
    if model is None or training is None or method is None:
        return None
    try:
        shape, *beside = (Shape.of(one.config, one.parameters) for one in (model, *found.scorers))
    except ValueError:
        return None
    h = method.hyperparameters
    longest, middle = lengths(training, model, prompts_alone=method.is_reinforcement)
    if isinstance(h, RowHyperparameters) and h.max_length:
        longest, middle = min(longest, h.max_length), min(middle, h.max_length)
    load = Workload(shape=shape, tokens=longest, bf16=h.precision == "bf16", scorers=tuple(beside))
    return Work(
        load=load,
        steps=found.steps,
        row_tokens=middle,
        held_out_rows=found.held_out_rows,
        held_out_samples=found.grader is not None,
    )


def _with_old_hyperparameters(draft: JobDraft) -> JobDraft:
    """OpenAI's deprecated top-level hyperparameters, moved to where they belong."""
    if draft.hyperparameters is None:
        return draft
    if draft.method.type not in ("full", "supervised"):
        raise Fault(
            "request.invalid",
            field="hyperparameters",
            detail="The top-level hyperparameters belong to supervised jobs; put them into the method.",
        )
    given = draft.hyperparameters.model_dump(exclude_unset=True)
    document = draft.model_dump(mode="json")
    document["method"][draft.method.type]["hyperparameters"].update(given)
    document["hyperparameters"] = None
    return JobDraft.model_validate(document)


def _check_data(found: Checked, method: CanonicalMethod) -> None:
    if found.training:
        with noting(found.problems):
            check_rows(found.training, method, "training_file")
            check_labels(found.training, method, "training_file")
    if found.validation:
        with noting(found.problems):
            check_held_out(found.validation, method, "validation_file")
    if found.training and found.validation:
        with noting(found.warnings):
            check_apart(found.training, found.validation)


def _check_evaluator(team: Team, found: Checked, method: CanonicalMethod) -> None:
    if method.reward is None:
        return
    place = found.draft.method.type
    if method.reward.evaluator is not None:
        found.evaluator = find_evaluator(team, method.reward.evaluator, param=f"method.{place}.evaluator")
    found.grader = found.evaluator.grader if found.evaluator else method.reward.grader
    if found.grader is None:
        if not method.is_reinforcement:
            return
        raise Fault("evaluator.missing", field=f"method.{place}.evaluator", method=place)
    param = f"method.{place}.{'evaluator' if found.evaluator else 'grader'}"
    found.scorers = check_grader(team, found.grader, param, found.problems, is_saved=found.evaluator is not None)
    # Where nothing is sampled in training, the held-out rows alone are graded.
    graded = (found.training, found.validation) if method.is_reinforcement else (found.validation or found.training,)
    for version in filter(None, graded):
        check_columns(found.grader, version, param)


def _pinned(method: CanonicalMethod, found: Checked) -> CanonicalMethod:
    """The method with its evaluator named by version, so that a later version changes nothing."""
    if found.evaluator is None:
        return method
    block = method.block.model_copy(update={"evaluator": str(found.evaluator)})
    return method.model_copy(update={method.type: block})
