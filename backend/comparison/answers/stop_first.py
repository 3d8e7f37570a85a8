"""The free rival of every method, stopping in time: said before any method where it does as well."""

from dataclasses import replace

from backend.comparison import schema
from backend.comparison.words import amount, capital, p_value, plain
from backend.shared.metrics import METRICS

from .card import either, listed, spoken
from .contest import Contest
from .found import Found
from .overfits import lowest_between


def stop_first(contest: Contest, lowest: schema.ArmComparison, ended: Found) -> Found:
    """Return `ended`, which is of the last step, weighed against stopping; `lowest` has the lowest last loss."""
    known = [name for name in (contest.loss, "validation/loss") if _known(contest.baseline, name)]
    if not known:
        return _by_the_minimum(contest, lowest, ended)
    return _by_both_clocks(replace(contest, loss=known[0]), ended)


def _known(arm: schema.ArmComparison, loss: schema.SeriesName) -> bool:
    return arm.stopped is not None and loss in arm.stopped.last_against_stopped and loss in arm.stopped.final


def _by_both_clocks(contest: Contest, ended: Found) -> Found:
    """Weigh the last step against the baseline stopped in time, and every arm against it, each stopped as well."""
    baseline, loss, base = contest.baseline, contest.loss, spoken(contest.baseline)
    in_time, rival = contest.at("stopped"), contest.at("last_against_stopped")
    steady = [arm for arm in contest.others if not arm.counts.diverged]
    winners = [arm for arm in steady if in_time.better(arm, loss) and not in_time.seems_worse(arm, contest.score)]
    going_on = rival.differences(baseline)[loss]
    size = amount(going_on.mean or 0.0, going_on.half_width, loss)
    stopped = (
        f"{capital(base)} stopped at its best evaluation, {_near(baseline)}, has a {METRICS[loss].words} of "
        f"{in_time.final(baseline)}; {contest.final(baseline)} at its last step"
    )
    helps = rival.worse(baseline, loss)
    if helps:
        stopped += f", {size} higher ({p_value(going_on.p_holm)})"
    must = _must(contest, ended)
    if winners and (helps or ended.state != "holds" or ended.arm is baseline):
        first = in_time.leader(winners, loss) or winners[0]
        tied = in_time.ties(first, loss, winners)
        same = {arm.id for arm in ended.to_the_end} <= {arm.id for arm in (first, *tied)}
        headline = f"Use {either([first, *tied])}, stopped near step {_step(first):,.0f}.{'' if same else must}"
        why = f"{_lower(in_time, first)} {stopped}."
        return Found(headline, why, "holds", first, "stopped", _step(first), ended.to_the_end)
    if helps:
        within = contest.within("stopped")
        then = f"no method differs by {within} or more" if within else f"no method is shown to beat {base}"
        headline = f"Stop near step {_step(baseline):,.0f}; then {then}.{must}"
        why = f"{stopped}.{_no_better(in_time, rival)}{_at_the_end(contest, ended)}"
        return Found(headline, why, "holds", baseline, "stopped", _step(baseline), ended.to_the_end)
    so_far = " so far" if contest.plan is not None else ""
    told = f" {stopped}: stopping earlier is not shown to help{so_far}."
    if ended.state != "holds" or ended.arm is None or ended.arm is baseline:
        return replace(ended, why=ended.why + told)
    name, difference = spoken(ended.arm), rival.differences(ended.arm).get(loss)
    if difference is not None and rival.better(ended.arm, loss):
        told += f" {capital(name)} at its last step beats that, too ({p_value(difference.p_holm)})."
        return replace(ended, why=ended.why + told)
    headline = f"Use {name}, or {base} stopped near step {_step(baseline):,.0f}: they are not told apart."
    told += f" {capital(name)} at its last step is not told apart from that."
    return replace(ended, headline=headline, why=ended.why + told, state="undecided", decides=ended.arm)


