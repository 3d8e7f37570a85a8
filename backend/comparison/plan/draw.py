"""A study's plan drawn from its records: each arm's verdict, the looks done, and what lies beyond the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.comparison import schema
from backend.comparison.statistics.grid import ArmGrid
from backend.comparison.statistics.records import Floats, StudyRecords
from backend.comparison.words import several
from backend.shared.metrics import METRICS
from backend.shared.specs import PlanSpec
from backend.studies.plan import words as plan_words
from backend.studies.plan.bounds import spent

from . import looked, words
from .judge import FINAL, LEVEL, Judged, judge
from .values import turned, values


@dataclass(frozen=True)
class Drawn:
    """A plan as it stands, and the verdicts of the judged arms by their ids."""

    plan: schema.PlanShown
    verdicts: Mapping[str, schema.Verdict]


def draw(
    records: StudyRecords, grids: Sequence[ArmGrid], names: Sequence[str], shown: tuple[str | None, str, str]
) -> Drawn | None:
    """Return the plan of a study with its verdicts; None where it has none.

    names: of the arms, as they are shown. shown: baseline (an arm's id), metric and clock of the comparison at hand;
    verdicts are the plan's own whatever these are.
    """
    plan = None if records.plan is None else PlanSpec.model_validate(records.plan)
    base = _labelled(records, plan.baseline) if plan is not None else None
    if plan is None or base is None or plan.looks is None or plan.smallest is None or plan.metric is None:
        return None
    bases = _baselines(records, plan, base)
    judged = [
        i for i, arm in enumerate(records.arms) if i not in bases and (plan.arms is None or arm.label in plan.arms)
    ]
    of_rank = {records.arms[i].rank: i for i in reversed(bases)}
    mine = {i: of_rank.get(records.arms[i].rank, base) for i in judged}
    asked = (plan.metric, plan.clock, plan.looks[-1])
    arms = np.array([values(grids[i], *asked) for i in judged]).reshape(len(judged), plan.looks[-1])
    against = {i: values(grids[i], *asked) for i in bases}
    of_arms = np.array([against[mine[i]] for i in judged]).reshape(arms.shape)
    found = judge(arms, of_arms, plan.looks, plan.smallest)
    verdicts = {
        records.arms[i].id: _verdict(
            turned(one, plan.metric), plan, grids[i], grids[mine[i]], names[mine[i]] if len(bases) > 1 else ""
        )
        for i, one in zip(judged, found, strict=True)
    }
    looks, following = _looks(plan, found, arms, of_arms)
    left = 1.0 - max((look.spent for look in looks if look.done), default=0.0)
    return Drawn(
        schema.PlanShown(
            baseline_arm_id=records.arms[base].id,
            baseline_arm_ids=[records.arms[i].id for i in bases],
            arm_ids=[records.arms[i].id for i in judged],
            metric=plan.metric,
            clock=plan.clock,
            smallest=plan.smallest,
            seeds=plan.looks[-1],
            race=plan.race,
            looks=looks,
            next_look=following,
            error_left=left,
            sentence=plan_words.sentence(plan, len(judged), names[base]),
            standing=_standing(looks, following, left, found if plan.race else None),
            exploratory=_exploratory(records, plan, bases, names, shown),
        ),
        verdicts,
    )


def _labelled(records: StudyRecords, label: str | None) -> int | None:
    return next((i for i, arm in enumerate(records.arms) if arm.label == label), None)


def _looks(
    plan: PlanSpec, found: Sequence[Judged], arms: Floats, of_arms: Floats
) -> tuple[list[schema.Look], int | None]:
    """Return the looks, and how many seeds the next one has: in a race None also where every arm has its verdict."""
    assert plan.looks is not None
    pairs = ~np.isnan(arms) & ~np.isnan(of_arms)
    there = np.cumprod(pairs, axis=1).sum(axis=1)  # first seeds that an arm and its baseline have
    looks, following = [], None
    for n in plan.looks:
        going = [i for i, one in enumerate(found) if not (plan.race and one.kind in FINAL and one.seeds < n)]
        done = following is None and bool(going) and all(there[i] >= n for i in going)
        looks.append(schema.Look(seeds=n, done=done, spent=spent(LEVEL, n / plan.looks[-1]) / LEVEL))
        if not done and going and following is None:
            following = n
    return looks, following


def _baselines(records: StudyRecords, plan: PlanSpec, base: int) -> list[int]:
    """The baseline, and those of other ranks."""
    others = (_labelled(records, label) for label in plan.baselines or ())
    return [base, *(i for i in others if i is not None and i != base)]


def _verdict(found: Judged, plan: PlanSpec, grid: ArmGrid, base: ArmGrid, against: str) -> schema.Verdict:
    assert plan.looks is not None
    assert plan.metric is not None
    assert plan.smallest is not None
    open_ = found.kind in ("not_yet", "better", "worse")
    following = next((n for n in plan.looks if n > found.seeds), None) if open_ else None
    diverged = [i for i in grid.diverged if grid.runs[i].seed < plan.looks[-1]]
    lost = _lost(grid, following) or _lost(base, following) if following is not None else ""
    told = words.sentence(
        found,
        plan.metric,
        plan.smallest,
        next_look=following,
        diverged=len(diverged),
        runs=sum(run.seed < plan.looks[-1] for run in grid.runs),
        lost=lost,
        against=against,
    )
    return schema.Verdict(
        kind=found.kind,
        title=words.TITLES[found.kind],
        words=told,
        seeds=found.seeds,
        mean=found.mean,
        lo=found.lo,
        hi=found.hi,
        diverged=len(diverged),
        baseline_arm_id=base.arm.id,
    )


def _lost(grid: ArmGrid, seeds: int) -> str:
    """The sentence of the first run under `seeds` that ended without a result."""
    for i, run in enumerate(grid.runs):
        ended = run.status in ("succeeded", "failed", "cancelled")
        if run.seed < seeds and ended and i not in grid.diverged and grid.exclusions[i] is not None:
            why = "was cancelled" if run.status == "cancelled" else "was lost"
            return f"Seed {run.seed} of {grid.arm.label} {why} and is no result; retry it."
    return ""


def _standing(looks: Sequence[schema.Look], following: int | None, left: float, racing: Sequence[Judged] | None) -> str:
    """racing: the verdicts of a race."""
    done = sum(look.done for look in looks)
    if racing is not None:
        settled = sum(one.kind in FINAL for one in racing)
        have = f"{settled} of {several(len(racing), 'arm')} {'has its' if settled == 1 else 'have their'} verdict"
        if following is not None:
            return f"Race: {have}. The others go on to {following} seeds by themselves; then is the next look."
        over = "no further seeds are needed" if settled == len(racing) else "its last look is drawn"
        return f"The race is over: {have}, {over}."
    if following is None:
        return f"All {several(done, 'look')} drawn: its error is spent." if done > 1 else "Drawn: its error is spent."
    spent_so_far = f"; {100 * left:.0f} % of the error is left" if done else ""
    return f"{done} of {several(len(looks), 'look')} drawn; the next is at {following} seeds{spent_so_far}."


def _exploratory(
    records: StudyRecords,
    plan: PlanSpec,
    bases: Sequence[int],
    names: Sequence[str],
    shown: tuple[str | None, str, str],
) -> list[str]:
    """What this comparison shows beyond the plan, a sentence each."""
    assert plan.seeds is not None
    assert plan.metric is not None
    (baseline, metric, clock), base = shown, bases[0]
    found = []
    if baseline is not None and baseline != records.arms[base].id:
        other = next(name for arm, name in zip(records.arms, names, strict=True) if arm.id == baseline)
        found.append(f"Differences are to {other}; the plan judges against {names[base]}.")
    if metric not in (plan.metric, "validation/loss"):
        found.append(f"Ranked by {METRICS[metric].words}; the plan judges by {METRICS[plan.metric].words}.")
    if clock not in (plan.clock, "last"):
        found.append(f"Shown {plan_words.CLOCKS[clock]}; the plan judges {plan_words.CLOCKS[plan.clock]}.")
    if plan.arms is not None:
        later = [name for arm, name in zip(records.arms, names, strict=True) if arm.label not in plan.arms]
        later = [name for name in later if name not in {names[i] for i in bases}]
        if later:
            verb = "is not judged" if len(later) == 1 else "are not judged"
            found.append(f"{several(len(later), 'arm')} of the study {verb} by the plan: {', '.join(later[:5])}.")
    seeds = max((run.seed + 1 for run in records.runs), default=0)
    if seeds > plan.seeds:
        beyond = several(seeds - plan.seeds, "seed")
        found.append(f"{beyond} beyond the plan's {plan.seeds}: in means and intervals, not in verdicts.")
    by_id = {arm.id: name for arm, name in zip(records.arms, names, strict=True)}
    if told := looked.sentence(records.explored, by_id):
        found.append(told)
    return found
