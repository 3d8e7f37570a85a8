"""What a PEFT adapter holds, told from its config and the header of its weights; refuses what cannot be trained on.

Source of the format: PEFT 0.21, `docs/source/developer_guides/checkpoint.md` and `peft/tuners/lora/config.py`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.shared.catalogue.config_checks import read_config, refuse_code
from backend.shared.catalogue.families import matches
from backend.shared.catalogue.inspect_model import linear_shapes
from backend.shared.catalogue.names import is_hub_id
from backend.shared.catalogue.safetensors_header import TensorInfo, read_header
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts

MOST_RANK = 512
MOST_HEADER_BYTES = 8 << 20  # fifty thousand matrices; a longer one takes memory from everybody
PREFIX = "base_model.model."
_PAIR = re.compile(r"(.+)\.lora_([AB])\.weight")
_HEAD = re.compile(r"(classifier|score|pre_classifier)\..+|(.+\.)?pooler\..+")
_TYPES = ("F32", "F16", "BF16")
_STARTS = (None, True, False, "gaussian", "orthogonal")  # others changed the base's weights when training began
# Settings that change what the matrices mean; each must be off.
_VARIANTS = (
    "use_dora",
    "use_rslora",
    "use_qalora",
    "use_bdlora",
    "lora_bias",
    "rank_pattern",
    "alpha_pattern",
    "layer_replication",
    "trainable_token_indices",
    "target_parameters",
    "alora_invocation_tokens",
    "arrow_config",
)


@dataclass(frozen=True)
class AdapterConfig:
    """The part of `adapter_config.json` that counts here."""

    rank: int
    alpha: float
    base: str
    target_modules: tuple[str, ...]  # empty where it is a pattern


@dataclass(frozen=True)
class Inspected:
    """An adapter that fits a model."""

    config: AdapterConfig
    target_modules: tuple[str, ...]
    modules: tuple[str, ...]
    head: dict[str, tuple[int, ...]]


def adapter_config(path: Path) -> AdapterConfig:
    """Read and check `adapter_config.json`.

    Raises:
        InvalidInput: not LoRA, or a variant of it that cannot be gone on with here.
    """
    config = read_config(path)
    refuse_code(config, path.name)
    kind = config.get("peft_type")
    if kind != "LORA":
        raise InvalidInput(f"The adapter's peft_type is {_short(kind)}; only LORA can be trained on here.")
    for name in _VARIANTS:
        if config.get(name):
            raise InvalidInput(f"The adapter sets `{name}`, a variant of LoRA that is not trained here.")
    if config.get("bias") not in (None, "none"):
        raise InvalidInput("The adapter trained biases of the base, too (`bias`); only plain LoRA can be gone on with.")
    if config.get("init_lora_weights") not in _STARTS:
        how = _short(config["init_lora_weights"])
        raise InvalidInput(
            f"The adapter was started by {how}, which changes the base's weights; convert it to plain LoRA first "
            "(PEFT: `save_pretrained(..., path_initial_model_for_weight_conversion=...)`)."
        )
    targets = config.get("target_modules")
    named = tuple(map(str, targets)) if isinstance(targets, list) else ()
    return AdapterConfig(_rank(config), _alpha(config), str(config.get("base_model_name_or_path") or ""), named)


def inspect_adapter(config: AdapterConfig, weights: Path, model: ModelFacts, location: Path) -> Inspected:
    """Hold the header of an adapter's weights against its config and against the base model at `location`.

    The base that the config names is no reason to refuse: the same weights go by several names (`unsloth/...` is a copy
    of a maker's), shapes are compared, and whoever adds it has said or found which model it is for.

    Raises:
        InvalidInput: matrices that do not fit; the sentence names the first.
    """
    pairs: dict[str, dict[str, tuple[int, ...]]] = {}
    head: dict[str, tuple[int, ...]] = {}
    for tensor in read_header(weights, MOST_HEADER_BYTES):
        name = _inner(tensor)
        if pair := _PAIR.fullmatch(name):
            pairs.setdefault(pair[1], {})[pair[2]] = tensor.shape
        elif _HEAD.fullmatch(name):
            head[name] = tensor.shape
        else:
            raise InvalidInput(
                f"The adapter holds the tensor {name[:200]!r}, which is neither a matrix of LoRA nor part of a "
                "classification head; it cannot be gone on with here."
            )
    if not pairs:
        raise InvalidInput("The weight file holds no LoRA matrices.")
    shapes, known = linear_shapes(location), _by_name(model)
    found: dict[str, str] = {}
    for own, pair_shapes in pairs.items():
        module = known.get(own) or known.get(own.partition(".")[2])
        if module is None or module in found:
            raise InvalidInput(
                f"The adapter sits on {own[:200]!r}, and {model.id} has no such module: it belongs to another model.",
                "/model",
            )
        found[module] = own
        _check_pair(own, pair_shapes, config.rank, shapes.get(module), model)
    modules = tuple(module for module in model.linear_modules if module in found)
    targets = config.target_modules
    named = {module for module in model.linear_modules if any(matches(module, target) for target in targets)}
    return Inspected(config, targets if named == set(modules) else modules, modules, head)


def shown_name(base: str) -> str:
    """The base that a config names, for people: of a path its last part only."""
    return base[:100] if is_hub_id(base) else f"a folder {Path(base).name[:60]!r}"


def outputs(head: dict[str, tuple[int, ...]]) -> int | None:
    """Outputs of the head that an adapter holds: rows of its last matrix; None where it holds none."""
    final = [shape[0] for name, shape in head.items() if len(shape) == 2 and "pooler" not in name]
    return min(final, default=None)


def _rank(config: dict[str, Any]) -> int:
    rank = config.get("r")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= MOST_RANK:
        raise InvalidInput(f"The adapter's rank `r` must be a whole number from 1 to {MOST_RANK}, not {_short(rank)}.")
    return rank


def _alpha(config: dict[str, Any]) -> float:
    alpha = config.get("lora_alpha")
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha <= 1e6:
        raise InvalidInput(f"The adapter's `lora_alpha` must be a positive number, not {_short(alpha)}.")
    return float(alpha)


def _inner(tensor: TensorInfo) -> str:
    if not tensor.name.startswith(PREFIX):
        raise InvalidInput(f"The tensor {tensor.name[:200]!r} is not named as PEFT names those of an adapter.")
    if tensor.dtype not in _TYPES:
        raise InvalidInput(
            f"The tensor {tensor.name[:200]!r} is of the type {tensor.dtype}; {', '.join(_TYPES)} are taken."
        )
    return tensor.name.removeprefix(PREFIX)


def _by_name(model: ModelFacts) -> dict[str, str]:
    """Every name under which a module may occur in an adapter: with or without the name of the model's body."""
    shorter = {module.partition(".")[2]: module for module in model.linear_modules}
    return shorter | {module: module for module in model.linear_modules}


def _check_pair(
    name: str, pair: dict[str, tuple[int, ...]], rank: int, base: tuple[int, ...] | None, model: ModelFacts
) -> None:
    down, up = pair.get("A"), pair.get("B")
    if down is None or up is None:
        raise InvalidInput(f"The adapter lacks one of the two matrices of {name[:200]!r}.")
    if len(down) != 2 or len(up) != 2 or (down[0], up[1]) != (rank, rank):
        raise InvalidInput(
            f"The matrices of {name[:200]!r} are {list(down)} and {list(up)}, which is not rank {rank} as the "
            "adapter's config says."
        )
    if base is not None and sorted((up[0], down[1])) != sorted(base):
        raise InvalidInput(
            f"The matrices of {name[:200]!r} are for a layer of {down[1]} inputs and {up[0]} outputs; that of "
            f"{model.id} is {' by '.join(map(str, base))}: the adapter belongs to another model.",
            "/model",
        )


def _short(value: Any) -> str:
    return repr(value)[:60]
