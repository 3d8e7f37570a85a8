"""One training step with a consistency loss: two passes of the model, and what ties their outputs together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from transformer_dropout.consistency import consistency_kind, consistency_loss, regression_loss, task_loss
from transformer_dropout.errors import InjectionError, ShapeError

from . import families
from .injection import Injection
from .watch import Call

_ENDS = ("start_logits", "end_logits")

# Runs the model once and returns its task loss and its outputs.
Pass = Callable[[], tuple[torch.Tensor, Any]]


@dataclass(frozen=True)
class Seen:
    """One pass: its task loss, the outputs that `run` handed on, and the model's call as its hooks saw it."""

    loss: torch.Tensor
    outputs: Any
    call: Call | None

    def argument(self, name: str, inputs: Mapping[str, Any]) -> Any:
        """Return what the transformers model itself was given (prompts lengthen labels and masks), else the input."""
        found = None if self.call is None else self.call.arguments.get(name)
        return inputs.get(name) if found is None else found


def two_pass_loss(
    injection: Injection,
    run: Pass,
    inputs: Mapping[str, Any],
    *,
    share: float = 1.0,
    items: torch.Tensor | float | None = None,
    repeat: bool = False,
) -> tuple[torch.Tensor, Any]:
    """Return the step's loss, task and consistency together, and the first pass's outputs.

    run: calls the model on `inputs` once.  inputs: what it is called with; `labels` and `attention_mask` say which
    positions count.  share: factor on the consistency term.  items: the positions of all accumulated batches, where the
    task loss is divided by them; the term is, too.  repeat: call the model again as `run` called it, where the
    second pass needs no task loss, instead of `run` itself (for trainers that count what they run).
    Without a consistency loss in the method, or in eval mode, it is one pass and its own loss. Outputs without logits
    that are trained are replaced by the model's own, as its hooks saw them.
    Raises InjectionError where the term would train nothing.
    """
    consistency = injection.spec.consistency
    if consistency.kind == "none" or not injection.model.training:
        return run()
    kind = consistency_kind(consistency.kind)
    if kind.second_detached and not repeat:  # before the first, while no graph holds memory: a tenth faster on a CPU
        with injection.clean_pass() if kind.second_clean else injection.second_pass(ahead=True), torch.no_grad():
            second = _seen(injection, run)
        first = _seen(injection, run)
    else:
        first = _seen(injection, run)
        with injection.clean_pass() if kind.second_clean else injection.second_pass():
            second = _again(injection, run, first) if kind.second_detached else _seen(injection, run)
    task = task_loss(kind.name, first.loss, second.loss)
    term, counted = tie(injection, first, second, inputs)
    if items is not None:
        term = term * counted / items
    if torch.is_grad_enabled() and not term.requires_grad:
        raise InjectionError(
            "the consistency loss has no gradient, so it would train nothing: no part of the model that is trained "
            "comes before its logits, or the logits are made without gradient"
        )
    return task + share * consistency.weight * term, first.outputs


def tie(
    injection: Injection, first: Seen, second: Seen, inputs: Mapping[str, Any]
) -> tuple[torch.Tensor, torch.Tensor | int]:
    """Return the consistency term without its weight, and how many positions it is the mean of.

    Classification: over examples. Causal language models: over the positions that predict a label other than -100.
    Other models with a label a token: over the labelled tokens. Several labels a text: over texts and labels, each a
    choice of two. Question answering: the mean of start's and end's. Regression: squared error, or as the method says.
    """
    consistency = injection.spec.consistency
    labels = first.argument("labels", inputs)
    mask = first.argument("attention_mask", inputs)
    if is_regression(injection.model) and consistency.regression == "features":
        return _tie_features(consistency.kind, first, second, mask)
    trained = torch.is_grad_enabled()
    both = trained and not consistency_kind(consistency.kind).second_detached
    if type(families.unwrapped(injection.model)).__name__.endswith("ForQuestionAnswering"):
        ends = [(_logits(injection, first, trained, name), _logits(injection, second, both, name)) for name in _ENDS]
        terms = [consistency_loss(consistency.kind, one, other) for one, other in ends]
        return (terms[0] + terms[1]) / 2, ends[0][0].shape[0]
    logits = _logits(injection, first, trained)
    others = _logits(injection, second, both)
    if is_multi_label(injection.model):
        logits, others = _two_way(logits), _two_way(others)
        return consistency_loss(consistency.kind, logits, others), logits.shape[0]
    if is_regression(injection.model):
        return regression_loss(consistency.kind, logits, others), logits.shape[0]
    if logits.dim() == 2:
        return consistency_loss(consistency.kind, logits, others), logits.shape[0]
    if labels is None:
        count = logits.shape[:-1].numel() if mask is None else mask.sum()
        return consistency_loss(consistency.kind, logits, others, mask=mask), count
    if families.predicts_next(injection.model):
        logits, others, labels = logits[:, :-1], others[:, :-1], labels[:, 1:]
    return consistency_loss(consistency.kind, logits, others, labels=labels), (labels != -100).sum()


