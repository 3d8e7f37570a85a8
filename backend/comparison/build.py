"""A study's records made into its comparison: intervals, differences, answers in words. Pure, and always on full
data.
"""

from collections import Counter
from collections.abc import Sequence
from typing import cast

import numpy as np
from transformer_dropout import PRESETS

from backend.shared.errors import InvalidInput
from backend.shared.metrics import METRICS, Metric, in_comparison
from backend.shared.specs import Task
from backend.studies.arm_labels import colour_key

from . import arms as parts
from . import paper, schema
from .answers import answers
from .answers.take import take
from .clocks import check, clocks_of
from .differences import differences, matrix, not_told_apart, stopped_differences
from .elsewhere import elsewhere
from .notes import notes, progress
from .overfitting import overfitting
from .plan.draw import draw
from .plan.follow import follow
from .plan.told import notes as plan_notes
from .selection import select
from .statistics.grid import ArmGrid, align
from .statistics.records import ArmRecord, StudyRecords
from .words import LOSS_UNIT, Judged


def build(
    records: StudyRecords,
    *,
    baseline: str | None = None,
    metric: schema.SeriesName = "validation/loss",
    clock: schema.Clock = "last",
    x: schema.XAxis = "step",
    band: schema.Band = "t",
) -> schema.Comparison:
    """Return the comparison of all arms with `baseline` (an arm's id; the study's own, or the plain arm, where
    unset).

    `metric`, at `clock`, orders the ranking and fills the matrix; every quantity is compared at both clocks whatever
    they are. Raises InvalidInput where the study has no such arm, metric or clock.
    """
    # Losses near the largest float overflow in sums and squares; every number is checked before it is shown.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return _build(records, baseline, metric, clock, x, band)


