"""How sure the verdict is: the plan's look, seeds and rows, what it does not speak of, and what would decide."""

from collections.abc import Sequence

from backend.comparison import schema
from backend.comparison.statistics.power import CAP, seeds_needed
from backend.comparison.words import ALPHA, DECIDES_FROM, plain, seeds_sentence, several
from backend.shared.metrics import METRICS
from backend.studies.plan import metrics as usual
from backend.studies.plan.words import size

from .contest import Contest
from .found import Found

MOST_SEEDS = 64  # of a study


def line(contest: Contest, found: Found) -> str:
    """Say what stands behind the verdict, in two sentences or three."""
    seeds = max(
        (arm.differences[contest.loss].n for arm in contest.others if contest.loss in arm.differences), default=0
    )
    if seeds < DECIDES_FROM:
        return ""
    rows = f" on {several(contest.rows, 'held-out row')}" if contest.rows else ""
    told = f"{several(seeds, 'seed')}{rows}: this weighs the luck of seeds, for this model and these rows only."
    if contest.plan is not None:
        return f"{told} The plan: {contest.plan.standing[0].lower()}{contest.plan.standing[1:]}"
    told += " No plan was declared before the first run, so looking again raises the chance of a false difference."
    if found.state == "undecided" and found.decides is not None:
        lead = found.decides.differences.get(contest.loss)
        if lead is not None:
            told += f" {seeds_sentence(lead.seeds_needed_holm, varies=lead.p_t is not None)}"
    return told


def further(contest: Contest, found: Found) -> schema.Further | None:
    """Return the study that could tell a difference that matters, by the largest spread that was measured here."""
    plan = contest.plan
    metric, clock = (contest.loss, found.clock) if plan is None else (plan.metric, plan.clock)
    smallest = usual.smallest(metric, contest.task) if plan is None else plan.smallest
    judged = contest.at(clock)
    told = [one for arm in contest.others if (one := judged.differences(arm).get(metric)) is not None]
    spread = max((one.sd for one in told if one.sd and one.n >= DECIDES_FROM), default=None)
    if spread is None or smallest is None:
        return None
    arms = len(told)
    needed = seeds_needed(smallest, spread, ALPHA / arms)
    return schema.Further(
        metric=metric,
        clock=clock,
        smallest=smallest,
        sd=spread,
        seeds=None if needed is None or needed > MOST_SEEDS else max(needed, DECIDES_FROM),
        sentence=_sentence(needed, smallest, spread, metric, told),
    )


def _sentence(
    needed: int | None, smallest: float, spread: float, metric: schema.SeriesName, told: Sequence[schema.Difference]
) -> str:
    share = 100.0 if METRICS[metric].shown == "share" else 1.0
    unit = " points" if share > 1 else ""
    arms = "one arm" if len(told) == 1 else f"{len(told)} arms"
    many = f"more than {CAP:,} seeds" if needed is None else several(needed, "seed")
    return (
        f"To tell a difference of {size(smallest, metric)} for {arms} at once, where differences spread by "
        f"{plain(share * spread, share * spread)}{unit} over seeds as the widest did here, takes about {many}: four "
        "such studies of five find it."
    )
