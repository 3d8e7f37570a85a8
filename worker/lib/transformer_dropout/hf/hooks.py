"""The hooks of each part of a method, and how they follow a model that changes under them.

Adapters are added, switched and merged, heads and embeddings replaced, kernels chosen anew. `follow` puts hooks to
where their part is now, and raises where it is nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from transformer_dropout.errors import InjectionError
from transformer_dropout.spec import Site

from . import families
from .context import Clock
from .vectors import NoisePlace, VectorPlace


@dataclass(frozen=True)
class HookedSite:
    """One site of the method and where it is hooked: `layers` numbers, and the modules in all of them."""

    position: str
    structure: str
    layers: tuple[int, ...]
    modules: int


class Hooks(Protocol):
    """One part of a method in a model."""

    reached: int  # how often it drops in one pass of the backbone

    def follow(self) -> None:
        """Put the hooks to where they belong now. Raises InjectionError where that is nowhere."""

    def mark(self) -> object:
        """Return what changes where `follow` may have to act; cheap, for it is asked at every step."""

    def now(self) -> tuple[HookedSite, ...]:
        """Return what is dropped now."""

    def remove(self) -> None:
        """Take the hooks out."""


class Handles:
    """Hooks of torch that come and go together."""

    def __init__(self) -> None:
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def add(self, handle: torch.utils.hooks.RemovableHandle) -> None:
        """Keep a handle."""
        self._handles.append(handle)

    def remove(self) -> None:
        """Take every hook out."""
        while self._handles:
            self._handles.pop().remove()


class LayerHooks(Handles):
    """A hidden or adapter site: one or more modules in each layer."""

    def __init__(self, model: nn.Module, clock: Clock, site: Site) -> None:
        super().__init__()
        self.model, self.clock, self.site = model, clock, site
        self.reached = 0
        self._found: list[list[nn.Module]] = []

    def follow(self) -> None:
        found = self._find()
        if found == self._found and self.reached:
            return
        _refuse_wrapped(self._found, found)
        self.remove()
        self._found, self.reached = found, 0
        after = self.site.position == "adapter_rank" or (self.site.position, self.site.place) == (
            "hidden",
            "ffn_output",
        )
        for layer, modules in enumerate(found):
            rate = self.site.rate_at(layer)
            for number, module in enumerate(modules if rate > 0.0 else []):
                place = VectorPlace(self.clock, self.site, rate, layer, number)
                self.add(
                    module.register_forward_hook(place.after)
                    if after
                    else module.register_forward_pre_hook(place.before, with_kwargs=True)
                )
                self.reached += 1
        if self.reached == 0:
            remedy = "no such module"
            if self.site.position != "hidden":
                remedy = "the model has no active LoRA adapter in its layers; wrap it with get_peft_model first"
            raise InjectionError(f"nothing to hook for {self.site.position}: {remedy}")

    def mark(self) -> object:
        return None  # the adapters' mark is one for all sites

    def now(self) -> tuple[HookedSite, ...]:
        count = sum(len(found) for layer, found in enumerate(self._find()) if self.site.rate_at(layer) > 0.0)
        return (site_now(self.site, count),)

    def _find(self) -> list[list[nn.Module]]:
        if self.site.position == "hidden":
            return [[module] for module in families.hidden_modules(self.model, self.site.place)]
        return families.adapter_downs(self.model)


class InputHooks(Handles):
    """An input site: what the first layer is given."""

    reached = 1

    def __init__(self, model: nn.Module, clock: Clock, site: Site) -> None:
        super().__init__()
        self.model, self.site = model, site
        self.place = VectorPlace(clock, site, site.rate_at(0), 0)
        self._first: nn.Module | None = None

    def follow(self) -> None:
        first = families.layer_modules(self.model)[0]
        if first is not self._first:
            self.remove()
            self._first = first
            self.add(first.register_forward_pre_hook(self.place.before, with_kwargs=True))

    def mark(self) -> object:
        return None

    def now(self) -> tuple[HookedSite, ...]:
        return (HookedSite(self.site.position, self.site.structure, (0,), 1),)


class OutputHooks(Handles):
    """An output site: what a head reads, or, in a causal language model, what the backbone gives.

    There the head may be replaced, adapted, or passed by in a fused loss, and still reads what was dropped.
    """

    def __init__(self, model: nn.Module, clock: Clock, site: Site) -> None:
        super().__init__()
        self.model, self.site = model, site
        self.place = VectorPlace(clock, site, site.rate_at(0), 0)
        self.backbone = families.predicts_next(model)
        self.reached = int(self.backbone)
        self._module: nn.Module | None = None

    def follow(self) -> None:
        module = families.entry_module(self.model) if self.backbone else families.head_module(self.model)
        if module is self._module:
            return
        self.remove()
        self._module = module
        if self.backbone:
            self.add(module.register_forward_hook(self.place.after_backbone))
        else:
            rows = type(families.unwrapped(self.model)).__name__.endswith("ForSequenceClassification")
            hook: Callable[..., Any] = self.place.before_head if rows else self.place.before_tokens
            self.add(module.register_forward_pre_hook(hook, with_kwargs=True))

    def mark(self) -> object:
        return None if self.backbone else id(families.head_module(self.model))

    def now(self) -> tuple[HookedSite, ...]:
        return (HookedSite(self.site.position, self.site.structure, (0,), 1),)


class NoiseHooks(Handles):
    """NEFTune's noise on what the input embedding gives."""

    reached = 1

    def __init__(self, model: nn.Module, clock: Clock, alpha: float) -> None:
        super().__init__()
        self.model = model
        self.place = NoisePlace(clock, alpha)
        self._embedding: nn.Module | None = None

    def follow(self) -> None:
        embedding = families.unwrapped(self.model).get_input_embeddings()
        if embedding is not self._embedding:
            self.remove()
            self._embedding = embedding
            self.add(embedding.register_forward_hook(self.place.after))

    def mark(self) -> object:
        return id(families.unwrapped(self.model).get_input_embeddings())

    def now(self) -> tuple[HookedSite, ...]:
        return (HookedSite("input", "noise", (0,), 1),)


def site_now(site: Site, modules: int) -> HookedSite:
    """Return what a resolved site drops in."""
    layers = tuple(layer for layer in site.layers or () if isinstance(layer, int) and site.rate_at(layer) > 0.0)
    return HookedSite(site.position, site.structure, layers, modules)


def _refuse_wrapped(before: list[list[nn.Module]], after: list[list[nn.Module]]) -> None:
    """Refuse modules that were wrapped since: a hook would be in the wrong place, inside the wrapper or around it."""
    old = {id(module) for modules in before for module in modules}
    for module in (module for modules in after for module in modules):
        if id(module) not in old and any(id(inner) in old for inner in module.modules()):
            raise InjectionError(
                "the model was wrapped after the method was injected (by get_peft_model?), so some hooks are in the "
                "wrong place; wrap the model first, then inject"
            )
