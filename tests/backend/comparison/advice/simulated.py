"""Whole studies, made up, through the product's comparison: what it advises where it is known who is better.

`python -m tests.backend.comparison.advice.simulated STUDIES` prints the figures of docs/lab-log.md.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from backend.comparison.build import build
from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import Floats, StudyRecords
from backend.shared.run_status import FailureCode
from tests.backend.comparison.plan.simulated import KINDS, Kind, values
from tests.backend.make_records import DEMO, study, with_halves

MATTERS = 0.02  # nats: a standard deviation of the difference between two arms over the seeds
LOOKS = (3, 5, 8)
WORSE = 1.25  # in what matters: worse by more than that
PLAN = {"baseline": "none", "metric": "validation/loss", "clock": "last", "smallest": MATTERS}


@dataclass(frozen=True)
class Way:
    """How a study is followed. looks: of its plan.  seen: numbers of seeds at which its page is read."""

    name: str
    looks: tuple[int, ...] | None
    seen: tuple[int, ...]


WAYS = (
    Way("plan of one look, read at its end", (5,), (5,)),
    Way("looks at 3, 5 and 8, each read", LOOKS, LOOKS),
    Way("watched after every seed", LOOKS, tuple(range(1, 9))),
    Way("extended twice beyond its plan", (5,), (5, 8, 12)),
    Way("no plan, read at its end", None, (5,)),
)


def records(kind: Kind, rng: np.random.Generator, seeds: int, shift: Floats) -> StudyRecords:
    """Return a finished study of eight arms; `shift` [7] is how much worse each is than the baseline, in what matters.

    The loss falls and rises a little; a run's luck is its own at all evaluations, with noise of its halves and looks.
    """
    luck = values(kind, rng, seeds)
    luck[1:] += shift[:, None]
    made = study([replace(plan, rise=0.05) for plan in DEMO], seeds=seeds, evaluations=4, noise=0.0)
    table = made.evaluations
    arm = table.run % len(DEMO)
    own = MATTERS * np.where(np.isfinite(luck), luck, 0.0)[arm, table.run // len(DEMO)]
    loss = table.metrics["validation/loss"] + own + rng.normal(0, 0.003, len(own))
    score = table.metrics["validation/accuracy"] - own / 4 + rng.normal(0, 0.003, len(own))
    metrics = {**table.metrics, "validation/loss": loss, "validation/accuracy": score}
    made = with_halves(replace(made, evaluations=replace(table, metrics=metrics)), noise=0.004)
    lost = {"status": "failed", "failure_code": FailureCode.LOSS_NAN}
    runs = [
        run if np.isfinite(luck[i % len(DEMO), run.seed]) else replace(run, **lost)  # type: ignore[arg-type]
        for i, run in enumerate(made.runs)
    ]
    return replace(made, runs=tuple(runs), baseline_arm_id="arm-0")


def read(whole: StudyRecords, way: Way) -> Iterator[Comparison]:
    """Yield the comparisons that somebody sees who reads the page as the seeds come in."""
    plan = None if way.looks is None else {**PLAN, "looks": way.looks, "seeds": way.looks[-1]}
    for seeds in way.seen:
        runs = tuple(run if run.seed < seeds else replace(run, status="running") for run in whole.runs)
        yield build(replace(whole, runs=runs, plan=plan))


def advised(found: Comparison) -> str | None:
    """The arm that the first answer is for, where it is not the baseline."""
    arm = found.answers[0].arm_id
    return None if arm == found.baseline_arm_id else arm


def share(kind: Kind, way: Way, studies: int, shift: Callable[[int], Floats]) -> float:
    """The share of studies in which an arm is advised, at any reading, that is worse by more than matters."""
    rng = np.random.default_rng(20240812 + KINDS.index(kind))
    wrong = 0
    for _ in range(studies):
        truth = shift(len(DEMO) - 1)
        worse = {f"arm-{i + 1}" for i in np.flatnonzero(truth > 1.0)}
        whole = records(kind, rng, way.seen[-1], truth)
        wrong += any(advised(found) in worse for found in read(whole, way))
    return wrong / studies


def all_worse(arms: int) -> Floats:
    """Every arm is worse by more than matters."""
    return np.full(arms, WORSE)


def one_worse(arms: int) -> Floats:
    """Half of the arms do not differ, the others are worse by more than matters."""
    return np.where(np.arange(arms) % 2 == 0, WORSE, 0.0)


def main(studies: int) -> None:
    """Print the shares of wrong advice for each kind of noise and each way to follow a study."""
    for way in WAYS:
        for kind in KINDS:
            told = ", ".join(f"{one.__name__} {share(kind, way, studies, one):.3f}" for one in (all_worse, one_worse))
            sys.stdout.write(f"{way.name}; {kind.name}: {told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
