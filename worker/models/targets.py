"""The linear modules of a loaded model that adapters sit on, by PEFT's own matching rule.

Source: PEFT 0.21, `peft/tuners/tuners_utils.py::check_target_module_exists`.
"""

from collections.abc import Sequence

from torch import nn
from transformers.pytorch_utils import Conv1D

from backend.shared.catalogue.families import matches
from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from worker.models.base import Base


def head_modules(base: Base) -> tuple[str, ...]:
    """Modules that are trained in full, as PEFT's `modules_to_save` names them: classifier, score, ..."""
    names = []
    for parameter in base.head:
        top = parameter.split(".")[0]
        names.append(parameter.rpartition(".")[0] if top == getattr(base.model, "base_model_prefix", "") else top)
    return tuple(dict.fromkeys(names))


def target_linears(base: Base, target_modules: Sequence[str]) -> list[tuple[str, nn.Module]]:
    """(name, module) of the Linear and Conv1D modules that the targets name, in the model's order; never the head.

    Raises:
        TrainingError: no module matches.
    """
    heads = head_modules(base)
    output = base.model.get_output_embeddings() if base.task == "causal_lm" else None  # type: ignore[operator]
    found = [
        (name, module)
        for name, module in base.model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
        and module is not output
        and any(matches(name, target) for target in target_modules)
        and not any(name == head or name.startswith(head + ".") for head in heads)
    ]
    if not found:
        raise TrainingError(
            FailureCode.BAD_INPUT, f"The target modules {', '.join(target_modules)} match nothing in {base.facts.id}."
        )
    return found
