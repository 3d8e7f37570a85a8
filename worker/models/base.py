"""The frozen base model of a pack, loaded from safetensors on this machine and from nothing else."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from backend.shared.catalogue import ModelFacts, model_location, require_model
from backend.shared.catalogue.config_checks import check_family, check_folder
from backend.shared.catalogue.config_keys import is_token
from backend.shared.catalogue.config_values import check_values
from backend.shared.catalogue.revision import revision_of
from backend.shared.errors import InvalidInput, TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import ModelRef, Task
from worker.models.convert import converted
from worker.models.quiet import quiet
from worker.models.shown import shown

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
HEADS = ("classifier.", "score.")
_ANEW = re.compile(r"(classifier|score|pre_classifier)\..+|(.+\.)?pooler\..+")  # what may start anew for a task
_IN_LAYER = re.compile(r"(^|\.)\d+\..+\.weight")


@dataclass(frozen=True)
class Base:
    """A base model in eval mode with no parameter that requires a gradient.

    `head` names the parameters that every run trains in full and starts anew: the classification head, and a pooler
    that the checkpoint did not hold. It is empty for causal LM.
    """

    model: nn.Module
    tokenizer: Any
    config: Any
    facts: ModelFacts
    task: Task
    labels: int
    head: tuple[str, ...]
    notes: tuple[str, ...] = ()  # where it was read otherwise than its files say

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
    except InvalidInput as error:
        raise _bad(error.message) from error
    if task not in facts.tasks:
        raise _bad(f"{model.id} cannot be trained for {task}: it is a {facts.family}.")
    return read_base(folder, facts, task, labels, precision, device)


def read_base(
    folder: Path,
    facts: ModelFacts,
    task: Task,
    labels: int,
    precision: Literal["bf16", "fp32"],
    device: str | torch.device = "cpu",
) -> Base:
    """Load the model of a folder. On the device `meta` no weights are read: names and shapes are compared alone.

    Raises:
        TrainingError: settings, weights and tokenizer do not belong together, or not for this task.
    """
    try:
        settings = check_folder(folder)
        check_family(settings)
        check_values(settings)  # a folder may have been registered by a version that asked less
        with shown(folder) as seen, quiet():
            tokenizer = load_tokenizer(seen)
            found, missing = _load(seen, task, labels, _DTYPES[precision], device)
    except InvalidInput as error:
        raise _bad(error.message) from error
    tokenizer.name_or_path = found.config._name_or_path = facts.id  # not the folder that was shown
    _check_tokens(tokenizer, found.get_input_embeddings().weight.shape[0])
    notes = _mark_ends(tokenizer, settings)
    if task == "causal_lm" and tokenizer.eos_token_id is None:
        raise _bad(
            "Neither the tokenizer nor config.json names an end mark (`eos_token`), so a language model could not "
            "learn where a completion ends; name one in tokenizer_config.json."
        )
    if found.config.pad_token_id is None:
        found.config.pad_token_id = tokenizer.pad_token_id
    found.requires_grad_(False).eval()
    if str(device) != "meta":
        found.to(device)
    head = _head(found, missing) if task != "causal_lm" else ()
    return Base(found, tokenizer, found.config, facts, task, labels, head, notes)


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


def _mark_ends(tokenizer: Any, settings: dict[str, Any]) -> tuple[str, ...]:
    """Take the end mark of config.json where the tokenizer names none: the model was trained with it."""
    if tokenizer.eos_token_id is not None:
        return ()
    named = settings.get("eos_token_id")
    for number in named if isinstance(named, list) else [named]:
        if is_token(number, settings) and (token := tokenizer.convert_ids_to_tokens(number)) is not None:
            tokenizer.eos_token = token
            if tokenizer.pad_token_id is None:
                tokenizer.pad_token = token
            return (f"The tokenizer names no end mark; {token!r}, number {number} of config.json, is taken.",)
    return ()


def _check_tokens(tokenizer: Any, rows: int) -> None:
    """No token may stand beyond the embedding: its first text would end a run, or read another token's row."""
    beyond = sorted((number, token) for token, number in tokenizer.get_vocab().items() if number >= rows)
    if beyond:
        number, token = beyond[0]
        raise _bad(
            f"The tokenizer has {len(beyond):,} token{'s' * (len(beyond) > 1)} beyond the model's embedding of "
            f"{rows:,} rows ({token[:60]!r} is number {number:,}): tokens were added and the embedding was not "
            "resized. Load both with transformers, call `model.resize_token_embeddings(len(tokenizer))`, and save the "
            "model again."
        )


def _load(
    folder: Path, task: Task, labels: int, dtype: torch.dtype, device: str | torch.device
) -> tuple[Any, frozenset[str]]:
    """The model, and the names of parameters that the checkpoint did not hold in this shape."""
    options: dict[str, Any] = {
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
        "attn_implementation": "eager",  # whatever is loaded with: the engine puts its own in its place
        "dtype": dtype,
        "output_loading_info": True,
        "ignore_mismatched_sizes": True,  # told below, by name
    }
    if str(device) == "meta":
        options["device_map"] = "meta"
    if task == "causal_lm":
        model, info = AutoModelForCausalLM.from_pretrained(folder, **options)
    else:
        model, info = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=labels, **options)
    odd = {key[0] if isinstance(key, tuple) else key for key in info["mismatched_keys"]}
    missing = frozenset(info["missing_keys"]) | odd
    if task == "causal_lm":
        if missing and all(name.startswith(("lm_head.", "embed_out.")) for name in missing):
            raise _bad("The checkpoint holds no language-model head to train with.")
        _refuse(missing, "lacks", "as config.json describes it")
    else:
        _refuse((name for name in missing if not _ANEW.fullmatch(name)), "lacks", "as config.json describes it")
    unread = (name for name in info["unexpected_keys"] if _IN_LAYER.search(name))
    _refuse(unread, "holds", "which the model that config.json describes does not have")
    return model, missing


def _refuse(names: Iterable[str], verb: str, why: str) -> None:
    found = sorted(names)
    if found:
        more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
        raise _bad(
            f"The checkpoint {verb} {found[0][:150]}{more}, {why}: settings and weights belong to different models."
        )


def _head(model: nn.Module, missing: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in model.named_parameters() if name in missing or name.startswith(HEADS))


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer as it came: what was last cut or padded with it is not a property of the model."""
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)


def _bad(sentence: str) -> TrainingError:
    return TrainingError(FailureCode.BAD_INPUT, sentence)
