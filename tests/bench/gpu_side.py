"""Our side of `make bench-gpu`: one study, step times of methods, or the kernels of one step; a JSON line on its end.

    python -m tests.bench.gpu_side study --shape roberta-base
    python -m tests.bench.gpu_side steps --shape roberta-base
    python -m tests.bench.gpu_side kernels --shape roberta-base

Random weights of the real classes and random tokens; the lengths are those of the yardstick's synthetic rows. A study
is 12 arms of one seed that differ in their learning rates, adapter dropout .1 with the model's own dropout on: what the
yardstick trains one by one. It counts building the model, the look at the memory, steps, evaluations and checkpoints.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import transformers
from torch import nn
from transformer_dropout import DropoutSpec, preset

from backend.shared.specs import ArmKeySpec, DatasetRef, ModelRef, RunSpec, Task, TrainingSpec
from backend.shared.trainer_protocol import Examples, PackedRun
from worker.data import batches
from worker.data.draw import SeedData
from worker.data.rows import Rows
from worker.engine.batches import Reading, evaluation_batches
from worker.engine.flops import step_flops
from worker.engine.loop import Group, train
from worker.engine.place import Place
from worker.engine.reporter import Reporter
from worker.engine.seed_batches import HeldOut, SeedBatches
from worker.engine.slot import Slot
from worker.engine.stacked.form import StackedForm
from worker.engine.stacked.memory import measured_slots
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.shape import StackShape
from worker.engine.stacked.stack import Stack

SLOTS, BATCH, ROWS, EPOCHS, EVALUATIONS = 12, 16, 512, 3, 3
LENGTHS = (64, 128)  # mean and longest
TINY_SLOTS, TINY_ROWS, TINY_LENGTHS = 3, 32, (12, 24)
METHODS = ("none", "hiddenkey_minus", "hiddenkey")
TARGETS = ("query", "value", "q_proj", "v_proj")


@dataclass(frozen=True)
class Form:
    """A model to build: layers, width, and whether it is a decoder."""

    layers: int
    width: int
    decoder: bool = False
    words: int = 32000  # of a decoder, which pays for them at every judged token


SHAPES = {"roberta-base": Form(12, 768), "roberta-large": Form(24, 1024), "llama-1.1b": Form(22, 2048, True)}
TINY = {"roberta-base": Form(2, 128), "roberta-large": Form(3, 128), "llama-1.1b": Form(2, 128, True, 1200)}


def build(form: Form, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Random weights; RoBERTa's or Llama's own class."""
    config: Any
    if form.decoder:
        config = transformers.LlamaConfig(
            vocab_size=form.words,
            hidden_size=form.width,
            intermediate_size=5632 * form.width // 2048,
            num_hidden_layers=form.layers,
            num_attention_heads=form.width // 64,
            num_key_value_heads=max(1, form.width // 512),
            max_position_embeddings=2048,
        )
        kind: Any = transformers.AutoModelForCausalLM
    else:
        config = transformers.RobertaConfig(
            vocab_size=50265,
            hidden_size=form.width,
            num_hidden_layers=form.layers,
            num_attention_heads=form.width // 64,
            intermediate_size=4 * form.width,
            max_position_embeddings=514,
            type_vocab_size=1,
            num_labels=2,
        )
        kind = transformers.AutoModelForSequenceClassification
    with device:
        model: nn.Module = kind.from_config(config, dtype=dtype)
    return model


def made_rows(rng: random.Random, count: int, lengths: tuple[int, int], form: Form) -> Rows:
    """Rows as the yardstick makes them; a decoder's completion is the latter half."""
    mean, longest = lengths
    ids, labels = [], []
    for _ in range(count):
        length = min(longest, max(8, round(rng.gauss(mean, mean / 3))))
        ids.append(np.array([rng.randrange(999, min(30000, form.words)) for _ in range(length)], dtype=np.int32))
        labels.append(rng.randrange(2))
    starts = np.array([len(row) // 2 for row in ids]) if form.decoder else None
    return Rows(ids, np.array(labels), None, starts)


class Side:
    """A model with its data, and the stacks that are made on it."""

    def __init__(self, shape: str, device: torch.device, tiny: bool) -> None:
        form = (TINY if tiny else SHAPES)[shape]
        self.device, self.runs = device, TINY_SLOTS if tiny else SLOTS
        self.task: Task = "causal_lm" if form.decoder else "classification"
        dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        model = build(form, device, dtype)
        targets = [
            name
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear) and name.rpartition(".")[2] in TARGETS
        ]
        head = [] if form.decoder else [n for n, _ in model.named_parameters() if n.startswith("classifier")]
        self.host = StackHost(model, Reading(self.task, form.decoder, 0), targets, head)
        count, lengths = (TINY_ROWS, TINY_LENGTHS) if tiny else (ROWS, LENGTHS)
        rng = random.Random(0)
        train, held = (made_rows(rng, count, lengths, form) for _ in range(2))
        steps = batches(count, 0, BATCH, EPOCHS)
        reading = self.host.reading
        self.data = SeedBatches(
            SeedData(train, held, train, Rows([], np.array([]))),
            steps,
            reading,
            HeldOut(evaluation_batches(held, reading), []),
            0,
        )

    def slot(self, method: DropoutSpec, rate: float, folder: str) -> Slot:
        """One run."""
        layers = self.host.hooked.attention_layers
        arm = ArmKeySpec(
            model=ModelRef(id="synthetic", revision="0"),
            dataset=DatasetRef(id="synthetic", content_hash="0"),
            task=self.task,
            train_rows=ROWS,
            validation_rows=ROWS,
            probe_rows=ROWS,
            method=method.resolve(layers, self.host.hooked.decoder).to_dict(),
            rank=8,
            alpha=16,
            target_modules=TARGETS[:2],
            training=TrainingSpec(
                epochs=EPOCHS, batch_size=BATCH, learning_rate=rate, max_length=LENGTHS[1], evaluations=EVALUATIONS
            ),
        )
        run = PackedRun(run_id=f"{rate:g}", fence=0, spec=RunSpec(arm=arm, seed=0), folder=folder)
        return Slot(run, self.host, layers, len(self.data.steps))

    def slots(self, method: DropoutSpec, count: int, folder: str = "unused") -> list[Slot]:
        """Runs of one method at learning rates of their own."""
        return [self.slot(method, 2e-4 * (1 + at), folder) for at in range(count)]

    def stack(self, slots: list[Slot]) -> Stack:
        """A stack of them."""
        return Stack(self.host, slots, StackShape.of(slots), "counter")

    def fits(self, slots: list[Slot]) -> int:
        """How many memory holds."""
        if self.device.type != "cuda":
            return len(slots)
        return min(len(slots), measured_slots(self.host, slots, self.data.largest(), "counter"))

    def wait(self) -> None:
        """Let the device end what it does."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def studied_method(decoder: bool) -> DropoutSpec:
    """What the yardstick drops: the adapter's input, and what the model's own config turns on."""
    plain = preset("adapter_dropout", 0.1).to_dict()
    return DropoutSpec.from_dict({**plain, "native": not decoder})


def study(shape: str, device: torch.device, tiny: bool) -> dict[str, object]:
    """Seconds of a whole study."""
    begun = time.perf_counter()
    side = Side(shape, device, tiny)
    losses: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        slots = side.slots(studied_method(side.task == "causal_lm"), side.runs, folder)
        size = side.fits(slots)
        built = time.perf_counter()
        for start in range(0, side.runs, size):
            places = [
                Place.of(slot, side.data, Reporter(slot.run, lambda event: _note(event, losses)))
                for slot in slots[start : start + size]
            ]
            for place in places:
                place.slot.folder = Path(folder) / place.slot.run.run_id
            shape = StackShape.of([place.slot for place in places])
            form = StackedForm(side.host, [place.slot for place in places], shape, "counter")
            group = Group(places, form, lambda ending: [lambda: ({}, Examples()) for _ in ending])
            train([group], lambda: (), 30.0)
        side.wait()
    ended = time.perf_counter()
    return {
        "stack": size,
        "build_s": built - begun,
        "train_s": ended - built,
        "wall_s": ended - begun,
        "steps_per_run": len(side.data.steps),
        "validation_losses": list(losses.values()),
        "peak_bytes": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0,
    }


def _note(event: Any, losses: dict[str, float]) -> None:
    if event.type == "evaluation":
        losses[event.run_id] = event.values["validation/loss"]


def steps(shape: str, device: torch.device, tiny: bool) -> dict[str, object]:
    """Median milliseconds of a step of a full stack by method; the methods take turns."""
    side = Side(shape, device, tiny)
    rounds, each = (2, 1) if tiny else (7, 5)
    size = side.fits(side.slots(preset("hiddenkey", 0.1), side.runs))
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    batch = side.data.batch(0)
    stacks = {name: side.stack(side.slots(preset(name, None if name == "none" else 0.1), size)) for name in METHODS}
    for number in range(rounds + 1):
        for name, stack in stacks.items():
            side.wait()
            begun = time.perf_counter()
            for _ in range(each):
                stack.train_step(batch)
            side.wait()
            if number:  # the first round warms up
                seconds[name].append((time.perf_counter() - begun) / each)
    ms = {name: 1e3 * median(found) for name, found in seconds.items()}
    return {
        "stack": size,
        "ms": ms,
        "hiddenkey_minus over plain": ms["hiddenkey_minus"] / ms["none"],
        "hiddenkey over hiddenkey_minus": ms["hiddenkey"] / ms["hiddenkey_minus"],
    }


def kernels(shape: str, device: torch.device, tiny: bool) -> dict[str, object]:
    """The kernels of one step of HiddenKey, and the time that its products take at the rate of one large product."""
    side = Side(shape, device, tiny)
    slots = side.slots(preset("hiddenkey", 0.1), side.runs)
    stack = side.stack(slots[: side.fits(slots)])
    batch = side.data.batch(0)
    for _ in range(3):
        stack.train_step(batch)
    side.wait()
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    begun = time.perf_counter()
    with torch.profiler.profile(activities=activities) as profile:
        stack.train_step(batch)
        side.wait()
    wall = time.perf_counter() - begun
    by = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    print(profile.key_averages().table(sort_by=by, row_limit=30, max_name_column_width=70))
    flops = sum(step_flops(slot.sizes, batch) for slot in stack.slots if slot is not None)
    rate = product_rate(device, tiny)
    launches = sum(event.count for event in profile.key_averages() if event.key == "cudaLaunchKernel")
    return {
        "stack": stack.shape.slots,
        "profiled_wall_ms": 1e3 * wall,
        "launches": launches,
        "step_tflop": flops / 1e12,
        "product_tflops": rate / 1e12,
        "floor_ms": 1e3 * flops / rate,
    }


def product_rate(device: torch.device, tiny: bool) -> float:
    """Floating point operations a second of one large product in the compute dtype."""
    size = 256 if tiny else 8192
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    x = torch.ones(size, size, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(6):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        begun = time.perf_counter()
        for _ in range(5):
            x @ x
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, (time.perf_counter() - begun) / 5)
    return 2.0 * size**3 / best


WHAT = {"study": study, "steps": steps, "kernels": kernels}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("--shape", choices=SHAPES, default="roberta-base")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    found = WHAT[options.what](options.shape, torch.device(options.device), options.tiny)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
