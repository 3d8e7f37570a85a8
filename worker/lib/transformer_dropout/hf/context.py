"""Which forward pass is running: its step, its pass, where its real tokens are, and whether it drops anything."""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import nn

from transformer_dropout.errors import InjectionError, ShapeError
from transformer_dropout.masks import Draw, Rows

from .native import every_dropout_off

_CACHES = ("past_key_values", "cache")  # transformers before and since 5.24

F = TypeVar("F", bound=Callable[..., Any])


def untraced(function: F) -> F:
    """Keep torch.compile out of a function: it runs as it is, between two compiled graphs."""
    kept: F = torch.compiler.disable(function)  # type: ignore[no-untyped-call]  # torch ships it without types
    return kept


def forget_compiled() -> None:
    """Have torch.compile compile anew, and ask for hooks: it would run past those that come, and on with those that go.

    Compiles nothing anew where nothing was compiled in this process.
    """
    from torch._dynamo import config
    from torch._dynamo.utils import counters

    # Else what was compiled for a layer without a hook stands for layers with one: they share a forward. It stays.
    if hasattr(config, "skip_nnmodule_hook_guards"):
        config.skip_nnmodule_hook_guards = False
    if counters["frames"]["total"]:
        torch.compiler.reset()


@dataclass(eq=False)
class ForwardContext:
    """One forward pass: the random numbers and rows that its masks are made from.

    custom_mask: the caller gave a mask of its own (not `[B, L]`), so only that mask says what is visible.
    documents: the texts that rows without padding hold one behind the other; masks are drawn for them.
    calls: how often each native dropout module was called in this pass, and how often in its replays.
    reached: how many of the method's places in the backbone dropped something.  head: whether its place there did.
    """

    draw: Draw
    rows: Rows
    custom_mask: bool
    documents: Rows | None = None
    trained: bool = field(default_factory=torch.is_grad_enabled)
    calls: Counter[int] = field(default_factory=Counter)
    replays: Counter[int] = field(default_factory=Counter)
    reached: int = 0
    head: bool = False

    @property
    def drawn(self) -> Rows:
        """What masks are drawn for."""
        return self.rows if self.documents is None else self.documents

    def call_of(self, module: int) -> int:
        """Count a call of native dropout module number `module`; return which one of this pass it is or replays."""
        if not replaying():
            self.calls[module] += 1
            return self.calls[module] - 1
        self.replays[module] += 1
        return (self.replays[module] - 1) % max(1, self.calls[module])


