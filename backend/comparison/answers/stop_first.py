"""The free rival of every method, stopping in time: said before any method where it does as well."""

from dataclasses import replace

from backend.comparison import schema
from backend.comparison.words import amount, capital, p_value, plain
from backend.shared.metrics import METRICS

from .card import card, listed, spoken
from .contest import Contest
from .overfits import lowest_between


def stop_first(contest: Contest, lowest: schema.ArmComparison, answer: schema.Answer) -> schema.Answer:
    """Return `answer`, which is that of the last step, weighed against stopping; `lowest` has the lowest last loss."""
    known = [name for name in (contest.loss, "validation/loss") if _known(contest.baseline, name)]
    if not known:
        return _by_the_minimum(contest, lowest, answer)
    return _by_both_clocks(replace(contest, loss=known[0]), answer)


def _known(arm: schema.ArmComparison, loss: schema.SeriesName) -> bool:
    return arm.stopped is not None and loss in arm.stopped.last_against_stopped and loss in arm.stopped.final


def _by_both_clocks(contest: Contest, answer: schema.Answer) -> schema.Answer:
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
    ended = f"\nTrained to the end: {answer.headline[0].lower()}{answer.headline[1:]}. {answer.text}"
    helps = rival.worse(baseline, loss)
    if helps:
        stopped += f", {size} higher ({p_value(going_on.p_holm)}).{_score(rival, baseline)}"
    if winners and (helps or answer.state != "holds"):
        first = in_time.leader(winners, loss) or winners[0]
        text = f"{_lower(in_time, first)} {stopped.rstrip('.')}.{ended}"
        return card("use", f"Use {spoken(first)}, stopped in time", text, "holds", first, answer.advice)
    if helps:
        text = stopped + _no_better(in_time, rival) + ended
        return card("use", "Stop earlier", text, "holds", baseline, answer.advice)
    told = f" {stopped}: stopping earlier is not shown to help{' so far' if contest.standing else ''}."
    named = next((arm for arm in contest.others if arm.id == answer.arm_id), None)
    if answer.state != "holds" or named is None:
        return answer.model_copy(update={"text": answer.text + told})
    difference = rival.differences(named).get(loss)
    if difference is not None and rival.better(named, loss):
        told += f" {capital(spoken(named))} at its last step beats that, too ({p_value(difference.p_holm)})."
        return answer.model_copy(update={"text": answer.text + told})
    headline = f"{capital(spoken(named))}, or {base} stopped in time"
    told += f" {capital(spoken(named))} at its last step is not told apart from that."
    return answer.model_copy(update={"headline": headline, "text": answer.text + told, "state": "undecided"})


def _near(arm: schema.ArmComparison) -> str:
    assert arm.stopped is not None
    step = arm.stopped.step
    if step.first == step.last:
        return f"step {step.first:,}"
    return f"near step {step.median:,.0f} (steps {step.first:,} to {step.last:,} over the seeds)"


def _lower(in_time: Contest, arm: schema.ArmComparison) -> str:
    """Say by how much an arm beats the baseline, both stopped, what that does to the score, and who ties with it."""
    difference = in_time.differences(arm)[in_time.loss]
    size = amount(difference.mean or 0.0, difference.half_width, in_time.loss)
    ties = in_time.ties(arm, in_time.loss, in_time.others)
    return (
        f"Each stopped at its best evaluation, {spoken(arm)} has a {METRICS[in_time.loss].words} of "
        f"{in_time.final(arm)}, {size} lower than {spoken(in_time.baseline)}: larger than seeds alone explain on these "
        f"rows ({p_value(difference.p_holm)} after correction).{in_time.of_score(arm)}"
    ) + (f" Not told apart from it: {listed(ties)}." if ties else "")


def _score(rival: Contest, arm: schema.ArmComparison) -> str:
    told = rival.of_score(arm).removeprefix(" ")
    return f" At the last step {told[0].lower()}{told[1:]}" if told else ""


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


def _by_the_minimum(contest: Contest, lowest: schema.ArmComparison, answer: schema.Answer) -> schema.Answer:
    """Weigh by the minimum itself, which flatters: all that studies without halves can tell."""
    baseline = contest.baseline
    found, best = baseline.overfitting, baseline.best_validation.mean
    ends = lowest.final["validation/loss"].mean
    if found.step is None or 2 * found.k <= found.n or best is None or ends is None or best >= ends:
        return answer
    base, last = spoken(baseline), baseline.final["validation/loss"].mean
    name = "" if lowest is baseline else f" (the lowest there: {spoken(lowest)}, {plain(ends)})"
    first = (
        f"{capital(base)} reaches a validation loss of {plain(best)} {lowest_between(baseline)}, before it overfits "
        f"({plain(last)} at the end); no arm is as low at its last step{name}. That minimum is picked on the rows that "
        "report it, so it flatters a little."
    )
    trained = f"\nTrained to the end: {answer.headline[0].lower()}{answer.headline[1:]}. {answer.text}"
    return card("use", "Stop earlier", first + trained, "plain", baseline, answer.advice)
