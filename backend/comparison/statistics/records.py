"""What statistics and charts are computed from: one study as plain frozen data, evaluations as columns.

The store fills these; nothing here knows of SQL. Arrays are never changed after construction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
View = tuple[str | None, str | None]  # the baseline (an arm's id) and quantity of a look; None: the plan's own
Ints = NDArray[np.int64]


def largest_rate(rate: object) -> float:
    """Return the largest rate in a site's JSON: a number, {"per_layer": [...]} or {"first": a, "last": b}; NaN if
    none.
    """
    if isinstance(rate, int | float):
        return float(rate)
    if isinstance(rate, Mapping):
        listed = rate.get("per_layer", [rate.get("first"), rate.get("last")])
        numbers = [float(value) for value in listed if isinstance(value, int | float)]
        return max(numbers, default=float("nan"))
    return float("nan")


@dataclass(frozen=True)
class SiteRecord:
    """One place where an arm drops something; `rate` is the largest over the layers.

    options: whatever else the spec says of it: layers, place, axis, window, ...  by_layer: the rate as the spec has it
    where it differs between layers.
    """

    position: str
    structure: str
    rescale: str
    rate: float
    options: Mapping[str, Any] = field(default_factory=dict)
    by_layer: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, site: Mapping[str, Any]) -> Self:
        """Read a site of a method's JSON."""
        rate = site.get("rate")
        own = ("position", "structure", "rescale", "rate")
        return cls(
            str(site["position"]),
            str(site["structure"]),
            str(site.get("rescale") or "none"),
            largest_rate(rate),
            {name: value for name, value in site.items() if name not in own},
            rate if isinstance(rate, Mapping) else None,
        )

    @property
    def kind(self) -> tuple[str, ...]:
        """All that tells it from other sites but its rate."""
        return self.position, self.structure, self.rescale, json.dumps(self.options, sort_keys=True)


@dataclass(frozen=True)
class ArmRecord:
    """All runs of a study that share a spec but for the seed. `method` is a preset's name, or "composed"."""

    id: str
    key: str
    label: str
    method: str
    position: int
    sites: tuple[SiteRecord, ...]
    consistency_kind: str
    consistency_weight: float | None
    native: bool
    rank: int
    alpha: float
    learning_rate: float
    weight_decay: float
    epochs: float | None = None
    label_smoothing: float = 0.0
    spec: Mapping[str, Any] = field(default_factory=dict)
    trainable_parameters: int | None = None

    @classmethod
    def from_spec(
        cls,
        *,
        id: str,
        key: str,
        label: str,
        method: str,
        position: int,
        spec: Mapping[str, Any],
        trainable_parameters: int | None = None,
    ) -> Self:
        """Read rates, rank, learning rate and the rest from `spec`, the JSON of an `ArmKeySpec`."""
        dropout: Mapping[str, Any] = spec["method"]
        consistency: Mapping[str, Any] = dropout.get("consistency") or {}
        kind = str(consistency.get("kind", "none"))
        weight = consistency.get("weight", 0.5)
        training: Mapping[str, Any] = spec["training"]
        sites = tuple(SiteRecord.of(site) for site in dropout.get("sites", ()))
        return cls(
            id=id,
            key=key,
            label=label,
            method=method,
            position=position,
            sites=sites,
            consistency_kind=kind,
            consistency_weight=None if kind == "none" else float(weight),
            native=bool(dropout.get("native", False)),
            rank=int(spec["rank"]),
            alpha=float(spec["alpha"]),
            learning_rate=float(training["learning_rate"]),
            weight_decay=float(training["weight_decay"]),
            epochs=None if training.get("epochs") is None else float(training["epochs"]),
            label_smoothing=float(training.get("label_smoothing", 0.0)),
            spec=spec,
            trainable_parameters=trainable_parameters,
        )

    @property
    def rates(self) -> tuple[float, ...]:
        """The different rates of its sites, smallest first."""
        return tuple(sorted({site.rate for site in self.sites}))


@dataclass(frozen=True)
class RunRecord:
    """One training of one arm with one seed. `seconds` were spent training, over all attempts."""

    id: str
    arm_id: str
    seed: int
    status: str
    failure_code: str | None = None
    message: str | None = None
    step: int = 0
    total_steps: int = 0
    seconds: float | None = None
    flops: float | None = None
    final: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluations:
    """All evaluations of a study as columns of equal length, in any order.

    run: index into `StudyRecords.runs`.  step, epoch: where.  metrics: one float64 array for each name of
    `metrics.recorded` that was recorded; NaN or infinite where the value was not a number, NaN where it is missing.
    """

    run: Ints
    step: Ints
    epoch: Floats
    metrics: Mapping[str, Floats]

    def __post_init__(self) -> None:
        lengths = {len(self.run), len(self.step), len(self.epoch), *(len(values) for values in self.metrics.values())}
        if len(lengths) > 1:
            raise ValueError(f"the columns of the evaluations differ in length: {sorted(lengths)}")

    @classmethod
    def empty(cls) -> Self:
        """No evaluation yet."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), {})


@dataclass(frozen=True)
class StudyRecords:
    """One study as of `event_seq`. `draws_rows`: a seed draws the training rows; else all seeds train on the same.

    plan: the JSON of its `PlanSpec`, whole; None where it declared none.  confidence: what ledgers say of how sure runs
    are, by run, clock and name; see `backend.comparison.confidence`. Empty where no ledger was read.  explored: the
    looks beyond the plan; see `backend.comparison.explored`.
    """

    study_id: str
    name: str
    event_seq: int
    task: str
    arms: tuple[ArmRecord, ...]
    runs: tuple[RunRecord, ...]
    evaluations: Evaluations
    baseline_arm_id: str | None = None
    model: str = ""
    dataset: str = ""
    draws_rows: bool = True
    plan: Mapping[str, Any] | None = None
    confidence: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    explored: Sequence[View] = ()
