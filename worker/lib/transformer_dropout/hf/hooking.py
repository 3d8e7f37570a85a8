"""Hooking a method into a model: the pass counter, the attention function, one hook for each vector site and layer."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from transformer_dropout.errors import InjectionError
from transformer_dropout.spec import Site

from . import attention, families
from .context import PinnedCheckpoint, untraced
from .generation import hook_generation
from .injection import HookedSite, Injection
from .redraw import drops_attention
from .vectors import NoisePlace, VectorPlace
from .watch import Watch

Lookup = Callable[[nn.Module], list[list[nn.Module]]]


_REMEDIES = {
    "adapter_input": "the model has no LoRA adapter in its layers; wrap it with get_peft_model first",
    "adapter_rank": "the model has no LoRA adapter in its layers; wrap it with get_peft_model first",
}


def hook_all(injection: Injection) -> tuple[HookedSite, ...]:
    """Hook every active site of the injection's method, and the base model's own dropout where the method keeps it.

    Raises InjectionError where a site finds no place.
    """
    spec, model = injection.spec, injection.model
    vectors = [site for site in spec.sites if site.active and not site.position.startswith("attention_")]
    attentions = spec.at("attention_logits", "attention_weights")
    if not vectors and not attentions and not spec.noise_alpha and not spec.native:
        return ()
    checks: list[Callable[[], bool]] = []  # run once at the first training pass: is every hook still in its place?
    hooked = [_hook_vector(injection, site, checks) for site in vectors]
    if attentions or (drops_attention(injection) and attention.takes_masks(model)):
        hooked += _hook_attention(injection, attentions)
    if spec.noise_alpha:
        embedding = families.unwrapped(model).get_input_embeddings()
        place = NoisePlace(injection.clock, spec.noise_alpha)
        injection.on_removal(embedding.register_forward_hook(place.after).remove)
        hooked.append(HookedSite("input", "noise", (0,), 1))
    for site in hooked:
        if site.modules == 0:
            raise InjectionError(
                f"nothing to hook for {site.position}: {_REMEDIES.get(site.position, 'no such module')}"
            )
    _Entry(injection, checks).hook()
    hook_generation(injection)
    if spec.consistency.kind != "none":
        _hook_watch(injection)
    return tuple(hooked)


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
    """Starts a pass whenever the backbone is called, before anything is dropped in it."""

    def __init__(self, injection: Injection, checks: list[Callable[[], bool]]) -> None:
        self.injection = injection
        self.checks = checks
        self.module = families.entry_module(injection.model)
        self.owners = (self.module, *families.layer_modules(injection.model))

    def hook(self) -> None:
        handle = self.module.register_forward_pre_hook(self.start, with_kwargs=True, prepend=True)
        self.injection.on_removal(handle.remove)

    @untraced
    def start(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        clock = self.injection.clock
        clock.begin(module, args, kwargs)
        if clock.current is not None and self.checks:
            if not all(check() for check in self.checks):
                raise InjectionError(
                    "the model was wrapped after the method was injected (by get_peft_model?), so some hooks are in "
                    "the wrong place; wrap the model first, then inject"
                )
            self.checks.clear()
        for owner in self.owners:
            _pin_checkpoint(self.injection, owner)


def _pin_checkpoint(injection: Injection, owner: nn.Module) -> None:
    """Make a module's gradient checkpointing replay the pass that it recorded."""
    checkpoint = owner.__dict__.get("_gradient_checkpointing_func")
    if checkpoint is None or isinstance(checkpoint, PinnedCheckpoint):
        return
    owner.__dict__["_gradient_checkpointing_func"] = PinnedCheckpoint(injection.clock, checkpoint)
    injection.on_removal(partial(_unpin_checkpoint, owner))


def _unpin_checkpoint(owner: nn.Module) -> None:
    pinned = owner.__dict__.get("_gradient_checkpointing_func")
    if isinstance(pinned, PinnedCheckpoint):
        owner.__dict__["_gradient_checkpointing_func"] = pinned.checkpoint


