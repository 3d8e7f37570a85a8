"""Our side of `make bench`: the same rows through two trainer processes, as two workers would have them."""

import json
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformer_dropout import preset

from backend.shared.catalogue import require_dataset, require_model
from backend.shared.specs import ArmKeySpec, DatasetRef, RunSpec, TrainingSpec
from backend.shared.trainer_protocol import Finished, PackDone, PackedRun, Ready, Start, Stop
from tests.bench.machine import Span, Stopwatch
from tests.worker.data.stored import store
from worker.supervisor.trainer_process import TRAINER, TrainerProcess

MODEL, LAYERS, WORKERS = "minilm-l6", 6, 2


@dataclass(frozen=True)
class Work:
    """What both sides do: rows, steps and evaluations of one run."""

    name: str
    folder: Path  # holds train.jsonl and validation.jsonl with just the rows in use
    texts: tuple[str, ...]
    train_rows: int
    validation_rows: int
    max_length: int
    epochs: int = 3
    batch_size: int = 16
    evaluations: int = 3


@dataclass(frozen=True)
class EngineTime:
    """A study's wall seconds, start-up included, and from when both workers were ready."""

    span: Span
    ready: float
    runs: int

    def per_run(self, runs: int) -> float:
        """Seconds that a run takes in a study of `runs`, all its workers together, where start-up counts once."""
        return (self.span.wall - self.ready) / runs + self.per_run_ready

    @property
    def per_run_ready(self) -> float:
        """The same without the start-up."""
        return self.ready / self.runs


def prepare(home: Path, work: Work) -> None:
    """Register the rows in a data folder."""
    rows = []
    for split in ("train", "validation"):
        for line in (work.folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts = dict(zip(("text", "text_pair"), (row[name] for name in work.texts), strict=False))
            rows.append((split, {**texts, "label": str(row["label"])}))
    store(home, work.name, "classification", rows)


def arm(home: Path, work: Work, method: str, **training: Any) -> ArmKeySpec:
    """One arm on these rows, with the yardstick's settings: rank 8, learning rate 5e-4, all evaluations, no slice."""
    model, data = require_model(home, MODEL), require_dataset(home, work.name)
    spec = preset(method)
    if method == "adapter_dropout":
        spec = type(spec).from_dict(
            {**spec.to_dict(), "native": True}
        )  # the stock model's dropout is on in the yardstick
    settings = {
        "epochs": work.epochs,
        "batch_size": work.batch_size,
        "learning_rate": 5e-4,
        "max_length": work.max_length,
        "evaluations": work.evaluations,
        "dropout_on_rows": 0,
        **training,
    }
    return ArmKeySpec(
        model=model.ref,
        dataset=DatasetRef(id=data.id, content_hash=data.content_hash),
        task="classification",
        train_rows=work.train_rows,
        validation_rows=work.validation_rows,
        probe_rows=min(work.train_rows, work.validation_rows),
        method_name=method,
        method=spec.resolve(LAYERS, False).to_dict(),
        rank=8,
        alpha=16,
        target_modules=("query", "value"),
        training=TrainingSpec(**settings),
    )


def time_study(
    home: Path, work: Work, method: str, runs: int, *, trainer: Sequence[str] = TRAINER, **training: Any
) -> EngineTime:
    """Train `runs` seeds of a method on two workers that start cold, with nothing tokenised yet.

    trainer: the command of the workers' trainers.
    """
    shutil.rmtree(home / "cache" / "tokens", ignore_errors=True)
    shutil.rmtree(home / "bench", ignore_errors=True)
    spec = arm(home, work, method, **training)
    said: list[Finished] = []
    ready: list[float] = []
    watch = Stopwatch()
    threads = [
        threading.Thread(target=_serve, args=(home, spec, range(worker, runs, WORKERS), worker, said, ready, trainer))
        for worker in range(WORKERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    span = watch.stop()
    if len(said) != runs:
        raise RuntimeError(f"only {len(said)} of {runs} runs finished; see {home / 'bench'}")
    return EngineTime(span, time.perf_counter() - max(ready), runs)


def _serve(
    home: Path,
    spec: ArmKeySpec,
    seeds: Sequence[int],
    worker: int,
    said: list[Finished],
    ready: list[float],
    trainer_command: Sequence[str],
) -> None:
    """Start one trainer, hand it its runs one pack after the other, and end it."""
    trainer = TrainerProcess(trainer_command, home / "bench" / f"trainer-{worker}.log")
    waiting = [command(home, {f"run-{seed}": spec}, seed) for seed in seeds]
    try:
        while not trainer.gone:
            for event in trainer.read(1.0):
                if isinstance(event, Finished):
                    said.append(event)
                if isinstance(event, Ready):
                    ready.append(time.perf_counter())
                if isinstance(event, Ready | PackDone):
                    if not waiting:
                        trainer.send(Stop())
                        return
                    trainer.send(waiting.pop(0))
    finally:
        trainer.close(grace_s=5.0)


def command(home: Path, arms: Mapping[str, ArmKeySpec], seed: int) -> Start:
    """The command that trains these arms together as one pack; run ids are the keys."""
    runs = []
    for name, spec in arms.items():
        folder = home / "bench" / name
        folder.mkdir(parents=True, exist_ok=True)
        runs.append(PackedRun(run_id=name, fence=1, spec=RunSpec(arm=spec, seed=seed), folder=str(folder)))
    return Start(claim_id="pack", home=str(home), runs=tuple(runs))
