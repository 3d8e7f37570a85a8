"""A dropout method that lives in a model: its step, its passes, its report, and the way out."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType

from torch import nn

from transformer_dropout.errors import InjectionError
from transformer_dropout.spec import DropoutSpec

from . import families
from .context import Clock
from .hooks import HookedSite, Hooks
from .native import every_dropout_off
from .watch import Watch

INJECTION = "_transformer_dropout_injection"


@dataclass(frozen=True)
class Report:
    """What an injection does; part of a run's record.

    native_disabled: the base model's own dropout that is off.  native_drawn: what of it is on and, on a CPU, drawn from
    the injection's masks; the rest of it is torch's as before.
    """

    family: str
    layer_count: int
    decoder: bool
    sites: tuple[HookedSite, ...]
    native_disabled: tuple[str, ...]
    native_drawn: tuple[str, ...]
    seed: int
    method: str


class Injection(AbstractContextManager["Injection"]):
    """A method living in a model. Leaving the context, or `remove()`, restores the model exactly."""

    def __init__(self, model: nn.Module, spec: DropoutSpec, seed: int) -> None:
        self.model = model
        self.spec = spec
        self.clock = Clock(seed)
        self.watch: Watch | None = None  # where the method has a consistency loss
        self.parts: tuple[Hooks, ...] = ()
        self._report: Report | None = None
        self._undo: list[Callable[[], object]] = []

    @property
    def report(self) -> Report:
        """What is dropped where, now: it follows adapters that were added or switched since."""
        if self._report is None:
            raise InjectionError("the injection is still being made")
        if not self._undo:
            return self._report  # as it was before removal
        self._report = replace(self._report, sites=tuple(site for part in self.parts for site in part.now()))
        return self._report

    def finish(self, report: Report) -> None:
        """Record what was hooked and make the injection known to its model."""
        self._report = report
        home = families.entry_module(self.model)  # found from every wrapper around the model, and from inside
        home.__dict__[INJECTION] = self
        self.on_removal(partial(_forget, home))

    @property
    def step(self) -> int:
        """Number of the last training pass, -1 before the first. Set it to resume a run where it stopped."""
        return self.clock.step

    @step.setter
    def step(self, value: int) -> None:
        self.clock.step = value

    def state_dict(self) -> dict[str, int]:
        """Return what a resumed run needs to draw on as the unbroken one would."""
        return {"step": self.clock.step, "seed": self.clock.seed}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on where `state_dict` was taken."""
        self.clock.step, self.clock.seed = int(state["step"]), int(state["seed"])
        self._report = replace(self.report, seed=self.clock.seed)

    def second_pass(self, *, ahead: bool = False) -> AbstractContextManager[None]:
        """Run the passes inside with other masks at the same step: the second pass of a consistency loss.

        ahead: the first pass is still to come. The masks are the same in either order.
        """
        return self.clock.second_pass(ahead)

    def clean_pass(self) -> AbstractContextManager[None]:
        """Run the passes inside without any dropout (native and adapter dropout included), in whatever mode."""
        return self._clean_pass()

    def remove(self) -> None:
        """Restore the model: hooks, attention function, native dropout. Calling it twice is harmless.

        Everything is undone that can be; the first error is raised at the end.
        """
        first: Exception | None = None
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def on_removal(self, undo: Callable[[], object]) -> None:
        """Run `undo` at removal, last in first out."""
        self._undo.append(undo)

    @contextmanager
    def _clean_pass(self) -> Iterator[None]:
        with self.clock.clean_pass(), every_dropout_off(self.model):
            yield


def _forget(home: nn.Module) -> None:
    home.__dict__.pop(INJECTION, None)


def injection_of(model: nn.Module) -> Injection | None:
    """Return the injection that lives in `model` (or in the model that it wraps), if any."""
    for module in model.modules():
        found = module.__dict__.get(INJECTION)
        if isinstance(found, Injection):
            return found
    return None
