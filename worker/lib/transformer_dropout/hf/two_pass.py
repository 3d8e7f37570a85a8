"""One training step with a consistency loss: two passes of the model, and what ties their outputs together."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from transformer_dropout.consistency import consistency_kind, consistency_loss, regression_loss, task_loss
from transformer_dropout.errors import ShapeError

from . import families
from .injection import Injection

# Runs the model once and returns its task loss and its outputs.
Pass = Callable[[], tuple[torch.Tensor, Any]]


def two_pass_loss(
    injection: Injection, run: Pass, inputs: Mapping[str, Any], *, share: float = 1.0
) -> tuple[torch.Tensor, Any]:
    """Return the step's loss, task and consistency together, and the first pass's outputs.

    run: calls the model on `inputs` once.  inputs: what it is called with; `labels` and `attention_mask` say which
    positions count.  share: factor on the consistency term, 1 / accumulation steps where the task loss is already
    scaled. Without a consistency loss in the method, or in eval mode, it is one pass and its own loss.
    """
    consistency = injection.spec.consistency
    if consistency.kind == "none" or not injection.model.training:
        return run()
    kind = consistency_kind(consistency.kind)
    if kind.second_detached:  # before the first, while no graph holds memory: a tenth faster on a CPU
        with injection.clean_pass() if kind.second_clean else injection.second_pass(ahead=True), torch.no_grad():
            second_loss, second = run()
        first_loss, first = run()
    else:
        first_loss, first = run()
        with injection.clean_pass() if kind.second_clean else injection.second_pass():
            second_loss, second = run()
    task = task_loss(kind.name, first_loss, second_loss)
    return task + share * consistency.weight * tie(injection, first, second, inputs), first


def tie(injection: Injection, first: Any, second: Any, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Return the consistency term without its weight, from two outputs of the same model on the same inputs.

    Classification: over examples. Causal language models: over the positions that predict a label other than -100.
    Other models with a label a token: over the labelled tokens. Regression: squared error, or as the method says.
    """
    consistency = injection.spec.consistency
    labels = inputs.get("labels")
    if is_regression(injection.model):
        if consistency.regression == "features":
            return _tie_features(consistency.kind, first, second, inputs.get("attention_mask"))
        return regression_loss(consistency.kind, _logits(first), _logits(second))
    logits, others = _logits(first), _logits(second)
    if logits.dim() == 2:
        return consistency_loss(consistency.kind, logits, others)
    if labels is None:
        return consistency_loss(consistency.kind, logits, others, mask=inputs.get("attention_mask"))
    if predicts_next(injection.model):
        logits, others, labels = logits[:, :-1], others[:, :-1], labels[:, 1:]
    return consistency_loss(consistency.kind, logits, others, labels=labels)


def is_regression(model: torch.nn.Module) -> bool:
    """Return whether a sequence classifier predicts numbers."""
    base = families.unwrapped(model)
    if not type(base).__name__.endswith("ForSequenceClassification"):
        return False
    return base.config.problem_type == "regression" or bool(base.config.num_labels == 1)


def predicts_next(model: torch.nn.Module) -> bool:
    """Return whether the model's logits at one position predict the label at the next."""
    base = families.unwrapped(model)
    return type(base).__name__.endswith(("ForCausalLM", "LMHeadModel"))


def _tie_features(kind: str, first: Any, second: Any, mask: torch.Tensor | None) -> torch.Tensor:
    if first.hidden_states is None:
        raise ShapeError("regression='features' compares the last layer: call the model with output_hidden_states=True")
    return consistency_loss(kind, first.hidden_states[-1], second.hidden_states[-1], mask=mask)


def _logits(outputs: Any) -> torch.Tensor:
    logits = outputs["logits"] if isinstance(outputs, dict) else outputs.logits
    if not isinstance(logits, torch.Tensor):
        raise ShapeError("a consistency loss compares one tensor of logits; this model returns several")
    return logits
