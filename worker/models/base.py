"""The frozen base model of a pack, loaded from safetensors on this machine and from nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from backend.shared.catalogue import ModelFacts, model_location, require_model
from backend.shared.catalogue.config_checks import CHECKED_FILES, read_config, refuse_code
from backend.shared.catalogue.revision import revision_of
from backend.shared.errors import InvalidInput, TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import ModelRef, Task
from worker.models.convert import converted
from worker.models.quiet import quiet

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
HEADS = ("classifier.", "score.")


@dataclass(frozen=True)
class Base:
    """A base model in eval mode with no parameter that requires a gradient.

    `head` names the parameters that every run trains in full and starts anew: the classification head, and whatever
    else the checkpoint did not hold. It is empty for causal LM.
    """

    model: nn.Module
    tokenizer: Any
    config: Any
    facts: ModelFacts
    task: Task
    labels: int
    head: tuple[str, ...]

    @property
    def family(self) -> str:
        """transformers' model_type."""
        return self.facts.family

    @property
    def ref(self) -> ModelRef:
        """The model and its revision."""
        return self.facts.ref


def load_base(
    model: ModelRef,
    task: Task,
    labels: int,
    precision: Literal["bf16", "fp32"],
    home: Path,
    device: str | torch.device = "cpu",
) -> Base:
    """Load a model of the catalogue with the head of its task; `labels` outputs, 1 for regression.

    Raises:
        TrainingError: not on this machine, another revision than the study was made with, or not for this task.
    """
    try:
        facts = require_model(home, model.id)
        folder = _folder(facts, model, home)
        for name in CHECKED_FILES:
            if (folder / name).is_file():
                refuse_code(read_config(folder / name), name)
    except InvalidInput as error:
        raise TrainingError(FailureCode.BAD_INPUT, error.message) from error
    if task not in facts.tasks:
        raise TrainingError(FailureCode.BAD_INPUT, f"{model.id} cannot be trained for {task}: it is a {facts.family}.")
    with quiet():
        tokenizer = load_tokenizer(folder)
        found, missing = _load(folder, task, labels, _DTYPES[precision])
    if found.config.pad_token_id is None:
        found.config.pad_token_id = tokenizer.pad_token_id
    found.requires_grad_(False).eval().to(device)
    head = _head(found, missing) if task != "causal_lm" else ()
    return Base(found, tokenizer, found.config, facts, task, labels, head)


def _folder(facts: ModelFacts, model: ModelRef, home: Path) -> Path:
    location = model_location(home, model.id)
    folder = location.parent if location.is_file() else location
    if revision_of(folder, home / "cache") != model.revision:
        raise InvalidInput(
            f"The files of {model.id} on this machine are not those the study was made with; "
            "put the old ones back, or register the folder again and make a new study."
        )
    if not location.is_file():
        return location
    with quiet():
        return converted(location, facts.id, facts.revision, home)


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a folder; one without a pad token pads with its end mark."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _load(folder: Path, task: Task, labels: int, dtype: torch.dtype) -> tuple[Any, frozenset[str]]:
    """The model, and the names of parameters that the checkpoint did not hold in this shape."""
    options: dict[str, Any] = {
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
        "dtype": dtype,
        "output_loading_info": True,
    }
    if task == "causal_lm":
        model, info = AutoModelForCausalLM.from_pretrained(folder, **options)
        if info["missing_keys"]:
            raise TrainingError(FailureCode.BAD_INPUT, "The checkpoint holds no language-model head to train with.")
        return model, frozenset()
    model, info = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=labels, ignore_mismatched_sizes=True, **options
    )
    mismatched = {key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]}
    return model, frozenset(info["missing_keys"]) | mismatched


def _head(model: nn.Module, missing: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in model.named_parameters() if name in missing or name.startswith(HEADS))


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer as it came: what was last cut or padded with it is not a property of the model."""
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)
