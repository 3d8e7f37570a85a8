"""The parts of a dropout method: sites of the framework, and the consistency loss between two passes.

Both classes check themselves on construction, so an object that exists is legal (arXiv 2403.00812 §3; `cells` lists the
legal cells).
"""

import math
from dataclasses import dataclass, replace

from transformer_dropout.errors import SpecError

from .cells import LATTER_HALF_IN_DECODERS, PER_LAYER, POSITIONS, RESCALES, STRUCTURES, cell, why_not_rescaled
from .kinds import CONSISTENCY_KINDS
from .rates import LinearRate, PerLayer, Rate, check_rate, largest

AXES = ("token", "feature")
PLACES = ("ffn_output", "ffn_inner")
SPAN_LENGTHS = ("floor", "stochastic")
LAYER_WORDS = ("all", "latter_half")

Layers = None | str | tuple[int, ...]

# Every option with its default. An option that keeps its default is left out of the canonical JSON, so that a later
# release can add options without changing the hash of the methods that exist today.
OPTION_DEFAULTS: dict[str, object] = {
    "axis": "token",
    "place": "ffn_output",
    "window": 1,
    "per_row": False,
    "span_length": "floor",
    "keep_first": False,
    "keep_diagonal": False,
}
_OPTION_WORDS = {"axis": AXES, "place": PLACES, "span_length": SPAN_LENGTHS}


