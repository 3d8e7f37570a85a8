"""Human names for arms: the method and its rate first, then only what tells it from the other arms."""

from collections.abc import Iterable
from dataclasses import dataclass

from transformer_dropout.spec import PRESETS, DropoutSpec
from transformer_dropout.spec.rates import largest

MAX_LABEL = 200
_DEPARTURES = ("alpha", "consistency", "native")


@dataclass(frozen=True)
class Named:
    """What a label may draw on. `own` is the label that was asked for; `listed` the axes this arm has several of."""

    method: str
    own: str | None
    dropout: DropoutSpec
    listed: frozenset[str]
    rank: int
    alpha: float
    learning_rate: float
    weight_decay: float
    epochs: float
    label_smoothing: float


def colour_key(method: str, places: Iterable[tuple[str, str]], consistency: str, native: bool) -> str:
    """What an arm's fixed colour is picked by: its method, or where it drops in which pattern where it is no preset.

    places: position and structure of its sites. A composed cell keeps its colour over ranks and rates.
    """
    if method in PRESETS:
        return method
    parts = [f"{position}/{structure}" for position, structure in sorted(places)]
    return f"composed:{'+'.join([*parts, consistency, *(['native'] if native else [])])}"


def labels(arms: list[Named]) -> list[str]:
    """One label for each arm; two may still be equal (see `unique`)."""
    parts = [_parts(arm) for arm in arms]
    unnamed = [part for arm, part in zip(arms, parts, strict=True) if arm.own is None]
    telling = _telling(unnamed)  # what was named tells itself apart
    made = []
    for arm, part in zip(arms, parts, strict=True):
        shown = [text for key, text in part.items() if (key in telling if arm.own is None else key in arm.listed)]
        made.append(" · ".join([arm.own if arm.own is not None else _head(arm), *shown])[:MAX_LABEL])
    return made


def _head(arm: Named) -> str:
    if arm.method in PRESETS:
        found = PRESETS[arm.method]
        rates = sorted({largest(site.rate) for site in arm.dropout.sites})
        return found.title if found.default_rate is None else f"{found.title} {_listed(rates)}"
    sites = [f"{s.position.replace('_', ' ')} {s.structure} {largest(s.rate):g}" for s in arm.dropout.sites]
    return " + ".join(sites) or ("Native dropout" if arm.dropout.native else "No dropout")


def _parts(arm: Named) -> dict[str, str]:
    """Axis → how a label says it; what an arm has by default of its method is left out."""
    tie = arm.dropout.consistency
    usual = PRESETS.get(arm.method)
    parts = {"rank": f"r{arm.rank}"}
    if arm.alpha != 2 * arm.rank:
        parts["alpha"] = f"α {arm.alpha:g}"
    parts["learning_rate"] = f"lr {arm.learning_rate:g}"
    parts["weight_decay"] = f"wd {arm.weight_decay:g}"
    parts["epochs"] = f"{arm.epochs:g} {'epoch' if arm.epochs == 1 else 'epochs'}"
    parts["label_smoothing"] = f"smoothing {arm.label_smoothing:g}"
    if tie.kind != (usual.consistency if usual else "none"):
        parts["consistency"] = tie.kind if tie.kind != "none" else "no consistency"
    if tie.kind != "none":
        parts["consistency/weight"] = f"weight {tie.weight:g}"
    if usual is not None and arm.dropout.native != usual.native:
        parts["native"] = "native on" if arm.dropout.native else "native off"
    if arm.own is not None and usual is not None and usual.default_rate is not None:
        parts["rate"] = _listed(sorted({largest(site.rate) for site in arm.dropout.sites}))
    return parts


def _telling(parts: list[dict[str, str]]) -> set[str]:
    """Axes in which the arms that have them differ, and departures from a method's usual form."""
    found = set(_DEPARTURES)
    for key in {key for part in parts for key in part}:
        if len({part[key] for part in parts if key in part}) > 1:
            found.add(key)
    return found


def _listed(rates: list[float]) -> str:
    return "/".join(f"{rate:g}" for rate in rates)


def unique(made: list[str], taken: frozenset[str]) -> list[str]:
    """The same labels, numbered where one is repeated or taken."""
    used = set(taken)
    numbers: dict[str, int] = {}  # the last one given to a label: a thousand equal ones are not counted up anew
    final = []
    for label in made:
        stem = label[: MAX_LABEL - 6]
        candidate, number = label, numbers.get(stem, 1)
        while candidate in used:
            number += 1
            candidate = f"{stem} #{number}"
        used.add(candidate)
        numbers[stem] = number
        final.append(candidate)
    return final
