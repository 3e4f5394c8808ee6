"""What a job's worker is given to do: a training, an evaluation, or a merge."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from contracts.evaluation import EvaluationSpec
from contracts.job import JobSpec
from contracts.merging import MergeSpec


def _kind(value: Any) -> str:  # Any: JSON, or a spec
    """Specs that were frozen before there were evaluations say nothing."""
    found = value.get("kind", "training") if isinstance(value, dict) else getattr(value, "kind", "training")
    return str(found)


Spec = Annotated[
    Annotated[JobSpec, Tag("training")]
    | Annotated[EvaluationSpec, Tag("evaluation")]
    | Annotated[MergeSpec, Tag("merge")],
    Discriminator(_kind),
]
SPEC: TypeAdapter[JobSpec | EvaluationSpec | MergeSpec] = TypeAdapter(Spec)
