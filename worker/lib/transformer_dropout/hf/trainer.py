"""transformers' Trainer with the consistency loss of the model's dropout method."""

from dataclasses import dataclass
from inspect import signature
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

    _begun: dict[str, int] | None = None  # the method's state when a training began that has not ended

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Take up the state of the checkpoint that the trainer resumes from, or of a training that begins anew."""
        injection = self._drive(model, False)
        if injection is None:
            return
        saved = state.stateful_callbacks.get(type(self).__name__)
        if saved is not None and state.global_step > 0:
            injection.load_state_dict(saved["attributes"])
        elif self._begun is not None:  # it broke off, as under auto_find_batch_size, and starts at its first step
            injection.load_state_dict(self._begun)
        self._begun = injection.state_dict()

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """A further training goes on counting."""
        self._begun = None

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

    The method is the one that `inject_dropout` put into the model; without a consistency loss nothing changes. With it,
    accumulated batches give the gradient of the whole batch, task and term alike, for every head (Trainer sums up the
    losses of heads that do not count labels, classifiers among them).
    Checkpoints hold the method's step.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counting: bool | None = None
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

        how = self._scaling(model, called, options.get("num_items_in_batch"), plain)
        loss, outputs = two_pass_loss(injection, run, called, share=how.share, items=how.items, repeat=not plain)
        return (loss if how.whole == 1.0 else how.whole * loss), outputs

    def _injection(self, model: Any) -> Injection:
        injection = injection_of(model)
        if injection is None:
            raise InjectionError("the model carries no dropout method; call inject_dropout(model, spec) first")
        if getattr(getattr(self, "args", None), "n_gpu", 1) > 1:
            raise InjectionError(
                "DataParallel copies the model without its hooks; start one process a GPU (accelerate)"
            )
        return injection

    def _scaling(self, model: Any, inputs: dict[str, Any], num_items: Any, plain: bool) -> "Scaling":
        """Return how task loss and term are scaled alike, whatever the head makes of accumulated batches."""
        trainer: Any = self
        scaled = getattr(trainer, "loss_is_scaled_for_ga", None)
        by_model = trainer.model_accepts_loss_kwargs and num_items is not None
        if scaled is None:
            scaled = by_model or trainer.compute_loss_func is not None
        steps = getattr(trainer, "current_gradient_accumulation_steps", trainer.args.gradient_accumulation_steps)
        processes = trainer.accelerator.num_processes
        # Before 5.10 a causal model's first labels, which nothing predicts, are counted: one batch is divided, too.
        exact = num_items is None or hasattr(trainer, "_loss_shifts_labels")
        if not scaled or (steps * processes == 1 and exact):  # Trainer divides what it gets, or nobody need
            return Scaling()
        times = processes if num_items is not None and trainer.args.average_tokens_across_devices else 1
        if num_items is None:
            return Scaling(share=1.0 / steps)
        if plain and not self._counts_items(
            model, inputs, num_items
        ):  # a mean over its own batch, summed up by Trainer
            return Scaling(whole=1.0 / (steps * times), share=float(times))
        return Scaling(items=num_items / times)

    def _counts_items(self, model: Any, inputs: dict[str, Any], num_items: Any) -> bool:
        """Return whether the task loss is divided by the labels of all accumulated batches; tried once."""
        trainer: Any = self
        if trainer.compute_loss_func is not None:
            return True
        if trainer.label_smoother is not None:
            return "num_items_in_batch" in signature(type(trainer.label_smoother).__call__).parameters
        if self._counting is None:
            with self._injection(model).clean_pass(), torch.no_grad():
                one, two = (model(**inputs, num_items_in_batch=times * num_items).loss for times in (1, 2))
            self._counting = not torch.equal(one, two)
        return self._counting


@dataclass(frozen=True)
class Scaling:
    """Factors on the step's loss and on its term, and what the term is divided by instead of its positions."""

    whole: float = 1.0
    share: float = 1.0
    items: Any = None


class ConsistencyTrainer(ConsistencyMixin, Trainer):  # type: ignore[misc]  # transformers is not typed
    """transformers.Trainer with the consistency loss of the model's dropout method."""