@dataclass(frozen=True)
class Site:
    """One place where something is dropped.

    rate: probability of dropping, [0, 1), or one per layer.  rescale: None takes the cell's default.
    layers: None (all; in decoders the latter half for attention and hidden sites), 'all', 'latter_half', or numbers.
    axis: what a hidden or input column is, a token or a feature.  place: hidden only, FFN output (before the residual)
    or the input of its second linear layer.  window: a column decision covers this many neighbouring keys or tokens.
    per_row: an attention span of its own for each query.  span_length: 'floor' (at least one token) or 'stochastic'
    (rounded at random, so that the expected share is the rate).  keep_first: never drop a row's first token.
    keep_diagonal: a query never loses its own key.

    Raises SpecError, with a JSON pointer relative to the site.
    """

    position: str
    structure: str
    rate: Rate
    rescale: str | None = None
    layers: Layers = None
    axis: str = "token"
    place: str = "ffn_output"
    window: int = 1
    per_row: bool = False
    span_length: str = "floor"
    keep_first: bool = False
    keep_diagonal: bool = False

    def __post_init__(self) -> None:
        _one_of(self.position, POSITIONS, "position")
        _one_of(self.structure, STRUCTURES, "structure")
        found = cell(self.position, self.structure)
        if not found.valid:
            raise SpecError(f"{self.position} has no {self.structure}: {found.reason}", "/structure")
        if not isinstance(self.rate, PerLayer | LinearRate):
            object.__setattr__(self, "rate", check_rate(self.rate, "/rate"))
        elif self.position not in PER_LAYER:
            raise SpecError(f"{self.position} exists once in a model, so it takes one rate", "/rate")
        self._check_rescale()
        self._check_layers()
        self._check_options(found.options)

    @property
    def stream(self) -> int:
        """Number of this site's mask stream, a function of what is dropped and not of its place in the list.

        So the hidden site of `hiddenkey` draws the same bits as `hiddencut` alone (common random numbers).
        """
        place = PLACES.index(self.place) if self.position == "hidden" else 0
        feature = AXES.index(self.axis)
        return (
            (POSITIONS.index(self.position) * len(STRUCTURES) + STRUCTURES.index(self.structure)) * 2 + place
        ) * 2 + feature

    @property
    def active(self) -> bool:
        """Whether the site can drop anything."""
        return largest(self.rate) > 0.0 and self.layers != ()

    def rate_at(self, layer: int) -> float:
        """Return the rate in `layer` (counted from 0); 0.0 where the site does not reach. Needs a resolved site."""
        if isinstance(self.rate, LinearRate) or self.layers is None or isinstance(self.layers, str):
            raise SpecError("rates by layer are known after DropoutSpec.resolve(layers, decoder)", "/layers")
        if layer not in self.layers:
            return 0.0
        return self.rate.values[layer] if isinstance(self.rate, PerLayer) else self.rate

    def resolve(self, layers: int, decoder: bool) -> "Site":
        """Return the site with its layers and rates spelled out for a model of `layers` layers."""
        rate = self.rate.over(layers) if isinstance(self.rate, LinearRate) else self.rate
        if isinstance(rate, PerLayer) and len(rate.values) != layers:
            raise SpecError(f"{len(rate.values)} rates given, but the model has {layers} layers", "/rate/per_layer")
        chosen = self.layers
        if self.position not in PER_LAYER:
            chosen = (0,)
        elif chosen is None:
            chosen = "latter_half" if decoder and self.position in LATTER_HALF_IN_DECODERS else "all"
        if isinstance(chosen, str):
            chosen = tuple(range(layers // 2 if chosen == "latter_half" else 0, layers))
        if chosen and chosen[-1] >= layers:
            raise SpecError(f"layer {chosen[-1]} does not exist: the model's layers are 0 to {layers - 1}", "/layers")
        return replace(self, rate=rate, layers=chosen)

    def _check_rescale(self) -> None:
        found = cell(self.position, self.structure)
        if self.rescale is None:
            object.__setattr__(self, "rescale", found.default_rescale)
            return
        _one_of(self.rescale, RESCALES, "rescale")
        if self.rescale not in found.rescales:
            raise SpecError(
                f"{self.position} by {self.structure} cannot be rescaled '{self.rescale}': "
                f"{why_not_rescaled(self.position)}; use {_words(found.rescales)}",
                "/rescale",
            )

    def _check_layers(self) -> None:
        layers = self.layers
        if layers is None:
            return
        if isinstance(layers, str):
            _one_of(layers, LAYER_WORDS, "layers")
        elif not isinstance(layers, tuple | list) or any(
            isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in layers
        ):
            raise SpecError("layers is 'all', 'latter_half' or a list of layer numbers counted from 0", "/layers")
        elif not layers:
            raise SpecError("a site needs at least one layer; leave layers out for the default", "/layers")
        else:
            object.__setattr__(self, "layers", tuple(sorted(set(layers))))
        if self.position not in PER_LAYER and self.layers != (0,):
            raise SpecError(f"{self.position} exists once in a model, so it takes no layers", "/layers")

    def _check_options(self, allowed: tuple[str, ...]) -> None:
        for name, default in OPTION_DEFAULTS.items():
            value = getattr(self, name)
            if type(value) is not type(default):
                raise SpecError(f"{name} is a {type(default).__name__}, not {value!r}", f"/{name}")
            if name in _OPTION_WORDS:
                _one_of(value, _OPTION_WORDS[name], name)
            if value != default and name not in allowed:
                raise SpecError(f"{name} means nothing for {self.position} by {self.structure}", f"/{name}")
        if self.window < 1:
            raise SpecError(f"a window is at least 1 key wide, not {self.window}", "/window")
        if self.axis == "feature" and (self.window != 1 or self.keep_first):
            raise SpecError("windows and first tokens belong to token columns, not to features", "/axis")


@dataclass(frozen=True)
class Consistency:
    """A loss that ties two passes together, added to the task loss with `weight`.

    regression: what is compared where the model predicts numbers: 'mse' between predictions (R-Drop) or the paper's
    literal reading, 'features', the softmax over the last layer's representation.
    """

    kind: str = "none"
    weight: float = 0.5
    regression: str = "mse"

    def __post_init__(self) -> None:
        _one_of(self.kind, CONSISTENCY_KINDS, "kind")
        _one_of(self.regression, ("mse", "features"), "regression")
        if (
            isinstance(self.weight, bool)
            or not isinstance(self.weight, int | float)
            or not math.isfinite(self.weight)
            or self.weight < 0
        ):
            raise SpecError(f"the consistency weight is a number of at least 0, not {self.weight!r}", "/weight")
        object.__setattr__(self, "weight", float(self.weight))
        if self.kind == "none":  # one spelling of "none", so that equal methods have equal hashes
            object.__setattr__(self, "weight", 0.5)
            object.__setattr__(self, "regression", "mse")


def _one_of(value: object, words: tuple[str, ...], field: str) -> None:
    if value not in words:
        raise SpecError(f"{field} is {_words(words)}, not {value!r}", f"/{field}")


def _words(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
