"""What the engine promises beside speed: memory, no growth, cost in proportion, and a first step at once.

    python -m tests.bench.limits                      all five, about 10 minutes on two cores
    python -m tests.bench.limits --only latency

memory: resident size of one worker's trainer with 12 MiniLM slots in a pack.  growth: the same after 20 and after 200
short runs.  linear: wall time a run in studies of 12, 48 and 96 runs, start-up left out.  latency: from `POST studies`
to the first recorded step on a warm worker, median of 10, through the whole embedded stack.  server:
peak resident size of the web server over a study of 640 runs whose page somebody follows. Exit code 1 where a bar
is missed, 2 where other programs took more than 5 % of the machine meanwhile (what is resident holds all the same).
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil
from transformer_dropout import PRESETS

from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import PackDone, Ready, Stop
from tests.bench import server_memory
from tests.bench.engine import cut
from tests.bench.engine_side import Work, arm, command, prepare, time_study
from tests.e2e import stack
from worker.supervisor.trainer_process import TRAINER, TrainerProcess

MEMORY_GIB, GROWTH, SPREAD, LATENCY_S, SERVER_MIB = 1.6, 0.05, 0.10, 1.5, 200
SLOTS, SHORT_RUNS, SIZES, TRIES = 12, 200, (12, 48, 96), 10


@contextmanager
def prepared(texts: str, **less: int) -> Iterator[tuple[Path, Work]]:
    """A data folder with rows of one kind of text, fewer where `less` says so."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        work = replace(cut(home, texts), **less)
        prepare(home, work)
        yield home, work


def memory() -> bool:
    """Peak resident size with 12 slots of long texts, all presets that differ in what they keep."""
    with prepared("long", epochs=1, evaluations=1) as (home, work):
        methods = [name for name in PRESETS if name != "none"][:SLOTS]
        peak = max(_resident(home, [{name: arm(home, work, name) for name in methods}]))
    return _judge("memory", f"{peak:.2f} GiB resident with {SLOTS} slots", peak <= MEMORY_GIB, f"{MEMORY_GIB} GiB")


def growth() -> bool:
    """Resident size after 20 short runs and after 200, each of another seed: new rows, so new shapes of matrices."""
    with prepared("short", train_rows=64, validation_rows=16, epochs=8, evaluations=1) as (home, work):
        packs = [{f"run-{n}": arm(home, work, "hiddenkey_minus")} for n in range(SHORT_RUNS)]
        sizes = _resident(home, packs)
    early, late = sizes[19], sizes[-1]
    more = late / early - 1
    return _judge("growth", f"{early:.3f} -> {late:.3f} GiB, {more:+.1%} over {SHORT_RUNS} runs", more <= GROWTH, "5 %")


def linear() -> bool | None:
    """Wall time a run in small and large studies; None where the machine was busy."""
    with prepared("short", train_rows=128, validation_rows=64, epochs=2, evaluations=2) as (home, work):
        time_study(home, work, "hiddenkey_minus", 4)  # builds what is built once a machine
        times = {runs: time_study(home, work, "hiddenkey_minus", runs) for runs in SIZES}
    per_run = {runs: found.per_run_ready for runs, found in times.items()}
    spread = max(per_run.values()) / min(per_run.values()) - 1
    words = ", ".join(f"{seconds:.3f} s at {runs}" for runs, seconds in per_run.items())
    if any(found.span.busy for found in times.values()):
        print(f"linear: {words}; other programs were running, so this judges nothing")
        return None
    return _judge("linear", f"a run takes {words} runs: {spread:.1%} apart", spread <= SPREAD, "10 %")


def latency() -> bool:
    """Seconds from the post of a study to its first recorded step."""
    study = {**stack.STUDY, "seeds": 1, "arms": [{"method": "none"}, {"method": "hiddenkey"}]}
    with tempfile.TemporaryDirectory() as folder:
        running = stack.start(Path(folder))
        try:
            running.wait(running.queue({**study, "seeds": 2}))  # both workers are warm after this
            found = [_first_step(running, {**study, "name": f"latency {number}"}) for number in range(TRIES)]
        finally:
            running.process.terminate()
            running.process.wait(30)
    words = f"median {median(found):.2f} s of {TRIES} ({min(found):.2f} to {max(found):.2f})"
    return _judge("latency", words, median(found) <= LATENCY_S, f"{LATENCY_S} s")


def server() -> bool:
    """Resident size of the web server over 640 runs."""
    sizes = server_memory.resident()
    words = (
        f"{sizes[0]:.0f} MiB before, {max(sizes):.0f} MiB at most over {server_memory.ARMS * server_memory.SEEDS} runs"
    )
    return _judge("server", words, max(sizes) <= SERVER_MIB, f"{SERVER_MIB} MiB")


def _first_step(running: stack.Stack, study: dict[str, object]) -> float:
    with running.http as http:
        begun = time.perf_counter()
        study_id = running.queue(study)
        while True:
            runs = http.get(f"/api/v1/studies/{study_id}/runs").json()["items"]
            if any(run["step"] >= 1 for run in runs):
                seconds = time.perf_counter() - begun
                break
            time.sleep(0.02)
    running.wait(study_id)
    return seconds


def _resident(home: Path, packs: Sequence[dict[str, ArmKeySpec]]) -> list[float]:
    """Peak GiB of one trainer after each pack: the largest seen in the first, what stays in the later ones."""
    trainer = TrainerProcess(TRAINER, home / "bench" / "trainer.log")
    process = psutil.Process(trainer.pid)
    waiting, sizes, peak = list(packs), [], 0
    try:
        while not trainer.gone:
            events = trainer.read(0.05)
            peak = max(peak, process.memory_info().rss)
            for event in events:
                if isinstance(event, PackDone):
                    sizes.append(peak / 2**30)
                    peak = 0
                if isinstance(event, Ready | PackDone):
                    if not waiting:
                        trainer.send(Stop())
                        return sizes
                    trainer.send(command(home, waiting.pop(0), seed=len(sizes)))
    finally:
        trainer.close(grace_s=5.0)
    raise RuntimeError(f"the trainer ended early: {trainer.tail()}")


def _judge(name: str, words: str, holds: bool, bar: str) -> bool:
    print(f"{name}: {words} (bar {bar}{'' if holds else ', missed'})", flush=True)
    return holds


CHECKS = {"memory": memory, "growth": growth, "linear": linear, "latency": latency, "server": server}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(CHECKS), choices=CHECKS)
    verdicts = [CHECKS[name]() for name in parser.parse_args().only]
    if None in verdicts:
        return 2
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
