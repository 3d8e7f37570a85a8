"""What stays loaded between packs: one base model with its hooks, its fp32 twin, and the data of recent seeds."""

import gc
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from transformer_dropout.hf.families import is_decoder

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import PackedRun
from worker import data as datasets
from worker import models
from worker.engine.batches import Reading, evaluation_batches
from worker.engine.elsewhere import Elsewhere
from worker.engine.hooked_base import HookedBase
from worker.engine.precision import Computed, resolve_precision
from worker.engine.seed_batches import HeldOut, SeedBatches
from worker.engine.single.passes import Host
from worker.engine.single.step import SingleSlot
from worker.engine.slot import Slot
from worker.engine.stacked.memory import measured_slots
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.random_bits import Stream

T = TypeVar("T")
NO_LIMIT = 1 << 16
_SEEDS_KEPT = 2


@dataclass(frozen=True)
class Loaded:
    """A base model, hooked."""

    base: models.Base
    host: HookedBase


class Warm:
    """Loads what a run needs, or finds it loaded. `home`: the data folder of the worker.

    stacked: train the runs of a pack in one stack; by default on a GPU. stream: where a stack's masks come from; by
    default they are made on the device. most: slots of a stack at most; by default as many as memory holds.
    """

    def __init__(
        self,
        home: Path,
        device: torch.device,
        stacked: bool | None = None,
        stream: Stream = "counter",
        most: int | None = None,
    ) -> None:
        self.home, self.device = home, device
        self.stacked = device.type != "cpu" if stacked is None else stacked
        self.stream: Stream = stream
        self._most = most
        self._slots: dict[tuple[object, ...], int] = {}
        self._bases: OrderedDict[tuple[object, ...], Loaded] = OrderedDict()
        self._sets: OrderedDict[tuple[object, ...], datasets.Tokenised] = OrderedDict()
        self._seeds: OrderedDict[tuple[object, ...], SeedBatches] = OrderedDict()
        self._held: tuple[object, HeldOut] | None = None
        self._further: tuple[object, Elsewhere, tuple[str, ...]] | None = None
        self._dataset: tuple[object, datasets.Dataset] | None = None

    def precision(self, arm: ArmKeySpec) -> Computed:
        """The precision that an arm computes in on this machine."""
        return resolve_precision(arm.training.precision, self.home, self.device)

    def base(self, arm: ArmKeySpec, precision: Computed) -> Loaded:
        """The base model of an arm with hooks for its target modules; models of other studies are let go."""
        outputs = self.dataset(arm).outputs
        about = (arm.model, arm.task, outputs)
        for key in [k for k in self._bases if k[:3] != about]:
            del self._bases[key]
        key = (*about, precision)
        if key not in self._bases:
            base = models.load_base(arm.model, arm.task, outputs, precision, self.home, self.device)
            self._bases[key] = Loaded(base, self._host(base, arm))
        loaded = self._bases[key]
        loaded.host.retarget([name for name, _ in models.target_linears(loaded.base, arm.target_modules)])
        return loaded

    def seed(self, arm: ArmKeySpec, seed: int, loaded: Loaded) -> SeedBatches:
        """The batches of one seed."""
        tokenised = self.tokenised(arm, loaded)
        training = arm.training
        key = (
            tokenised.key,
            (arm.train_rows, arm.validation_rows, arm.probe_rows, arm.test_rows, seed),
            (training.batch_size, training.epochs, training.dropout_on_rows),
            loaded.host.reading,
            arm.also_measure,
        )
        if key not in self._seeds:
            drawn = datasets.draw(tokenised, arm, seed)
            steps = datasets.batches(len(drawn.train), seed, training.batch_size, training.epochs)
            shared = (tokenised.key, arm.validation_rows, arm.test_rows, loaded.host.reading)
            if self._held is None or self._held[0] != shared:
                self._held = (shared, HeldOut.of(drawn, loaded.host.reading))
            elsewhere = self.elsewhere(arm, loaded)[0]
            self._seeds[key] = SeedBatches(
                drawn, steps, loaded.host.reading, self._held[1], training.dropout_on_rows, elsewhere
            )
            _trim(self._seeds, _SEEDS_KEPT)
        self._seeds.move_to_end(key)
        return self._seeds[key]

    def tokenised(self, arm: ArmKeySpec, loaded: Loaded) -> datasets.Tokenised:
        """The data set of an arm in tokens of its model."""
        training, tokenizer = arm.training, loaded.base.tokenizer
        key = (arm.dataset, arm.model, training.max_length, training.template, training.loss_on, training.truncate)
        if key not in self._sets:
            dataset = self.dataset(arm)
            reader = datasets.reader_of(dataset, arm.model, tokenizer, training, self.home)
            self._sets[key] = datasets.tokenise(dataset, arm.model, tokenizer, training.max_length, self.home, reader)
            _trim(self._sets, 2)
        return self._sets[key]

    def elsewhere(self, arm: ArmKeySpec, loaded: Loaded) -> tuple[Elsewhere, tuple[str, ...]]:
        """The further data sets of an arm in batches, and what is to be said of them."""
        training = arm.training
        read = (training.max_length, training.template, training.loss_on, training.truncate)
        about = (arm.also_measure, arm.model, arm.dataset, read, loaded.host.reading)
        if self._further is None or self._further[0] != about:
            names = self.dataset(arm).label_names
            found = {
                also.dataset.id: datasets.further(also, arm, names, loaded.base.tokenizer, self.home)
                for also in arm.also_measure
            }
            sets = {key: evaluation_batches(one.rows, loaded.host.reading) for key, one in found.items()}
            notes = tuple(note for one in found.values() for note in one.notes)
            self._further = (about, Elsewhere(arm.task, sets), notes)
        return self._further[1], self._further[2]

    def most_slots(self, slots: Sequence[Slot], data: SeedBatches) -> int:
        """How many slots like these one stack may have; on a GPU looked up once for runs of this kind."""
        host, training = slots[0].host, slots[0].arm.training
        fits = NO_LIMIT
        if isinstance(host, StackHost) and host.device.type == "cuda":
            methods = frozenset(str(slot.method.to_dict()) for slot in slots)
            widest = max(slot.arm.rank for slot in slots)
            key = (id(host), host.targets, training.batch_size, training.max_length, methods, widest)
            if key not in self._slots:
                self._slots[key] = measured_slots(host, slots, data.largest(), self.stream, self._reserve(host))
            fits = self._slots[key]
        return fits if self._most is None else min(fits, self._most)

    def slot(self, run: PackedRun, host: HookedBase, steps: int) -> Slot:
        """A run's slot on a base, of the form that it is trained in."""
        kind = Slot if self.stacked else SingleSlot
        return kind(run, host, host.hooked.attention_layers, steps)

    def _reserve(self, host: StackHost) -> int:
        """Bytes of the fp32 twin that measures the ends of runs, where it is not loaded yet."""
        if any(key[-1] == "fp32" for key in self._bases):
            return 0
        return sum(4 * parameter.numel() for parameter in host.model.parameters())

    def tidy(self) -> None:
        """Let go of what ended runs held."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def dataset(self, arm: ArmKeySpec) -> datasets.Dataset:
        """The data set of an arm, as stored."""
        if self._dataset is None or self._dataset[0] != (arm.dataset, arm.task):
            self._dataset = ((arm.dataset, arm.task), datasets.load(arm.dataset, arm.task, self.home))
        return self._dataset[1]

    def _host(self, base: models.Base, arm: ArmKeySpec) -> HookedBase:
        targets = [name for name, _ in models.target_linears(base, arm.target_modules)]
        pad = base.config.pad_token_id
        try:
            reading = Reading(arm.task, is_decoder(base.config), pad if isinstance(pad, int) else 0)
            kind: type[HookedBase] = StackHost if self.stacked else Host
            return kind(base.model, reading, targets, base.head)
        except TypeError as error:  # UnsupportedModelError of the library is one
            raise TrainingError(FailureCode.BAD_INPUT, f"{arm.model.id} cannot be trained: {error}") from error


def _trim(kept: OrderedDict[tuple[object, ...], T], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
