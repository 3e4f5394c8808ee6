"""TRL's trainers, made to draw their completions from our sampler."""

from typing import Any

import torch
from torch import Tensor

from trainer_worker.decoding import Sampled
from trainer_worker.sampler import Sampler


class Drawing:
    """Over GRPOTrainer, and over RLOOTrainer with `_generate_single_turn` giving the ids alone.

    Overrides two private methods of TRL 1.16: the one that generates, and the one that reads log-probs. A test holds
    their signatures.
    """

    sampler: Sampler
    keeps_logprobs = False
    """Whether the sampler's log-probs serve as the old policy's, which saves a forward pass where TRL wants them.

    They differ from that pass by about 5e-6 in fp32. In bf16 they would by more, and with an adapter's dropout, which
    the sampler goes without, they mean something else: TRL then computes its own.
    """
    _drawn_logprobs: Tensor | None = None

    def _generate_single_turn(self, prompt_ids: list[list[int]], *_: Any, **__: Any) -> Any:
        drawn = self.draw(prompt_ids)
        self._drawn_logprobs = _padded(drawn) if self.keeps_logprobs and self.wants_old_logprobs else None
        return [one.ids for one in drawn], None

    def draw(self, prompt_ids: list[list[int]]) -> list[Sampled]:
        """A completion for every prompt."""
        trainer: Any = self  # Any: TRL's trainers have no types
        return self.sampler.sample(trainer.accelerator.unwrap_model(trainer.model_wrapped), prompt_ids)

    @property
    def wants_old_logprobs(self) -> bool:
        """Whether TRL's next question for log-probs is about the completions just drawn, under the model as it is."""
        args: Any = self.args  # type: ignore[attr-defined]  # TRL's
        return bool(args.gradient_accumulation_steps % (args.steps_per_generation * args.num_iterations))

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor, logits_to_keep: int, *given: Any, **named: Any
    ) -> Any:
        known, self._drawn_logprobs = self._drawn_logprobs, None
        if known is not None:
            return known.to(input_ids.device), None, None
        ask: Any = super()
        return ask._get_per_token_logps_and_entropies(model, input_ids, attention_mask, logits_to_keep, *given, **named)


def _padded(drawn: list[Sampled]) -> Tensor | None:
    """Log-probs [completions, longest], 0 after the end. None when they are not known."""
    known = [torch.tensor(one.logprobs) for one in drawn if one.logprobs is not None]
    return torch.nn.utils.rnn.pad_sequence(known, batch_first=True) if len(known) == len(drawn) else None