def _hook_attention(injection: Injection, sites: tuple[Site, ...]) -> list[HookedSite]:
    modules = families.attention_modules(injection.model)
    configs = {id(config): config for config in (module.config for module in modules)}
    configs[id(families.unwrapped(injection.model).config)] = families.unwrapped(injection.model).config
    kernel_name = str(modules[0].config._attn_implementation or "eager")
    name = attention.register(kernel_name)
    attention.check_registered(name)
    for layer, module in enumerate(modules):
        here = [site for site in sites if site.rate_at(layer) > 0.0]
        logits = tuple(site for site in here if site.position == "attention_logits")
        weights = tuple(site for site in here if site.position == "attention_weights")
        kernel = attention.own_kernel(module)
        explicit, native = kernel_name == "eager", injection.spec.native
        place = attention.AttentionPlace(injection.clock, layer, logits, weights, kernel, explicit, native)
        place.attach(module)
        injection.on_removal(partial(attention.detach, module))
    for config in configs.values():
        before = config._attn_implementation
        config._attn_implementation = name
        injection.on_removal(partial(setattr, config, "_attn_implementation", before))
    return [_report(site, sum(site.rate_at(layer) > 0.0 for layer in range(len(modules)))) for site in sites]


def _hook_vector(injection: Injection, site: Site, checks: list[Callable[[], bool]]) -> HookedSite:
    model, clock = injection.model, injection.clock
    if site.position == "output":
        head = families.head_module(model)
        place = VectorPlace(clock, site, site.rate_at(0), 0)
        hook = place.before_head if _reads_rows(model) else place.before
        injection.on_removal(head.register_forward_pre_hook(hook, with_kwargs=True).remove)
        checks.append(lambda: families.head_module(model) is head)
        return HookedSite(site.position, site.structure, (0,), 1)
    if site.position == "input":
        first = families.layer_modules(model)[0]
        place = VectorPlace(clock, site, site.rate_at(0), 0)
        injection.on_removal(first.register_forward_pre_hook(place.before, with_kwargs=True).remove)
        return HookedSite(site.position, site.structure, (0,), 1)
    find = _LOOKUPS[site.position, site.place]
    found = find(model)
    count = 0
    for layer, modules in enumerate(found):
        rate = site.rate_at(layer)
        for number, module in enumerate(modules if rate > 0.0 else []):
            place = VectorPlace(clock, site, rate, layer, number)
            after = site.position == "adapter_rank" or (site.position, site.place) == ("hidden", "ffn_output")
            handle = (
                module.register_forward_hook(place.after)
                if after
                else module.register_forward_pre_hook(place.before, with_kwargs=True)
            )
            injection.on_removal(handle.remove)
            count += 1
    checks.append(lambda: find(model) == found)
    return _report(site, count)


def _adapter_downs(model: nn.Module) -> list[list[nn.Module]]:
    """Return the adapters' first matrices (A) by layer, for every adapter of every adapted module."""
    return [
        [down for module in modules for down in module.lora_A.values()] for modules in families.adapted_modules(model)
    ]


_LOOKUPS: dict[tuple[str, str], Lookup] = {
    ("hidden", "ffn_output"): lambda model: [[module] for module in families.hidden_modules(model, "ffn_output")],
    ("hidden", "ffn_inner"): lambda model: [[module] for module in families.hidden_modules(model, "ffn_inner")],
    ("adapter_input", "ffn_output"): _adapter_downs,
    ("adapter_rank", "ffn_output"): _adapter_downs,
}


def _reads_rows(model: nn.Module) -> bool:
    """Return whether the head gives one answer a row (classification of texts) instead of one a token."""
    return type(families.unwrapped(model)).__name__.endswith("ForSequenceClassification")


def _report(site: Site, modules: int) -> HookedSite:
    layers = tuple(layer for layer in site.layers or () if isinstance(layer, int) and site.rate_at(layer) > 0.0)
    return HookedSite(site.position, site.structure, layers, modules)
