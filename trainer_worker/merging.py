"""A merge, inside its process: an adapter and its base in, one whole model out."""

import shutil

from contracts.event import Finished, Phase
from contracts.fault import Fault
from contracts.weights import require_safetensors
from trainer_worker.assignment import MergeWork
from trainer_worker.memory import peak_bytes
from trainer_worker.models import ADAPTER, files_of, merge_into, parameters_of, task_of
from trainer_worker.spool import SpoolWriter


def merge(work: MergeWork, spool: SpoolWriter) -> None:
    """The merged model in `work.final_model`, in its base's precision; the adapter is kept in it under `adapter/`.

    Raises:
        Fault: model.not_safetensors, or adapter.unmergeable with what PEFT says.
    """
    spool.append(Phase(name="loading"))
    require_safetensors(file.path for file in work.spec.model.files)
    folder = work.final_model
    try:
        model = merge_into(folder, work.model)
    except (ValueError, RuntimeError, KeyError) as error:
        raise Fault("adapter.unmergeable", model=work.spec.model.name, detail=str(error)[:500]) from error
    spool.append(Phase(name="saving"))
    for name in ADAPTER:
        (folder / "adapter").mkdir(exist_ok=True)
        shutil.copyfile(work.model / name, folder / "adapter" / name)
    spool.append(
        Finished(
            step=1,
            files=files_of(folder),
            parameters=parameters_of(model),
            trained_tokens=0,
            task=task_of(folder),
            peak_memory=peak_bytes(),
        )
    )
