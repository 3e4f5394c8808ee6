"""What the methods that sample completions share: prompts, the grader's reward, held-out answers, rollouts."""

from typing import Any, TypeVar

from transformers import PrinterCallback

from contracts.fault import Fault
from contracts.method import CanonicalMethod, SamplingHyperparameters
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.data import prompts
from trainer_worker.evaluate import Examination, GradedAnswers
from trainer_worker.methods.base import Base, Quiet, arguments, is_first_process, lora_config
from trainer_worker.methods.drawing import Drawing
from trainer_worker.monotony import Monotony
from trainer_worker.rewards import GraderReward
from trainer_worker.rollouts import RolloutWriter
from trainer_worker.sampler import Sampler


class Rewarded(Drawing, Quiet):
    """Over a trainer of TRL that samples: draws with our sampler, and hands on every batch with its advantages.

    Overrides a private method of TRL 1.16 (the only place where advantages and completions meet in order).
    """

    reward: GraderReward
    writer: RolloutWriter | None = None

    def log(self, logs: dict[str, float], *args: Any, **named: Any) -> None:
        """TRL's, without the numbers of each reward function: there is one, and `reward`, `reward_std` say the same."""
        said: dict[str, Any] = self._metrics["train"]  # type: ignore[attr-defined]  # the trainer's
        for part in ("mean", "std"):
            said.pop(f"rewards/{self.reward.__name__}/{part}", None)
        super().log(logs, *args, **named)  # type: ignore[misc]  # TRL's

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)  # type: ignore[misc]  # TRL's
        if self.writer is not None and self.reward.latest is not None:
            step = self.state.global_step + 1  # type: ignore[attr-defined]  # the trainer's
            self.writer.add(step, self.reward.latest, _of_each(output).tolist())
        return output


def _of_each(output: dict[str, Any]) -> Any:  # Any: a tensor (completions,)
    """One advantage a completion. Where every token has its own, their mean over the completion."""
    advantages, mask = output["advantages"], output["completion_mask"]
    return advantages if advantages.dim() == 1 else (advantages * mask).sum(1) / mask.sum(1).clamp(min=1)


T = TypeVar("T", bound=Rewarded)


def assemble(kind: type[T], base: Base, method: CanonicalMethod, config: Any, **more: Any) -> tuple[T, Watch]:
    """A trainer of that kind with all that surrounds it. `config`: TRL's; `more`: the kind's own arguments.

    Raises:
        Fault: evaluator.missing, or what is wrong with the rows or the adapter.
    """
    h = method.hyperparameters
    assert isinstance(h, SamplingHyperparameters)
    reward = GraderReward(_grader(base, method), base.port)
    watch = Watch(base.assignment, h, base.spool, [], speaks=is_first_process())
    watch.examinations.extend(_examinations(base, h, reward, watch))
    make: Any = kind  # Any: TRL's trainers have no types
    trainer = make(
        model=base.model,
        args=config,
        reward_funcs=[reward],
        train_dataset=_rows(base, h),
        processing_class=base.tokenizer,
        peft_config=lora_config(method.block.lora, base.model),
        callbacks=[watch],
        **more,
    )
    trainer.watch, trainer.reward, trainer.sampler = watch, reward, _sampler(base, h)
    trainer.keeps_logprobs = not config.bf16 and (method.block.lora is None or method.block.lora.dropout == 0)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Monotony(reward, flush=lambda: watch.before_checkpoint()))
    if watch.speaks:
        writer = RolloutWriter(base.assignment.rollouts, base.spool, trainer.eos_token_ids, h.num_generations)
        trainer.writer, watch.after_step, watch.before_checkpoint = writer, writer.flush_if_due, writer.flush
    return trainer, watch


def sampling_arguments(base: Base, h: SamplingHyperparameters) -> dict[str, Any]:
    """Of TRL's configs for methods that sample: how, and how often each batch of completions is learned from."""
    completions = int(fixed(h.batch_size)) * h.num_generations
    shared = arguments(base, h, completions // h.num_minibatches)
    return shared | {
        "num_generations": h.num_generations,
        "max_completion_length": h.max_completion_length,
        "temperature": h.temperature,
        "top_p": h.top_p,
        "top_k": 0,
        "beta": h.beta,
        "epsilon": h.epsilon,
        "num_iterations": h.num_iterations,
        "steps_per_generation": shared["gradient_accumulation_steps"] * h.num_minibatches,
        "mask_truncated_completions": h.mask_truncated_completions,
    }


def _grader(base: Base, method: CanonicalMethod) -> Any:  # Any: Grader is a union
    grader = base.assignment.spec.grader
    if grader is None:
        raise Fault("evaluator.missing", field=f"method.{method.type}.evaluator", method=method.type)
    return grader


def _rows(base: Base, h: SamplingHyperparameters) -> Any:  # Any: a Dataset, which has no types
    room = base.context - h.max_completion_length
    rows, counts = prompts(base.training_rows(), base.tokenizer, room=room, context=base.context)
    print(f"training data: {counts}")
    return rows


def _sampler(base: Base, h: SamplingHyperparameters) -> Sampler:
    return Sampler(base.tokenizer, longest=h.max_completion_length, temperature=h.temperature, top_p=h.top_p)


def _examinations(base: Base, h: SamplingHyperparameters, reward: GraderReward, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    if not held_out:
        return []
    samples = int(fixed(h.eval_samples))
    sampler = Sampler(
        base.tokenizer,
        longest=h.max_completion_length,
        samples=samples,
        temperature=None if samples == 1 else h.temperature,
        top_p=h.top_p,
        between_batches=watch.obey,
    )
    return [GradedAnswers(held_out, reward.grader, sampler, base.port)]
