"""Every fault that a person may read, by its code."""

from contracts.catalogue.data import DATA
from contracts.catalogue.entry import Cause, Entry
from contracts.catalogue.evaluations import EVALUATIONS
from contracts.catalogue.graders import GRADERS
from contracts.catalogue.jobs import JOBS
from contracts.catalogue.labels import LABELS
from contracts.catalogue.models import MODELS
from contracts.catalogue.requests import REQUESTS
from contracts.catalogue.serving import SERVING

CATALOGUE: dict[str, Entry] = REQUESTS | DATA | MODELS | GRADERS | JOBS | EVALUATIONS | SERVING | LABELS

__all__ = ["CATALOGUE", "Cause", "Entry"]
