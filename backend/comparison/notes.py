"""What stands under the comparison: how far the study is, and what its numbers do and do not say."""

from collections.abc import Iterator, Sequence

from backend.shared.metrics import METRICS

from . import schema
from .arms import counts
from .only_guesses import only_guesses
from .words import ALPHA, several


def progress(arms: Sequence[schema.ArmComparison]) -> schema.Progress:
    """Return how far the study is."""
    excluded, diverged = (sum(getattr(arm.counts, name) for arm in arms) for name in ("excluded", "diverged"))
    total = counts((run.status for arm in arms for run in arm.runs), excluded, diverged)
    seeds = {run.seed for arm in arms for run in arm.runs}
    ended = {"succeeded", "failed", "cancelled"}
    finished = [{run.seed for run in arm.runs if run.finished} for arm in arms]
    common = set.intersection(*finished) if finished else set()
    complete = bool(arms) and total.total > 0 and all(run.status in ended for arm in arms for run in arm.runs)
    first = bool(arms) and all(finished)
    done = total.succeeded + total.failed + total.cancelled
    sentence = f"{done:,} of {several(total.total, 'run')} ended"
    if total.failed:
        sentence += f", {total.failed:,} of them failed"
    if complete:
        sentence += "."
    elif first:
        sentence += f"; first complete comparison of all arms, {len(common)} of {several(len(seeds), 'seed')} finished."
    else:
        sentence += "; not every arm has a finished run yet."
    return schema.Progress(
        runs=total,
        first_complete=first,
        complete=complete,
        seeds=len(seeds),
        seeds_complete=len(common),
        sentence=sentence,
    )


def notes(
    arms: Sequence[schema.ArmComparison],
    baseline: schema.ArmComparison | None,
    metric: schema.SeriesName,
    standing: schema.Progress,
    own_baseline: str | None = None,
) -> list[str]:
    """Return the footnotes, the general ones first; `own_baseline` is the arm that the study names as its baseline."""
    return list(_notes(arms, baseline, metric, standing, own_baseline))


def _notes(
    arms: Sequence[schema.ArmComparison],
    baseline: schema.ArmComparison | None,
    metric: schema.SeriesName,
    standing: schema.Progress,
    own_baseline: str | None = None,
) -> Iterator[str]:
    others = [arm for arm in arms if not arm.is_baseline]
    yield (
        f"Intervals are 95 % t intervals over seeds, unadjusted. Holm's correction for {several(len(others), 'arm')} "
        "applies to the p values of the paired t tests, separately for each quantity."
    )
    yield (
        "Arms share seeds, so they are compared by per-seed differences. Intervals over seeds speak of this model, "
        "these rows and this validation set only."
    )
    yield (
        "The gap is validation loss minus probe loss (a fixed part of the training rows), both with dropout off and "
        "averaged alike. A small gap alone can also mean that a method learns less: read it beside the validation "
        "loss."
    )
    yield from _clocks(arms)
    if any(arm.overfitting.rule == "every_look" and arm.overfitting.n for arm in arms):
        yield (
            "Overfitting is judged look by look, since no halves of the validation rows were recorded: a gradual rise "
            "is found less often the more often a run was evaluated."
        )
    yield "Equal steps are not equal compute: seconds and FLOPs stand beside every arm."
    if baseline is not None and own_baseline is not None and baseline.id != own_baseline:
        yield (
            f"Compared with {baseline.name}, not with the study's own baseline: a comparison chosen after a look at "
            "the data is exploratory, and its chance of a false difference is larger than stated."
        )
    if metric != "validation/loss":
        yield f"Ranked by {METRICS[metric].words}; a quantity that was chosen after a look at the data is exploratory."
    if any("validation/bleu" in arm.final for arm in arms):
        yield (
            "Scores of generated texts (BLEU, chrF, TER, ROUGE-L) are of few validation prompts, the same for every "
            "run. What a run answers to each is not kept, so there is no standard error over prompts: intervals over "
            "seeds speak of these prompts only."
        )
    if any("test/loss" in arm.final for arm in arms):
        yield (
            "Test rows are held-out rows beside the validation rows: nothing is chosen on them. They are measured "
            "after the last step, and are the same for every seed."
        )
    elif _picks_rates(arms):
        yield (
            "Several arms differ in rate, rank or learning rate only. The best of them is picked on this validation "
            "set; confirm it on other data before reporting its value, or set `test_rows` apart from the start."
        )
    pairs = [difference.smallest_p for arm in others for difference in arm.differences.values() if difference.n > 1]
    too_few = [p for p in pairs if p is not None and p > ALPHA]
    if too_few:
        yield (
            f"n is too small for the sign-flip test: the smallest reachable p is {max(too_few):.4g}. The paired t test "
            "assumes that differences between seeds are about normal."
        )
    yield from _guessing(arms)
    yield from _excluded(arms)
    yield from _other_steps(others, baseline)
    if not standing.complete:
        yield "The study is not complete: every number may still change."


def _clocks(arms: Sequence[schema.ArmComparison]) -> Iterator[str]:
    """Say what runs are judged at, and how a run stopped in time is kept from flattering."""
    if not any(arm.stopped is not None for arm in arms):
        yield (
            "The primary comparison is the last evaluation. The best validation loss of a run is optimistic: it is "
            "picked on the rows it is measured on."
        )
        return
    yield (
        "A run is judged at two clocks: last, at its last evaluation, and stopped, at its best one. Values stopped in "
        "time are chosen on one half of the validation rows and reported on the other, both ways; test rows are "
        "measured with the adapter that was kept."
    )
    yield (
        "Each clock is a family of its own in Holm's correction, and so is the comparison of last steps with the "
        "baseline stopped in time: who picks the best of all three looks three times."
    )


def _picks_rates(arms: Sequence[schema.ArmComparison]) -> bool:
    return any(arm.variant > 0 for arm in arms)


def _guessing(arms: Sequence[schema.ArmComparison]) -> Iterator[str]:
    guessing = [arm.name for arm in arms if only_guesses(arm)]
    if guessing:
        yield (
            f"One and the same label for all validation rows, in every finished seed: {', '.join(guessing)}. A guess "
            "would score as well; differences in loss tell how sure it is, not how much was learned."
        )


def _excluded(arms: Sequence[schema.ArmComparison]) -> Iterator[str]:
    ended = ("succeeded", "failed", "cancelled")
    left_out = [(arm, run) for arm in arms for run in arm.runs if run.reason is not None and run.status in ended]
    if not left_out:
        return
    listed = "; ".join(f"{arm.name}, seed {run.seed}: {run.reason}" for arm, run in left_out[:5])
    more = f"; and {len(left_out) - 5:,} more" if len(left_out) > 5 else ""
    yield f"{several(len(left_out), 'run')} left out of the final values ({listed}{more})."


def _other_steps(others: Sequence[schema.ArmComparison], baseline: schema.ArmComparison | None) -> Iterator[str]:
    if baseline is None:
        return
    for arm in others:
        difference = arm.differences.get("validation/loss")
        if difference is not None and arm.epochs != baseline.epochs and arm.final_step and baseline.final_step:
            yield (
                f"{arm.name} trains for {arm.final_step:,} steps and {baseline.name} for {baseline.final_step:,}: each "
                "is judged at its own end."
            )
        if difference is None or difference.step is None or not arm.final_step or not baseline.final_step:
            continue
        if difference.step != arm.final_step or difference.step != baseline.final_step:
            yield (
                f"{arm.name} and {baseline.name} do not end at the same step: they are compared at step "
                f"{difference.step}, the last evaluation both have."
            )