def _build(
    records: StudyRecords,
    baseline: str | None,
    metric: schema.SeriesName,
    clock: schema.Clock,
    x: schema.XAxis,
    band: schema.Band,
) -> schema.Comparison:
    grids = align(records)
    base = _baseline(records, baseline)
    measured = _recorded(grids, records.task)
    names = [quantity.name for quantity in measured]
    if metric not in names:
        raise InvalidInput(f"{metric} was not recorded in this study; choose one of {', '.join(names)}", "/metric")
    clocks, clock_note = clocks_of(grids)
    check(grids, clock, clock_note, metric)
    titles, shown = _names(records.arms)
    found: list[dict[schema.SeriesName, schema.Difference]] = [{} for _ in grids]
    in_time, to_rival = found, found
    if base is not None:
        compared = [quantity.name for quantity in measured if quantity.role == "compared"]
        found = differences(grids, grids[base], shown[base], compared)
        in_time, to_rival = stopped_differences(grids, grids[base], shown[base], compared)
    base_id = None if base is None else records.arms[base].id
    drawn = draw(records, grids, shown, (base_id, metric, clock))
    plan = None if drawn is None else drawn.plan
    found = follow(drawn, grids, base, found, "last", "last")
    in_time = follow(drawn, grids, base, in_time, "stopped", "stopped")
    to_rival = follow(drawn, grids, base, to_rival, "last", "stopped")
    variants, tones = _variants(records.arms), _tones(records.arms)
    ranked = _rank(grids, found if clock == "last" else in_time, base, metric)
    costs = [parts.cost(grid) for grid in grids]
    reference = parts.Cost(0, None, None) if base is None else costs[base]
    arms = []
    for i, grid in enumerate(grids):
        positions = parts.x_values(grid, x)
        best, best_step = parts.best_validation(grid)
        arm = grid.arm
        arms.append(
            schema.ArmComparison(
                id=arm.id,
                key=arm.key,
                label=arm.label,
                name=shown[i],
                method=arm.method,
                method_title=titles[i],
                colour_key=_colour_key(arm),
                variant=variants[i],
                tone=tones[i],
                is_baseline=i == base,
                position=arm.position,
                sites=[
                    schema.SiteShown(
                        position=site.position,
                        structure=site.structure,
                        rescale=site.rescale,
                        rate=site.rate if np.isfinite(site.rate) else None,
                        options={**site.options, **({"rate": site.by_layer} if site.by_layer else {})},
                    )
                    for site in arm.sites
                ],
                rate=arm.rates[-1] if arm.rates and np.isfinite(arm.rates[-1]) else None,
                rank=arm.rank,
                alpha=arm.alpha,
                learning_rate=arm.learning_rate,
                weight_decay=arm.weight_decay,
                epochs=arm.epochs,
                label_smoothing=arm.label_smoothing,
                consistency_kind=arm.consistency_kind,
                consistency_weight=arm.consistency_weight,
                native=arm.native,
                trainable_parameters=arm.trainable_parameters,
                counts=parts.arm_counts(grid),
                runs=parts.runs(grid),
                curve=parts.curve(grid, names, positions, band),
                final_step=grid.final_step,
                final=parts.final(grid, names),
                stopped=parts.stopped(grid, names, in_time[i], to_rival[i]),
                best_validation=best,
                best_validation_step=best_step,
                overfitting=overfitting(grid, positions),
                differences=found[i],
                compute=_compute(costs[i], reference),
                place=ranked.index(i) + 1 if grid.finished else None,
                verdict=None if drawn is None else drawn.verdicts.get(arm.id),
            )
        )
    chosen = None if base is None else arms[base]

    def ties_of(arm_id: str, quantity: schema.SeriesName, judged: Judged) -> list[str]:
        lead = next(grid for grid in grids if grid.arm.id == arm_id)
        return [records.arms[i].id for i in not_told_apart(grids, lead, quantity, judged)]

    def take_of(arm_id: str, at: schema.Clock) -> schema.Take | None:
        return next(take(grid, at) for grid in grids if grid.arm.id == arm_id)

    def elsewhere_at(at: schema.Clock) -> schema.Elsewhere | None:
        return elsewhere(grids, base, shown, at, records.task)

    verdict, told = answers(
        arms,
        chosen,
        ties_of,
        take_of,
        clock=clock,
        plan=plan,
        confidence=records.confidence,
        rows_of=_rows_of(records),
        task=cast(Task, records.task),
        elsewhere_at=lambda at: "" if (also := elsewhere_at(at)) is None else also.sentence,
    )
    standing = progress(arms)
    unit = LOSS_UNIT.get(records.task, "loss")
    return schema.Comparison(
        study_id=records.study_id,
        study_name=records.name,
        event_seq=records.event_seq,
        task=records.task,
        model=records.model,
        dataset=records.dataset,
        metric=metric,
        clock=clock,
        clocks=clocks,
        clock_note=clock_note,
        x=x,
        band=band,
        loss_unit=unit,
        metrics=_quantities(measured, unit),
        baseline_arm_id=None if chosen is None else chosen.id,
        arms=arms,
        ranking=[records.arms[i].id for i in ranked],
        verdict=verdict,
        answers=told,
        progress=standing,
        pairwise=matrix(grids, ranked, metric, clock),
        selection=select(grids, base, names, metric, shown, titles, clock),
        paper=paper.numbers(records.dataset),
        notes=[*notes(arms, chosen, metric, standing, records.baseline_arm_id), *plan_notes(plan)],
        plan=plan,
        elsewhere=elsewhere_at(clock),
    )


def _baseline(records: StudyRecords, asked: str | None) -> int | None:
    ids = [arm.id for arm in records.arms]
    if asked is not None and asked not in ids:
        raise InvalidInput(
            f"this study has no arm '{asked}' to compare with; give the id of one of its arms", "/baseline"
        )
    wanted = asked if asked is not None else records.baseline_arm_id
    if wanted in ids:
        return ids.index(wanted)
    plain = [i for i, arm in enumerate(records.arms) if arm.method == "none"]
    return plain[0] if plain else (0 if ids else None)


def _rows_of(records: StudyRecords) -> dict[str, int]:
    """Return how many held-out rows each split has, the same for all arms; nothing where a spec does not say."""
    spec = records.arms[0].spec if records.arms else {}
    return {split: int(spec[f"{split}_rows"]) for split in ("validation", "test") if spec.get(f"{split}_rows")}


