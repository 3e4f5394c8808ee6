"""What every method starts from, and the arguments that all of TRL's trainers share."""

import math
import os
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from contracts.dataset import PreparedRow
from contracts.event import Phase
from contracts.fault import Fault
from contracts.method import Hyperparameters, LoraAdapter
from contracts.resolve import fixed
from contracts.weights import require_safetensors
from graders import Port
from trainer_worker.assignment import Assignment
from trainer_worker.data import read_rows
from trainer_worker.methods.fitting import use_checkpointing
from trainer_worker.models import load_model, task_of
from trainer_worker.pretrained import context_of, load_tokenizer, use_bf16
from trainer_worker.scorers import load_port
from trainer_worker.spool import SpoolWriter


@dataclass(frozen=True)
class Base:
    """The model to train, its tokenizer, and where to read and report."""

    assignment: Assignment
    spool: SpoolWriter
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    port: Port
    """Through which graders reach their models."""

    @property
    def context(self) -> int:
        return context_of(self.model)

    @property
    def pad_id(self) -> Any:  # Any: transformers types a token id as nearly anything
        return self.tokenizer.pad_token_id

    def training_rows(self) -> Any:  # Any: an iterator of PreparedRow
        return read_rows(self.assignment.training, self.assignment.spec.training.mapping)

    def held_out_rows(self) -> list[PreparedRow]:
        spec = self.assignment.spec
        if spec.validation is None or self.assignment.validation is None:
            return []
        return list(read_rows(self.assignment.validation, spec.validation.mapping))


class Quiet:
    """Over a trainer of TRL: evaluations are the watch's, and no model card is written."""

    watch: Any  # the Watch; set before training starts

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Called by the trainer between a step's log and its checkpoint."""
        self.control.should_evaluate = False  # type: ignore[attr-defined]  # the trainer's; it asks twice at an end
        self.watch.evaluate(self.model)  # type: ignore[attr-defined]
        return {}

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """The trainer's own. Saying so gives it the time that a large one takes."""
        self.watch.say_phase("saving")
        super()._save_checkpoint(*args, **kwargs)  # type: ignore[misc]

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """TRL would write one into every checkpoint."""


def load(assignment: Assignment, spool: SpoolWriter) -> Base:
    """Raises Fault model.not_safetensors before anything of a model is read, or what keeps it from being trained."""
    spool.append(Phase(name="loading"))
    spec = assignment.spec
    for given in (spec.model, *spec.scorers):
        require_safetensors(file.path for file in given.files)
    if spec.method.makes == "text" and task_of(assignment.model) == "reward":
        raise Fault("model.is_reward_model", field="model", model=spec.model.name, method=spec.method.type)
    tokenizer = load_tokenizer(assignment.model)
    if not tokenizer.chat_template:
        raise Fault("model.no_chat_template", field="model", model=spec.model.name)
    model = load_model(assignment.model, spec.seed, drawn=assignment.folder / "drawn", task=spec.method.makes)
    port = load_port(spec.grader, assignment.scorers, spec.method.hyperparameters, assignment.folder)
    return Base(assignment, spool, model, tokenizer, port)


def is_first_process() -> bool:
    return int(os.environ.get("RANK", "0")) == 0


def arguments(base: Base, h: Hyperparameters, sequences: int) -> dict[str, Any]:
    """Of any TRL config. `sequences`: how many of them make one optimizer step."""
    micro = min(int(fixed(h.micro_batch_size)), sequences)
    passes = math.ceil(sequences / (micro * base.assignment.processes))
    return {
        "output_dir": str(base.assignment.checkpoints),
        "seed": base.assignment.spec.seed,
        "max_steps": base.assignment.spec.total_steps,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": passes,
        "learning_rate": float(fixed(h.learning_rate)),
        "lr_scheduler_type": "constant_with_warmup" if h.lr_scheduler == "constant" else h.lr_scheduler,
        "warmup_steps": int(h.warmup_ratio * base.assignment.spec.total_steps),
        "weight_decay": h.weight_decay,
        "max_grad_norm": h.max_grad_norm,
        "bf16": use_bf16(h),
        "gradient_checkpointing": use_checkpointing(base.assignment, base.model, base.tokenizer),
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
    }


def lora_config(adapter: LoraAdapter | None, model: PreTrainedModel) -> LoraConfig | None:
    """PEFT's form of the contract. The head of a reward model is trained whole beside the adapter.

    Raises:
        Fault: lora.no_target when a name fits no layer, lora.output_layer when it fits the one that is not possible.
    """
    if adapter is None:
        return None
    if adapter.targets != "all-linear":
        _check_targets(adapter.targets, model)
    return LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=adapter.targets if adapter.targets == "all-linear" else list(adapter.targets),
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        task_type="CAUSAL_LM" if model.can_generate() else "SEQ_CLS",
    )


def _check_targets(targets: tuple[str, ...], model: PreTrainedModel) -> None:
    layers = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    fitting = {t: [name for name in layers if name == t or name.endswith(f".{t}")] for t in targets}
    if missing := [target for target, names in fitting.items() if not names]:
        known = sorted({name.rpartition(".")[2] for name in layers})
        raise Fault("lora.no_target", field="method.lora.targets", targets=", ".join(missing), layers=", ".join(known))
    heads = (model.get_output_embeddings(), getattr(model, "score", None))
    for target, names in fitting.items():
        if any(layers[name] in heads for name in names):
            raise Fault("lora.output_layer", field="method.lora.targets", layer=target)
