"""transformers' Trainer with the consistency loss of the model's dropout method."""

from typing import Any

import torch
from transformers import Trainer

from transformer_dropout.errors import InjectionError

from .injection import Injection, injection_of
from .two_pass import two_pass_loss


class ConsistencyMixin:
    """Adds the second pass to any Trainer: `class MyTrainer(ConsistencyMixin, SFTTrainer): ...`.

    The method is the one that `inject_dropout` put into the model; without a consistency loss nothing changes. With
    gradient accumulation the consistency term is averaged over the accumulated batches, as the task loss is.
    """

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any) -> Any:
        """Return the loss, and the first pass's outputs where asked for. Raises InjectionError without an injection."""
        injection = self._injection(model)
        with injection.clock.by_a_trainer():
            if injection.spec.consistency.kind == "none" or not model.training:
                return super().compute_loss(model, inputs, return_outputs=return_outputs, **kwargs)  # type: ignore[misc]  # a Trainer is beside us
            loss, outputs = self._two_passes(injection, model, inputs, kwargs)
        return (loss, outputs) if return_outputs else loss

    def _two_passes(
        self, injection: Injection, model: Any, inputs: dict[str, Any], options: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        called = dict(inputs)
        if injection.spec.consistency.regression == "features":
            called["output_hidden_states"] = True
        # Others than Trainer may hand on outputs of a pass without gradient, and count each pass in their metrics.
        plain = getattr(super().compute_loss, "__func__", None) is Trainer.compute_loss  # type: ignore[misc]  # as above

        def run() -> tuple[torch.Tensor, Any]:
            # a copy, because Trainer takes the labels out of the dictionary
            found = super(ConsistencyMixin, self).compute_loss(  # type: ignore[misc]  # as above
                model, dict(called), return_outputs=plain, **options
            )
            return found if plain else (found, None)

        share = self._share(options.get("num_items_in_batch"))
        return two_pass_loss(injection, run, called, share=share, repeat=not plain)

    def _injection(self, model: Any) -> Injection:
        injection = injection_of(model)
        if injection is None:
            raise InjectionError("the model carries no dropout method; call inject_dropout(model, spec) first")
        if getattr(getattr(self, "args", None), "n_gpu", 1) > 1:
            raise InjectionError(
                "DataParallel copies the model without its hooks; start one process a GPU (accelerate)"
            )
        return injection

    def _share(self, num_items_in_batch: Any) -> float:
        """Return what Trainer will not divide the loss by any more."""
        trainer: Any = self
        scaled = getattr(trainer, "loss_is_scaled_for_ga", None)
        if scaled is None:
            by_model = trainer.model_accepts_loss_kwargs and num_items_in_batch is not None
            scaled = by_model or trainer.compute_loss_func is not None
        steps = getattr(trainer, "current_gradient_accumulation_steps", trainer.args.gradient_accumulation_steps)
        return 1.0 / steps if scaled else 1.0


class ConsistencyTrainer(ConsistencyMixin, Trainer):  # type: ignore[misc]  # transformers is not typed
    """transformers.Trainer with the consistency loss of the model's dropout method."""