def is_regression(model: torch.nn.Module) -> bool:
    """Return whether a sequence classifier predicts numbers."""
    base = families.unwrapped(model)
    if not type(base).__name__.endswith("ForSequenceClassification"):
        return False
    return base.config.problem_type == "regression" or bool(base.config.num_labels == 1)


def is_multi_label(model: torch.nn.Module) -> bool:
    """Return whether a sequence classifier gives each text several labels (transformers notes it at the first loss)."""
    return bool(getattr(families.unwrapped(model).config, "problem_type", None) == "multi_label_classification")


def _two_way(logits: torch.Tensor) -> torch.Tensor:
    """Return the logits `[..., 2]` of no and yes whose softmax is the sigmoid of `logits` `[...]`."""
    return torch.stack([torch.zeros_like(logits), logits], -1)


def _seen(injection: Injection, run: Pass) -> Seen:
    if injection.watch is None:  # nothing is dropped in this model
        return Seen(*run(), None)
    with injection.watch.calls() as calls:
        loss, outputs = run()
    trained = [call for call in calls if call.trained] if torch.is_grad_enabled() else []
    if len(trained) > 1:
        raise InjectionError(
            f"the trainer calls the model {len(trained)} times for one loss, so it is not known which passes the "
            "consistency loss ties together; use two_pass_loss around each call"
        )
    call = next(iter(trained or calls), None)  # none at all where a compiled model runs past its hooks
    return Seen(loss, call.outputs if outputs is None and call is not None else outputs, call)


def _again(injection: Injection, run: Pass, first: Seen) -> Seen:
    """Return a second pass that is not trained: the same call where it is known, the trainer's own loss elsewhere."""
    if first.call is None:
        raise InjectionError(
            "the trainer's loss comes from no trained pass of the model, so a consistency loss has nothing to tie to it"
        )
    called = first.call.whole

    def call() -> tuple[torch.Tensor, Any]:
        args, kwargs = called or ((), {})
        return first.loss, injection.model(*args, **kwargs)

    with torch.no_grad():
        return _seen(injection, run if called is None else call)


def _tie_features(
    kind: str, first: Seen, second: Seen, mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor | int]:
    if first.outputs.hidden_states is None:
        raise ShapeError("regression='features' compares the last layer: call the model with output_hidden_states=True")
    last, other = first.outputs.hidden_states[-1], second.outputs.hidden_states[-1]
    return consistency_loss(kind, last, other, mask=mask), last.shape[0]


def _logits(injection: Injection, seen: Seen, trained: bool, name: str = "logits") -> torch.Tensor:
    """Return a pass's logits, with their graph where `trained`: as handed on, as the model gave them, or made anew."""
    for outputs in (seen.outputs, None if seen.call is None else seen.call.outputs):
        found = outputs.get(name) if isinstance(outputs, dict) else getattr(outputs, name, None)
        if isinstance(found, torch.Tensor) and (found.requires_grad or not trained):
            return found
    hidden = None if seen.call is None else seen.call.hidden
    if hidden is not None and (hidden.requires_grad or not trained) and families.predicts_next(injection.model):
        return families.next_token_logits(injection.model, hidden)
    raise InjectionError(
        f"a consistency loss compares the {name} of a trained pass; {type(seen.outputs).__name__} of "
        f"{type(families.unwrapped(injection.model)).__name__} has none, and they cannot be made from its last layer"
    )
