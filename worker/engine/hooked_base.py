"""The frozen base model with the engine's hooks, as slots of either form see it; passes are each form's own."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import nn
from transformer_dropout.hf.families import unwrapped
from transformer_dropout.spec import CONSISTENCY

from worker.engine.batches import Reading
from worker.engine.flops import Sizes, base_weights
from worker.engine.head import Head
from worker.engine.hooks import Hooked, make_targets
from worker.engine.parameters import Parameters, Shape
from worker.engine.pass_state import Adapter
from worker.engine.target import Target


class HookedBase(ABC):
    """One base model with the hooks of one choice of target modules.

    model: a stock transformers model; it is put in evaluation mode and frozen for good.  targets: names of the linear
    layers that get adapters.  head: names of the parameters that every slot trains a copy of.
    """

    def __init__(self, model: nn.Module, reading: Reading, targets: Sequence[str], head: Sequence[str]) -> None:
        self.model, self.reading = model.eval().requires_grad_(False), reading
        self.body: nn.Module = getattr(model, str(getattr(model, "base_model_prefix", "")), model)
        self.head_names = tuple(head)
        self.hooked: Hooked = self._enter()
        self.head = Head(model, self.body, reading.task, self.head_names)
        parameter = next(self.body.parameters())
        self.dtype, self.device = parameter.dtype, parameter.device
        self._first_position = _first_position(self.body)
        self.targets: tuple[Target, ...] = ()
        self.retarget(targets)
        self._base_weights = base_weights(model)
        self._extra: dict[str, object] = {"use_cache": False} if self.hooked.decoder else {}

    @abstractmethod
    def _enter(self) -> Hooked:
        """Hook the model with the form's attention function."""

    @abstractmethod
    def _target(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int) -> Target:
        """Put the form's adapters on a linear layer."""

    def retarget(self, names: Sequence[str]) -> bool:
        """Put the adapters on other layers, which makes slots of before void; False where they were there already."""
        if tuple(target.name for target in self.targets) == tuple(names):
            return False
        for old in self.targets:
            old.release()
        self.targets = make_targets(self.model, names, self._target)
        return True

    def shapes(self, rank: int) -> list[Shape]:
        """What a slot of this rank trains."""
        found: list[Shape] = []
        for place in self.targets:
            out, into = place.shape
            found.append(Shape(f"{place.name}.lora_A.weight", (rank, into), "kaiming"))
            found.append(Shape(f"{place.name}.lora_B.weight", (out, rank), "zero"))
        config = getattr(self.model, "config", None)
        spread = float(getattr(config, "initializer_range", 0.02) or 0.02)
        for name in self.head_names:
            sizes = tuple(self.model.get_parameter(name).shape)
            start = "normal" if len(sizes) > 1 else "zero"
            found.append(Shape(name, sizes, start, spread, in_adapter=False))
        return found

    def adapters(self, parameters: Parameters, scaling: float) -> tuple[Adapter, ...]:
        """The adapters of a slot, one a target."""
        return tuple(
            Adapter(
                parameters.leaf(f"{place.name}.lora_A.weight"), parameters.leaf(f"{place.name}.lora_B.weight"), scaling
            )
            for place in self.targets
        )

    def sizes(self, rank: int, consistency: str) -> Sizes:
        """What a slot of this rank and kind of consistency loss computes in a step."""
        config, kind = unwrapped(self.model).config, CONSISTENCY[consistency]
        return Sizes(
            weights=self._base_weights,
            output=self.head.output_weights if self.reading.task == "causal_lm" else 0,
            width=int(config.hidden_size),
            layers=int(config.num_hidden_layers),
            adapters=rank * sum(sum(target.shape) for target in self.targets),
            passes=kind.passes,
            trained=1 if kind.passes == 1 or kind.second_detached else 2,
        )


def _first_position(body: nn.Module) -> int:
    """Number of a row's first position: RoBERTa's start behind the padding id."""
    embeddings = getattr(body, "embeddings", None)
    if embeddings is None or not hasattr(embeddings, "create_position_ids_from_input_ids"):
        return 0
    return int(embeddings.padding_idx) + 1
