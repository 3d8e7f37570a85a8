"""Rates of dropping: one number, one number a layer, or a straight line over depth."""

import math
from dataclasses import dataclass

from transformer_dropout.errors import SpecError


@dataclass(frozen=True)
class PerLayer:
    """One rate for each layer of the model, first layer first."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise SpecError("rates by layer need one number for each layer of the model", "/per_layer")
        values = tuple(check_rate(value, f"/per_layer/{i}") for i, value in enumerate(self.values))
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class LinearRate:
    """A rate that runs in a straight line from the model's first layer to its last (DropKey's decreasing schedule)."""

    first: float
    last: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", check_rate(self.first, "/first"))
        object.__setattr__(self, "last", check_rate(self.last, "/last"))

    def over(self, layers: int) -> PerLayer:
        """Return the rates of a model with `layers` layers, rounded to 1e-6 so that they survive JSON unchanged."""
        steps = max(layers - 1, 1)
        return PerLayer(tuple(round(self.first + (self.last - self.first) * i / steps, 6) for i in range(layers)))


Rate = float | PerLayer | LinearRate


def check_rate(value: object, pointer: str) -> float:
    """Return `value` as a float in [0, 1); raises SpecError at `pointer` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"a rate is a number from 0 up to but not including 1, not {value!r}", pointer)
    rate = float(value)
    if not (math.isfinite(rate) and 0.0 <= rate < 1.0):
        raise SpecError(f"a rate is at least 0 and below 1 (it is the share that is dropped), not {value}", pointer)
    return rate + 0.0  # -0.0 becomes 0.0


def rate_from_json(value: object, pointer: str) -> Rate:
    """Read a rate: a number, {"per_layer": [...]} or {"first": a, "last": b}."""
    if not isinstance(value, dict):
        return check_rate(value, pointer)
    try:
        if set(value) == {"per_layer"}:
            if not isinstance(value["per_layer"], list | tuple):
                raise SpecError("per_layer is a list of rates, one for each layer", "/per_layer")
            return PerLayer(tuple(value["per_layer"]))
        if set(value) == {"first", "last"}:
            return LinearRate(value["first"], value["last"])
    except SpecError as error:
        raise error.under(pointer) from None
    raise SpecError('a rate is a number, {"per_layer": [...]} or {"first": a, "last": b}', pointer)


def rate_to_json(rate: Rate) -> object:
    """Write a rate as `rate_from_json` reads it."""
    if isinstance(rate, PerLayer):
        return {"per_layer": list(rate.values)}
    if isinstance(rate, LinearRate):
        return {"first": rate.first, "last": rate.last}
    return rate


def largest(rate: Rate) -> float:
    """Return the largest rate that occurs."""
    if isinstance(rate, PerLayer):
        return max(rate.values)
    if isinstance(rate, LinearRate):
        return max(rate.first, rate.last)
    return rate
