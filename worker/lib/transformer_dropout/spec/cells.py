"""The framework as a table: which structure and rescale each position has, where it comes from and what it costs.

Positions, structures and rescales are those of arXiv 2403.00812 §3; `adapter_input` and `adapter_rank` are neighbours.
"""

from dataclasses import dataclass

POSITIONS = ("attention_logits", "attention_weights", "hidden", "input", "output", "adapter_input", "adapter_rank")
STRUCTURES = ("element", "column", "span")
RESCALES = ("none", "inverted", "normalized", "normalized_grad")

ATTENTION = ("attention_logits", "attention_weights")
# Positions that exist once a layer; `input` and `output` exist once a model.
PER_LAYER = ("attention_logits", "attention_weights", "hidden", "adapter_input", "adapter_rank")
# Positions where decoders drop only in the latter half of the layers unless told otherwise (the paper's §4.1).
LATTER_HALF_IN_DECODERS = ("attention_logits", "attention_weights", "hidden")


@dataclass(frozen=True)
class Cell:
    """One cell of the framework.

    `rescales` are the legal compensations by scaling, `default_rescale` the one taken when none is given, `options` the
    names of further fields of `Site` that mean something here, `reason` says why an illegal cell is illegal.
    """

    position: str
    structure: str
    rescales: tuple[str, ...]
    default_rescale: str
    options: tuple[str, ...]
    valid: bool
    reason: str
    source: str
    cost: str


_KEY_MASK = "one key mask a head; the fused kernel stays"
_MATRIX_MASK = "a mask as large as the attention matrix"
_EXPLICIT = "the attention matrix is computed explicitly"
_MULTIPLY = "one multiplication"

_WEIGHT_RESCALES = ("normalized", "normalized_grad", "inverted", "none")
_KEY_OPTIONS = ("keep_first", "keep_diagonal")

# (position, structure) -> (legal rescales with the default first, options, source, cost)
_VALID: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
    ("attention_logits", "element"): (("none",), _KEY_OPTIONS, "DropKey, arXiv 2208.02646", _MATRIX_MASK),
    ("attention_logits", "column"): (
        ("none",),
        (*_KEY_OPTIONS, "window"),
        "DropKey, as HiddenKey uses it, arXiv 2403.00812",
        _KEY_MASK,
    ),
    ("attention_logits", "span"): (
        ("none",),
        (*_KEY_OPTIONS, "per_row", "span_length"),
        "DropKey by spans, arXiv 2403.00812",
        _KEY_MASK,
    ),
    ("attention_weights", "element"): (
        _WEIGHT_RESCALES,
        _KEY_OPTIONS,
        "DropAttention (e), arXiv 1907.11065",
        _EXPLICIT,
    ),
    ("attention_weights", "column"): (
        _WEIGHT_RESCALES,
        (*_KEY_OPTIONS, "window"),
        "DropAttention (c), arXiv 1907.11065",
        _EXPLICIT,
    ),
    ("attention_weights", "span"): (
        _WEIGHT_RESCALES,
        (*_KEY_OPTIONS, "per_row", "span_length"),
        "DropAttention by spans, arXiv 2403.00812",
        _EXPLICIT,
    ),
    ("hidden", "element"): (("inverted", "none"), ("place",), "HiddenCut by elements, arXiv 2403.00812", _MULTIPLY),
    ("hidden", "column"): (
        ("inverted", "none"),
        ("place", "axis", "window", "keep_first"),
        "HiddenCut by columns, arXiv 2403.00812",
        _MULTIPLY,
    ),
    ("hidden", "span"): (
        ("none", "inverted", "normalized"),
        ("place", "span_length", "keep_first"),
        "HiddenCut, ACL 2021",
        _MULTIPLY,
    ),
    ("input", "element"): (("inverted", "none"), (), "ordinary embedding dropout", _MULTIPLY),
    ("input", "column"): (
        ("none", "inverted"),
        ("axis", "window", "keep_first"),
        "Cutoff, arXiv 2009.13818",
        _MULTIPLY,
    ),
    ("input", "span"): (
        ("none", "inverted", "normalized"),
        ("span_length", "keep_first"),
        "Cutoff, arXiv 2009.13818",
        _MULTIPLY,
    ),
    ("output", "element"): (("inverted", "none"), (), "ordinary dropout before the head", _MULTIPLY),
    ("adapter_input", "element"): (("inverted",), (), "LoRA, arXiv 2106.09685 (PEFT's lora_dropout)", _MULTIPLY),
    ("adapter_rank", "element"): (("inverted", "none"), (), "DropLoRA, arXiv 2508.17337", _MULTIPLY),
}

_REASONS = {
    "output": "the head reads one vector an example or token; dropping whole positions would erase what it is to judge",
    "adapter_input": "PEFT's lora_dropout drops single elements of the adapter's input; use hidden or input for more",
    "adapter_rank": "the rank axis is a handful of unordered directions; only single elements of it are dropped",
}

_RESCALE_REASONS = {
    "attention_logits": "the softmax already makes the kept weights sum to 1, so there is nothing left to rescale",
    "attention_weights": "choose how the kept weights are scaled",
    "hidden": "a hidden vector has no row sum to normalise by; only a span knows the share it kept",
    "input": "an embedding has no row sum to normalise by; only a span knows the share it kept",
    "output": "the representation has no row sum to normalise by",
    "adapter_input": "PEFT's lora_dropout always divides by 1 - rate",
    "adapter_rank": "the adapter's inner vector has no row sum to normalise by",
}


def cell(position: str, structure: str) -> Cell:
    """Return one cell; `position` and `structure` must be members of POSITIONS and STRUCTURES (else KeyError)."""
    return _TABLE[position, structure]


def catalogue() -> tuple[Cell, ...]:
    """Return the whole framework, legal and illegal cells, in the order of POSITIONS and STRUCTURES."""
    return tuple(_TABLE.values())


def why_not_rescaled(position: str) -> str:
    """Say in words why a position has no other rescale than its cell lists."""
    return _RESCALE_REASONS[position]


def _build() -> dict[tuple[str, str], Cell]:
    table = {}
    for position in POSITIONS:
        for structure in STRUCTURES:
            found = _VALID.get((position, structure))
            if found is None:
                built = Cell(position, structure, (), "", (), False, _REASONS[position], "", "")
            else:
                rescales, options, source, cost = found
                built = Cell(position, structure, rescales, rescales[0], options, True, "", source, cost)
            table[position, structure] = built
    return table


_TABLE = _build()