def _must(contest: Contest, ended: Found) -> str:
    """Say whom to use where one must train to the end: who beats the baseline there."""
    if not ended.to_the_end:
        return ""
    return f" If you must train to step {contest.baseline.final_step or 0:,}: {either(ended.to_the_end)}."


def _at_the_end(contest: Contest, ended: Found) -> str:
    """Say by how much who is to be used at the end is lower there."""
    if not ended.to_the_end:
        return ""
    first = ended.to_the_end[0]
    difference = first.differences.get(contest.loss)
    if difference is None or difference.mean is None:
        return ""
    size = amount(difference.mean, difference.half_width, contest.loss)
    return f" Trained to the end, {spoken(first)} is {size} lower than {spoken(contest.baseline)} there."


def _step(arm: schema.ArmComparison) -> float:
    assert arm.stopped is not None
    return arm.stopped.step.median


def _near(arm: schema.ArmComparison) -> str:
    assert arm.stopped is not None
    step = arm.stopped.step
    if step.first == step.last:
        return f"step {step.first:,}"
    return f"near step {step.median:,.0f} (steps {step.first:,} to {step.last:,} over the seeds)"


def _lower(in_time: Contest, arm: schema.ArmComparison) -> str:
    """Say by how much an arm beats the baseline, both stopped, and who ties with it."""
    difference = in_time.differences(arm)[in_time.loss]
    size = amount(difference.mean or 0.0, difference.half_width, in_time.loss)
    ties = in_time.ties(arm, in_time.loss, in_time.others)
    return (
        f"Each stopped at its best evaluation, {spoken(arm)} has a {METRICS[in_time.loss].words} of "
        f"{in_time.final(arm)}, {size} lower than {spoken(in_time.baseline)}: larger than seeds alone explain on these "
        f"rows ({p_value(difference.p_holm)} after correction)."
    ) + (f" Not told apart from it: {listed(ties)}." if ties else "")


def _no_better(in_time: Contest, rival: Contest) -> str:
    """Say that no method is shown to beat the baseline stopped in time, and which of them come closest."""
    loss, base = in_time.loss, spoken(in_time.baseline)
    told = ""
    best = in_time.leader(in_time.others, loss)
    if best is not None:
        difference = in_time.differences(best)[loss]
        way = "lower" if (difference.mean or 0.0) < 0 else "higher"
        size = amount(difference.mean or 0.0, difference.half_width, loss)
        told = f" Stopped as well, no method is shown to be lower; the closest, {spoken(best)}, is {size} {way}."
    ended = [arm for arm in in_time.others if rival.better(arm, loss)]
    if ended:
        return f"{told} Lower than that at the last step: {listed(ended)}."
    return f"{told} No method's last step is shown to be lower than {base} stopped in time."


def _by_the_minimum(contest: Contest, lowest: schema.ArmComparison, ended: Found) -> Found:
    """Weigh by the minimum itself, which flatters: all that studies without halves can tell."""
    baseline = contest.baseline
    found, best = baseline.overfitting, baseline.best_validation.mean
    ends = lowest.final["validation/loss"].mean
    if found.step is None or 2 * found.k <= found.n or best is None or ends is None or best >= ends:
        return ended
    base, last = spoken(baseline), baseline.final["validation/loss"].mean
    name = "" if lowest is baseline else f" (the lowest there: {spoken(lowest)}, {plain(ends)})"
    first = (
        f"{capital(base)} reaches a validation loss of {plain(best)} {lowest_between(baseline)}, before it overfits "
        f"({plain(last)} at the end); no arm is as low at its last step{name}. That minimum is picked on the rows that "
        f"report it, so it flatters a little.{_at_the_end(contest, ended)}"
    )
    headline = f"Stop earlier: {base} is lowest {lowest_between(baseline)}.{_must(contest, ended)}"
    return Found(headline, first, "plain", baseline, "last", None, ended.to_the_end)