def bound(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call of `module` by name, those of its forward's `**kwargs` among them."""
    signature = inspect.signature(module.forward)
    found = dict(signature.bind_partial(*args, **kwargs).arguments)
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= found.pop(parameter.name, {})
    return found


def replaying() -> bool:
    """Return whether a backward pass is running, in which checkpoints run forward passes again."""
    return bool(torch._C._current_graph_task_id() != -1)


class Clock:
    """Counts training passes and holds the one that is running; masks depend on nothing else.

    step: the last pass's number, -1 before the first; set it to resume a run.
    paired: the last step that a second or clean pass belonged to; -1 before the first.
    driven: whether a trainer runs the passes, so that those without gradient are known to train nothing.
    generating: whether text is being generated.
    pinned: whether a PinnedCheckpoint says which pass is running.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.step = -1
        self.current: ForwardContext | None = None
        self.clean = False
        self.paired = -1
        self.driven = False
        self.generating = False
        self.pinned = False
        self._pass_index = 0
        self._ahead = False

    def begin(self, entry: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Start a pass; called before the backbone's forward."""
        if replaying() and entry.training:
            self._check_replay()
            return  # the whole backbone is being replayed by a checkpoint in backward: same pass, same masks
        if not entry.training or self.clean:
            self.current = None
            self.paired = self.step + 1 if self.clean else self.paired  # the clean pass of the last step, or the next
            return
        given = bound(entry, args, kwargs)
        if self._trains_nothing(entry, given):
            self.current = None
            return
        if cached_tokens(given) > 0:
            raise InjectionError(
                "the model is trained with a filled cache, as prefix tuning does; no method can be put there: use LoRA "
                "or prompt tuning, or remove() the method"
            )
        if self._pass_index == 1 and self.step < 0 and not self._ahead:
            raise InjectionError("second_pass() repeats a first pass; run the model once in training mode before it")
        tokens: Any = given.get("input_ids")
        tokens = given.get("inputs_embeds") if tokens is None else tokens
        if tokens is None:
            raise InjectionError("the model was called without input_ids and without inputs_embeds")
        mask = given.get("attention_mask")
        batch, width = int(tokens.shape[0]), int(tokens.shape[1])
        rows, custom_mask = Rows.full(batch, width), mask is not None
        if isinstance(mask, torch.Tensor) and mask.dim() == 2:
            if tuple(mask.shape) != (batch, width):
                raise ShapeError(f"attention_mask {tuple(mask.shape)} does not fit {batch} rows of {width} tokens")
            rows, custom_mask = Rows.from_attention_mask(mask), False
        places = given.get("position_ids")
        documents = None
        if mask is None and isinstance(places, torch.Tensor) and places.dim() == 2:  # as transformers sees packed rows
            documents = Rows.documents(places.expand(batch, -1))
            custom_mask = documents is not None
        if self._pass_index == 0:
            self.step += 1
        else:
            self.paired = self.step + self._ahead
        draw = Draw(self._seed_of_process(), self.step + self._ahead, self._pass_index, str(tokens.device))
        self.current = ForwardContext(draw, rows, custom_mask, documents)

    def here(self) -> ForwardContext | None:
        """Return the pass that a module in training mode is run in, None where nothing is dropped."""
        if replaying():
            self._check_replay()
        return self.current

    def _check_replay(self) -> None:
        """Refuse a checkpoint that does not say which pass it replays, where more than one could be meant."""
        if self.pinned:
            return
        if self.current is None or (self.current.draw.pass_index == 1 and self.current.trained):
            raise InjectionError(
                "a checkpoint runs the whole model, or a part that was wrapped since, again in backward, and it is not "
                "known which of a step's passes is meant; checkpoint its layers or modules inside them, and wrap those "
                "before inject_dropout: gradient_checkpointing_enable() or checkpoint_wrapper"
            )

    @contextmanager
    def second_pass(self, ahead: bool = False) -> Iterator[None]:
        """Make the passes inside repeat the last pass's step (ahead: the next one's) with masks of their own."""
        before = self._pass_index, self._ahead
        self._pass_index, self._ahead = 1, ahead
        try:
            yield
        finally:
            self._pass_index, self._ahead = before

    @contextmanager
    def clean_pass(self) -> Iterator[None]:
        """Make the passes inside drop nothing and count for nothing."""
        before, self.clean = self.clean, True
        try:
            yield
        finally:
            self.clean = before

    def _trains_nothing(self, entry: nn.Module, given: Mapping[str, Any]) -> bool:
        """Return whether a pass in training mode is generation's, a reference model's or a trainer's metrics'.

        Other passes without gradient are dropped in, as nn.Dropout drops: a consistency loss's second pass is one.
        """
        if torch.is_grad_enabled():
            return False
        if self.generating or (self.driven and self._pass_index == 0):
            return True
        return any(given.get(name) is not None for name in _CACHES) or _adapters_off(entry)

    @contextmanager
    def generation(self) -> Iterator[None]:
        """Leave the passes inside alone: they generate text, with a cache or without."""
        before, self.generating = self.generating, True
        try:
            yield
        finally:
            self.generating = before

    @contextmanager
    def by_a_trainer(self) -> Iterator[None]:
        """Take the passes inside that record no gradient for what they are: a trainer's metrics or reference."""
        before, self.driven = self.driven, True
        try:
            yield
        finally:
            self.driven = before

    def _seed_of_process(self) -> int:
        spread = torch.distributed.is_available() and torch.distributed.is_initialized()
        return self.seed ^ (torch.distributed.get_rank() << 48) if spread else self.seed


class PinnedCheckpoint:
    """A checkpoint function whose replays see the pass they replay, whichever pass ran since: its masks, or none."""

    def __init__(self, clock: Clock, checkpoint: Callable[..., Any], model: nn.Module) -> None:
        self.clock = clock
        self.checkpoint = checkpoint
        self.model = model

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        context, clean = self.clock.current, self.clock.clean

        def run(*inner: Any, **named: Any) -> Any:
            before = self.clock.current, self.clock.pinned
            self.clock.current, self.clock.pinned = context, True
            try:
                if not clean or not replaying():
                    return function(*inner, **named)
                with every_dropout_off(self.model):  # torch's own, too: rates are back since
                    return function(*inner, **named)
            finally:
                self.clock.current, self.clock.pinned = before

        return self.checkpoint(run, *args, **kwargs)


def cached_tokens(given: Mapping[str, Any]) -> int:
    """Return how many tokens the cache holds that a model was called with, by whatever name."""
    cache = next((given[name] for name in _CACHES if given.get(name) is not None), None)
    if cache is None:
        return 0
    length = cache.get_seq_length() if hasattr(cache, "get_seq_length") else len(cache)
    return int(length)


def _adapters_off(entry: nn.Module) -> bool:
    """Return whether a model's PEFT adapters are switched off, or stand for a reference model (TRL's names)."""
    for module in entry.modules():
        if isinstance(off := getattr(module, "disable_adapters", None), bool):
            return off or getattr(module, "active_adapters", None) in (["ref"], ["reference"])
    return False
