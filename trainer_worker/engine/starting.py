"""Which engine works on this host. The libraries are heavy, and loaded with the first model: an idle host is small."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from contracts.serving import Load
from trainer_worker.engine.port import Engine, Tell
from trainer_worker.machine import free_memory_gb, gpus
from trainer_worker.settings import Settings

GIB = 1 << 30
CACHE_SHARE = 0.25
"""Of the memory that is free when a model is loaded: for the rows that it writes at once."""


def start_engine(settings: Settings, load: Load, folder: Path, tell: Tell, note: Callable[[str], None]) -> Engine:
    """Returns once the model of the folder is in memory. A reward model is always held by an engine of this platform,
    which is what gives it the scores that it gives in trainings.

    `note` takes lines for the deployment's log.

    Raises:
        Fault: engine.cannot_lead, evaluator.not_a_reward_model, and whatever the engine does.
    """
    if load.model.task == "reward":
        from trainer_worker.engine.scoring import ScoringEngine, scorer_from

        note("as a reward model, with the engine of this platform")
        return ScoringEngine(load.model.name, scorer_from(load.model.name, folder), tell)
    if uses_vllm(settings):
        from trainer_worker.engine.vllm import VllmEngine

        note("with vLLM")
        return VllmEngine("vllm", load.model.name, folder, tell, note, shlex.split(settings.vllm_arguments))
    from trainer_worker.engine.own import Loaded, OwnEngine

    note("with the engine of this platform")
    loaded = Loaded.from_folder(folder)
    return OwnEngine(load.model.name, loaded, tell, int(free_memory_gb() * GIB * CACHE_SHARE))


def uses_vllm(settings: Settings) -> bool:
    """vLLM where it is asked for, or where a GPU and the program are there."""
    if settings.engine == "auto":
        return bool(gpus()) and shutil.which("vllm") is not None
    return settings.engine == "vllm"
