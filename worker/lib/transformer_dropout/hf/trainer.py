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
        if injection.spec.consistency.kind == "none" or not model.training:
            return super().compute_loss(model, inputs, return_outputs=return_outputs, **kwargs)  # type: ignore[misc]  # a Trainer is beside us
        called = dict(inputs)
        if injection.spec.consistency.regression == "features":
            called["output_hidden_states"] = True

        def run() -> tuple[torch.Tensor, Any]:
            # a copy, because Trainer takes the labels out of the dictionary
            found: tuple[torch.Tensor, Any] = super(ConsistencyMixin, self).compute_loss(  # type: ignore[misc]  # as above
                model, dict(called), return_outputs=True, **kwargs
            )
            return found

        loss, outputs = two_pass_loss(injection, run, called, share=self._share(kwargs.get("num_items_in_batch")))
        return (loss, outputs) if return_outputs else loss

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