def _recorded(grids: Sequence[ArmGrid], task: str) -> list[Metric]:
    """Losses and gap always; the rest where any run has it, and what belongs to one task in that task."""
    always = ("probe/loss", "validation/loss", "gap")
    return [
        metric
        for metric in in_comparison()
        if (metric.derived is None or metric.derived.task in (None, task))
        and (metric.name in always or any(np.isfinite(grid.quantity(metric.name)).any() for grid in grids))
    ]


def _quantities(measured: Sequence[Metric], loss_unit: str) -> list[schema.Quantity]:
    return [
        schema.Quantity(
            name=metric.name,
            title=metric.title,
            short_title=metric.short_title,
            unit=loss_unit if metric.loss else metric.unit,
            higher_is_better=metric.higher_is_better,
            compared=metric.role == "compared",
            shown=metric.shown,
        )
        for metric in measured
    ]


def _variants(arms: Sequence[ArmRecord]) -> list[int]:
    seen: Counter[str] = Counter()
    numbers = []
    for arm in arms:
        key = _colour_key(arm)
        numbers.append(seen[key])
        seen[key] += 1
    return numbers


def _colour_key(arm: ArmRecord) -> str:
    places = [(site.position, site.structure) for site in arm.sites]
    return colour_key(arm.method, places, arm.consistency_kind, arm.native)


def _tones(arms: Sequence[ArmRecord]) -> list[float]:
    """Return where each arm lies among those of its colour, -1 to 1: by its rates, then its settings beside rank."""

    def setting(arm: ArmRecord) -> tuple[float, ...]:
        rates = (rate if np.isfinite(rate) else -1.0 for rate in arm.rates)
        trained = (arm.learning_rate, arm.weight_decay, arm.epochs or 0.0, arm.label_smoothing)
        return (*rates, *trained, arm.consistency_weight or 0.0, arm.alpha / arm.rank)

    settings: dict[str, list[tuple[float, ...]]] = {}
    for arm in arms:
        settings.setdefault(_colour_key(arm), []).append(setting(arm))
    ordered = {key: sorted(set(found)) for key, found in settings.items()}
    tones = []
    for arm in arms:
        among = ordered[_colour_key(arm)]
        tones.append(0.0 if len(among) == 1 else round(2 * among.index(setting(arm)) / (len(among) - 1) - 1, 4))
    return tones


def _names(arms: Sequence[ArmRecord]) -> tuple[list[str], list[str]]:
    """Return method titles, and for each arm the shorter of title and label that still tells it from the others."""
    per_method = Counter(arm.method for arm in arms)
    titles, shown = [], []
    for arm in arms:
        title = PRESETS[arm.method].title if arm.method in PRESETS else arm.label
        own_words = not arm.label.lower().startswith((arm.method.lower(), title.lower()))
        titles.append(title)
        shown.append(arm.label if own_words or per_method[arm.method] > 1 else title)
    return titles, shown


def _rank(
    grids: Sequence[ArmGrid],
    found: Sequence[dict[schema.SeriesName, schema.Difference]],
    base: int | None,
    metric: schema.SeriesName,
) -> list[int]:
    """Order arms by their mean per-seed difference to the baseline (0 for itself), so that seeds still missing do
    not count.

    Arms without a pair follow, those without a finished run last.
    """
    sign = -1.0 if METRICS[metric].higher_is_better else 1.0

    def key(i: int) -> tuple[int, float, int]:
        difference = found[i].get(metric)
        if i == base and grids[i].finished:
            return 0, 0.0, i
        if difference is not None and difference.mean is not None:
            return 0, sign * difference.mean, i
        return (1 if grids[i].finished else 2), 0.0, i

    return sorted(range(len(grids)), key=key)


def _compute(mine: parts.Cost, reference: parts.Cost) -> schema.Compute:
    def factor(value: float | None, base: float | None) -> float | None:
        return None if value is None or not base else value / base

    return schema.Compute(
        n=mine.n,
        seconds=mine.seconds,
        flops=mine.flops,
        seconds_factor=factor(mine.seconds, reference.seconds),
        flops_factor=factor(mine.flops, reference.flops),
    )
