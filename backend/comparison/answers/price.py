"""What the advice costs: time and arithmetic against the baseline, and what stopping saves."""

from backend.comparison import schema
from backend.comparison.words import capital, times

from .card import spoken
from .contest import Contest
from .found import Found

SAME_COST = 0.05  # factors closer to 1 than this are the same: workers are never equally fast


def line(contest: Contest, found: Found) -> str:
    """Say what the advised arms cost, "" where nothing was measured."""
    told = []
    last = contest.baseline.final_step
    if found.step is not None and last and found.step < last:
        saved = 100 * (1 - found.step / last)
        told.append(f"Stopping near step {found.step:,.0f} of {last:,} saves {saved:.0f} % of the training.")
    named = [] if found.arm is None or found.arm is contest.baseline else [found.arm]
    named += [arm for arm in found.to_the_end if arm not in named]
    told += [one for arm in named[:2] if (one := _of(contest, arm))]
    if not named and found.arm is contest.baseline:
        dearest = max(contest.others, key=lambda arm: arm.compute.seconds_factor or 0.0, default=None)
        factor = None if dearest is None else dearest.compute.seconds_factor
        if dearest is not None and factor is not None and factor > 1 + SAME_COST:
            told.append(
                f"{capital(spoken(contest.baseline))} costs nothing more; {spoken(dearest)} {times(factor)} the time."
            )
    return " ".join(told)


def _of(contest: Contest, arm: schema.ArmComparison) -> str:
    seconds, flops = arm.compute.seconds_factor, arm.compute.flops_factor
    if seconds is None:
        return ""
    base = spoken(contest.baseline)
    time = f"as long as {base}" if abs(seconds - 1) < SAME_COST else f"{times(seconds)} as long as {base}"
    work = "" if flops is None or abs(flops - 1) < SAME_COST else f", {times(flops)} the arithmetic (FLOPs)"
    return f"{capital(spoken(arm))} trains {time}{work}."
