"""The method of an arm: a preset or spelled-out cells made into a canonical `DropoutSpec`, layers resolved."""

from dataclasses import replace

from transformer_dropout.spec import PRESETS, Consistency, DropoutSpec, SpecError, preset

from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts
from backend.shared.specs import ArmSpec

from .axes import Point

COMPOSED = "composed"


def build(arm: ArmSpec, point: Point, pointer: str, model: ModelFacts | None) -> DropoutSpec:
    """The method at one point of an arm's axes, resolved for the model where that is known.

    Raises InvalidInput at the place in the study that is wrong, in the library's own words.
    """
    try:
        spec = _preset(arm, point) if arm.method is not None else _composed(arm, point)
        if arm.native is not None:
            spec = replace(spec, native=arm.native)
        if model is not None:
            spec = spec.resolve(model.layers, decoder="causal_lm" in model.tasks)
    except SpecError as error:
        raise InvalidInput(error.message, _place(error.pointer, point, pointer)) from error
    return spec


def name(arm: ArmSpec) -> str:
    """The preset's name, or 'composed'."""
    return arm.method or COMPOSED


def default_rate(method: str) -> float | None:
    """The rate of a preset where none is given; None where it has none."""
    found = PRESETS.get(method)
    return found.default_rate if found else None


def _preset(arm: ArmSpec, point: Point) -> DropoutSpec:
    method = arm.method or ""
    tie = None
    if arm.consistency is not None:
        own = PRESETS[method].consistency if method in PRESETS else "none"
        tie = _consistency(arm, point, own)
    return preset(method, point.values["rate"], tie)


def _composed(arm: ArmSpec, point: Point) -> DropoutSpec:
    spec = DropoutSpec.from_dict({"sites": arm.sites, "native": bool(arm.native)})
    return spec if arm.consistency is None else replace(spec, consistency=_consistency(arm, point, "none"))


def _consistency(arm: ArmSpec, point: Point, default_kind: str) -> Consistency:
    given = arm.consistency
    kind = given.kind if given is not None and "kind" in given.model_fields_set else default_kind
    weight = point.values["consistency/weight"]
    try:
        return Consistency(kind, 0.5 if weight is None else weight)
    except SpecError as error:
        raise error.under("/consistency") from None


def _place(found: str, point: Point, pointer: str) -> str:
    """Where in the study a pointer of the library leads, its axes' lists included."""
    for axis in ("rate", "consistency/weight"):
        if found == f"/{axis}":
            return point.pointers[axis]
    return pointer + found
