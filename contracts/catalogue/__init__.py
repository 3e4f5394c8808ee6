"""Every fault that a person may read, by its code."""

from contracts.catalogue.data import DATA
from contracts.catalogue.entry import Cause, Entry
from contracts.catalogue.graders import GRADERS
from contracts.catalogue.jobs import JOBS
from contracts.catalogue.requests import REQUESTS

CATALOGUE: dict[str, Entry] = REQUESTS | DATA | GRADERS | JOBS

__all__ = ["CATALOGUE", "Cause", "Entry"]
