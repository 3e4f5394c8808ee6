"""What a training or an evaluation needs before it is begun: memory, and time. Pure arithmetic on a model's config.

The page, the API, the command line and the worker ask here, so that none of them says something else.
"""

from contracts.estimate.duration import GUESS as GUESS
from contracts.estimate.duration import Duration as Duration
from contracts.estimate.duration import Work as Work
from contracts.estimate.duration import answering_s as answering_s
from contracts.estimate.duration import duration_of as duration_of
from contracts.estimate.memory import GB as GB
from contracts.estimate.memory import RUNTIME as RUNTIME
from contracts.estimate.memory import SCORED_AT_ONCE as SCORED_AT_ONCE
from contracts.estimate.memory import Fit as Fit
from contracts.estimate.memory import Memory as Memory
from contracts.estimate.memory import Workload as Workload
from contracts.estimate.memory import adapter_parameters as adapter_parameters
from contracts.estimate.memory import answering as answering
from contracts.estimate.memory import estimate as estimate
from contracts.estimate.memory import fit_of as fit_of
from contracts.estimate.memory import least as least
from contracts.estimate.memory import needs_checkpointing as needs_checkpointing
from contracts.estimate.shape import Shape as Shape
from contracts.estimate.smaller import smaller as smaller
from contracts.estimate.speed import Speed as Speed
from contracts.estimate.speed import speed_of as speed_of
