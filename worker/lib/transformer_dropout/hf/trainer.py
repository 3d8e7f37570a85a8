"""transformers' Trainer with the consistency loss of the model's dropout method."""

from typing import Any

import torch
from transformers import Trainer, TrainerCallback

from transformer_dropout.errors import InjectionError

from .injection import Injection, injection_of
from .two_pass import two_pass_loss


class DropoutCallback(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Keeps the method's step and seed in a trainer's checkpoints, so that a resumed run equals the unbroken one.

    `Trainer(..., callbacks=[DropoutCallback()])`; a trainer with ConsistencyMixin has it. During its steps a pass
    without gradient is known to train nothing.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Take up the state of the checkpoint that the trainer resumes from."""
        injection = injection_of(model)
        saved = state.stateful_callbacks.get(type(self).__name__)
        if injection is not None and saved is not None and state.global_step > 0:
            injection.load_state_dict(saved["attributes"])

    def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Say who runs the passes."""
        self._drive(model, True)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Write the method's state where the next checkpoint is made from."""
        injection = self._drive(model, False)
        if injection is not None:  # in the form of transformers' own stateful callbacks
            state.stateful_callbacks[type(self).__name__] = {"args": {}, "attributes": injection.state_dict()}

    def _drive(self, model: Any, driven: bool) -> Injection | None:
        injection = injection_of(model)
        if injection is not None:
            injection.clock.driven = driven
        return injection


class ConsistencyMixin:
    """Adds the second pass to any Trainer: `class MyTrainer(ConsistencyMixin, SFTTrainer): ...`.

    The method is the one that `inject_dropout` put into the model; without a consistency loss nothing changes. With
    gradient accumulation the consistency term is averaged over the accumulated batches, as the task loss is.
    Checkpoints hold the method's step.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        trainer: Any = self
        if not any(isinstance(callback, DropoutCallback) for callback in trainer.callback_handler.callbacks):
            trainer.add_callback(DropoutCallback())

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
