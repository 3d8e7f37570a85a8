"""What the ledger of rows and the kept adapter cost a short study, beside the same study without them.

    python -m tests.bench.ledger                        about 8 minutes on two cores

12 seeds of MiniLM on 256 rows of sst2, three epochs with an evaluation each, on two workers: with the product's trainer
that keeps both adapters, and with one that writes no ledger and keeps the last adapter only. Both alternate (A B A B),
medians over rounds; start-up is left out. Exit code 1 where the cost is over 3 %, 2 where other programs took more than
5 % of the machine meanwhile, so that the figures judge nothing.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from tests.bench.engine import cut
from tests.bench.engine_side import prepare, time_study
from worker.supervisor.trainer_process import TRAINER

PLAIN = (*TRAINER[:-1], "tests.bench.plain_trainer")
MOST, RUNS = 0.03, 12


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {"with": [], "without": []}
    busy = False
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        work = replace(cut(home, "short"), train_rows=256)
        prepare(home, work)
        time_study(home, work, "adapter_dropout", 2)  # builds what is built once a machine
        for _ in range(rounds):
            for name, trainer, keep in (("with", TRAINER, "both"), ("without", PLAIN, "last")):
                found = time_study(home, work, "adapter_dropout", RUNS, trainer=trainer, keep=keep)
                times[name].append(found.per_run_ready)
                busy = busy or found.span.busy
                print(f"{name}: {found.per_run_ready:.3f} s a run", flush=True)
    with_it, without = median(times["with"]), median(times["without"])
    cost = with_it / without - 1
    print(f"ledger and kept adapter: {with_it:.3f} against {without:.3f} s a run, {cost:+.1%} (bar {MOST:.0%})")
    if busy:
        print("Other programs were running: this judges nothing.")
        return 2
    return 0 if cost <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
