"""Hooking a method into a model: the pass counter, and hooks for each of its parts that follow the model."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from transformer_dropout.errors import InjectionError

from . import attention, families
from .context import PinnedCheckpoint, replaying, untraced
from .generation import hook_generation
from .hooks import Hooks, InputHooks, LayerHooks, NoiseHooks, OutputHooks
from .injection import Injection
from .kernels import AttentionHooks
from .redraw import drops_attention
from .watch import Watch

_VECTORS: dict[str, Callable[..., Hooks]] = {"input": InputHooks, "output": OutputHooks}


def hook_all(injection: Injection) -> None:
    """Hook every active site of the injection's method, and the base model's own dropout where the method keeps it.

    Raises InjectionError where a site finds no place.
    """
    spec, model, clock = injection.spec, injection.model, injection.clock
    vectors = [site for site in spec.sites if site.active and not site.position.startswith("attention_")]
    attentions = spec.at("attention_logits", "attention_weights")
    if not vectors and not attentions and not spec.noise_alpha and not spec.native:
        return
    parts: list[Hooks] = [_VECTORS.get(site.position, LayerHooks)(model, clock, site) for site in vectors]
    if attentions or (drops_attention(injection) and attention.takes_masks(model)):
        parts.append(AttentionHooks(model, clock, attentions, spec.native))
    if spec.noise_alpha:
        parts.append(NoiseHooks(model, clock, spec.noise_alpha))
    for part in parts:
        injection.on_removal(part.remove)
        part.follow()
    injection.parts = tuple(parts)
    _Entry(injection).hook()
    hook_generation(injection)
    if spec.consistency.kind != "none":
        _hook_watch(injection)


def _hook_watch(injection: Injection) -> None:
    watch = injection.watch = Watch(injection.clock, injection.spec.consistency)
    base, entry = families.unwrapped(injection.model), families.entry_module(injection.model)
    for handle in (
        injection.model.register_forward_pre_hook(watch.enter, with_kwargs=True),
        base.register_forward_pre_hook(watch.begin, with_kwargs=True),
        entry.register_forward_hook(watch.middle),
        base.register_forward_hook(watch.end),
    ):
        injection.on_removal(handle.remove)


class _Entry:
    """Starts a pass whenever the backbone is called, before anything is dropped in it, and counts at its end."""

    def __init__(self, injection: Injection) -> None:
        self.injection = injection
        self.module = families.entry_module(injection.model)
        self.owners = (self.module, *families.layer_modules(injection.model))
        self.skips = bool(getattr(self.module, "layerdrop", 0.0)) and injection.spec.native
        self.head = any(isinstance(part, OutputHooks) and not part.backbone for part in injection.parts)
        self.mark = self._mark()
        self.wrappers: tuple[nn.Module, ...] | None = None

    def hook(self) -> None:
        self.injection.on_removal(
            self.module.register_forward_pre_hook(self.start, with_kwargs=True, prepend=True).remove
        )
        self.injection.on_removal(self.module.register_forward_hook(self.finish).remove)

    @untraced
    def start(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        clock = self.injection.clock
        clock.begin(module, args, kwargs)
        if clock.current is not None and self._mark() != self.mark:
            for part in self.injection.parts:
                part.follow()
            self.mark = self._mark()
            self.wrappers = None
        for owner in (module, *families.layer_modules(self.injection.model), *self._wrappers()):
            _pin_checkpoint(self.injection, owner)

    @untraced
    def finish(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        context = self.injection.clock.current
        if context is None or replaying() or self.skips:
            return
        meant = sum(part.reached for part in self.injection.parts)
        if context.reached != meant:
            raise InjectionError(
                f"the method drops in {meant} places of the backbone, and {context.reached} of them were reached: its "
                "adapters are off or merged, its modules replaced, or it was given inputs_embeds where noise goes onto "
                "embeddings; remove() the method and inject it again where the model is as it shall be trained"
            )
        hidden = output[0] if isinstance(output, tuple) else getattr(output, "last_hidden_state", None)
        if self.head and getattr(hidden, "requires_grad", False):
            hidden.register_hook(lambda _: _demand_head(context.head))  # type: ignore[union-attr]

    def _wrappers(self) -> tuple[nn.Module, ...]:
        """Return what checkpoints modules inside layers or the head, looked for once and when hooks moved.

        None that holds the backbone: it starts before the pass that it would have to replay.
        """
        if self.wrappers is None:
            found = [m for m in self.injection.model.modules() if any(name in m.__dict__ for name in _CHECKPOINTS)]
            self.wrappers = tuple(m for m in found if all(inner is not self.module for inner in m.modules()))
        return self.wrappers

    def _mark(self) -> object:
        """Return what changes where hooks may have to move: adapters by name, who is active, kernels, heads."""
        base: Any = families.unwrapped(self.injection.model)
        configs = getattr(base, "peft_config", None) or getattr(self.injection.model, "peft_config", None) or {}
        tuner = self._tuner()
        active = None if tuner is None else tuple(tuner.active_adapters)
        adapters = tuple((name, id(config)) for name, config in configs.items())
        return adapters, id(tuner), active, tuple(part.mark() for part in self.injection.parts)

    def _tuner(self) -> Any:
        """Return the first adapted module, found anew only in the first layer that has one."""
        for layer in self.owners[1:]:
            for module in layer.modules():
                if isinstance(getattr(module, "lora_A", None), nn.ModuleDict):
                    return module
            return None
        return None


def _demand_head(reached: bool) -> None:
    if not reached:
        raise InjectionError(
            "the method drops before the head, and this step's loss does not come from it: the head was replaced, or "
            "passed by in a fused loss"
        )


# Where transformers keeps a layer's checkpoint function, and where torch's checkpoint_wrapper (FSDP's) does.
_CHECKPOINTS = ("_gradient_checkpointing_func", "checkpoint_fn")


def _pin_checkpoint(injection: Injection, owner: nn.Module) -> None:
    """Make a module's gradient checkpointing replay the pass that it recorded."""
    for name in _CHECKPOINTS:
        checkpoint = owner.__dict__.get(name)
        if checkpoint is not None and not isinstance(checkpoint, PinnedCheckpoint):
            owner.__dict__[name] = PinnedCheckpoint(injection.clock, checkpoint, injection.model)
            injection.on_removal(partial(_unpin_checkpoint, owner, name))


def _unpin_checkpoint(owner: nn.Module, name: str) -> None:
    pinned = owner.__dict__.get(name)
    if isinstance(pinned, PinnedCheckpoint):
        owner.__dict__[name] = pinned.checkpoint
