"""A whole dropout method, and how it is read from and written to JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from transformer_dropout.errors import SpecError

from .model import OPTION_DEFAULTS, Consistency, Site
from .rates import rate_from_json, rate_to_json

_SITE_KEYS = tuple(field.name for field in fields(Site))
_CONSISTENCY_KEYS = tuple(field.name for field in fields(Consistency))

_NO_TIE = Consistency()


@dataclass(frozen=True)
class DropoutSpec:
    """One dropout method.

    sites: what is dropped where.  consistency: the loss between two passes.  native: leave the base model's own
    dropout on.
    noise_alpha: NEFTune, uniform noise of size alpha / sqrt(tokens x features) on the input embeddings; 0 is off.
    Raises SpecError.
    """

    sites: tuple[Site, ...] = ()
    consistency: Consistency = _NO_TIE
    native: bool = False
    noise_alpha: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sites", tuple(self.sites))
        if not isinstance(self.native, bool):
            raise SpecError(f"native is true or false, not {self.native!r}", "/native")
        alpha = self.noise_alpha
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not math.isfinite(alpha) or alpha < 0:
            raise SpecError(
                f"noise_alpha is a number of at least 0 (NEFTune uses 5 to 15), not {alpha!r}", "/noise_alpha"
            )
        object.__setattr__(self, "noise_alpha", float(alpha))
        self._check_pairs()
        if self.consistency.kind != "none" and not (self.sites or self.native or self.noise_alpha):
            raise SpecError(
                f"'{self.consistency.kind}' compares two passes, equal without a site or native dropout: add one",
                "/consistency/kind",
            )

    @property
    def is_plain(self) -> bool:
        """True where nothing is active: training equals plain LoRA without any dropout."""
        quiet = not self.native and self.noise_alpha == 0.0 and self.consistency.kind == "none"
        return quiet and not any(site.active for site in self.sites)

    def resolve(self, layers: int, decoder: bool) -> "DropoutSpec":
        """Return the spec with every site's layers and rates spelled out for a model of `layers` layers.

        Raises SpecError where a layer or a list of rates does not fit the model.
        """
        resolved = []
        for i, site in enumerate(self.sites):
            try:
                resolved.append(site.resolve(layers, decoder))
            except SpecError as error:
                raise error.under(f"/sites/{i}") from None
        return replace(self, sites=tuple(resolved))

    def at(self, *positions: str) -> tuple[Site, ...]:
        """Return the active sites at the given positions, in order."""
        return tuple(site for site in self.sites if site.position in positions and site.active)

    @classmethod
    def from_dict(cls, obj: object, pointer: str = "") -> "DropoutSpec":
        """Read a method from plain JSON data; raises SpecError whose pointer starts with `pointer`."""
        try:
            return _read_spec(_mapping(obj, "a method", ("sites", "consistency", "native", "noise_alpha")))
        except SpecError as error:
            raise error.under(pointer) from None

    def to_dict(self) -> dict[str, object]:
        """Write the canonical JSON data: defaults that depend on the cell resolved, untouched options left out."""
        written: dict[str, object] = {"sites": [_write_site(site) for site in self.sites]}
        kind = self.consistency.kind
        written["consistency"] = {"kind": kind}
        if kind != "none":
            written["consistency"] = {name: getattr(self.consistency, name) for name in _CONSISTENCY_KEYS}
        written["native"] = self.native
        if self.noise_alpha:
            written["noise_alpha"] = self.noise_alpha
        return written

    def _check_pairs(self) -> None:
        seen: dict[tuple[str, str, str], int] = {}
        for i, site in enumerate(self.sites):
            if not isinstance(site, Site):
                raise SpecError(f"a site is a Site, not {site!r}", f"/sites/{i}")
            # Two rescaled passes over the same weights have no agreed meaning; the other positions compose.
            structure = "" if site.position == "attention_weights" else f"{site.structure} {site.axis}"
            key = (site.position, structure, site.place)
            if key in seen:
                raise SpecError(
                    f"{site.position} is already dropped by site {seen[key]}: give it one rate by layer instead",
                    f"/sites/{i}",
                )
            seen[key] = i


def _read_spec(obj: Mapping[str, object]) -> DropoutSpec:
    sites = obj.get("sites", [])
    if not isinstance(sites, list | tuple):
        raise SpecError("sites is a list", "/sites")
    read = []
    for i, site in enumerate(sites):
        try:
            read.append(_read_site(_mapping(site, "a site", _SITE_KEYS)))
        except SpecError as error:
            raise error.under(f"/sites/{i}") from None
    consistency = obj.get("consistency", {})
    try:
        tie = Consistency(**_mapping(consistency, "consistency", _CONSISTENCY_KEYS))  # type: ignore[arg-type]  # checked inside
    except SpecError as error:
        raise error.under("/consistency") from None
    return DropoutSpec(tuple(read), tie, obj.get("native", False), obj.get("noise_alpha", 0.0))  # type: ignore[arg-type]  # checked inside


def _read_site(obj: Mapping[str, object]) -> Site:
    missing = [name for name in ("position", "structure", "rate") if name not in obj]
    if missing:
        raise SpecError(f"a site needs position, structure and rate; {' and '.join(missing)} missing", "")
    values = dict(obj)
    values["rate"] = rate_from_json(obj["rate"], "/rate")
    if isinstance(values.get("layers"), list):
        values["layers"] = tuple(values["layers"])  # type: ignore[arg-type]  # a list, by the line above
    return Site(**values)  # type: ignore[arg-type]  # Site checks every field itself


def _write_site(site: Site) -> dict[str, object]:
    layers = list(site.layers) if isinstance(site.layers, tuple) else site.layers
    written: dict[str, object] = {
        "position": site.position,
        "structure": site.structure,
        "rate": rate_to_json(site.rate),
    }
    written["rescale"] = site.rescale
    written["layers"] = layers
    written.update({name: value for name in OPTION_DEFAULTS if (value := getattr(site, name)) != OPTION_DEFAULTS[name]})
    return written


def _mapping(obj: object, what: str, known: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(obj, Mapping):
        raise SpecError(f"{what} is an object with the keys {', '.join(known)}, not {obj!r}")
    for key in obj:
        if key not in known:
            raise SpecError(f"{what} has no key '{key}'; it has {', '.join(known)}", f"/{escape(str(key))}")
    return obj


def escape(key: str) -> str:
    """Escape one key for a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
