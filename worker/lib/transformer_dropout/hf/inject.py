"""The door for Hugging Face models: put a dropout method into a model in place, and take it out again.

model = AutoModelForSequenceClassification.from_pretrained(...)  # with or without PEFT around it
with inject_dropout(model, preset("hiddenkey_minus", rate=0.1)) as injection:
    train(model)                                                 # eval() and generation are untouched
"""

import logging

import torch
from torch import nn

from transformer_dropout.errors import InjectionError
from transformer_dropout.spec import DropoutSpec, describe

from . import families
from .context import forget_compiled
from .hooking import hook_all
from .injection import Injection, Report, injection_of
from .native import NativeDropout, disable_native_dropout, native_rates
from .redraw import redraw_native

logger = logging.getLogger(__name__)


def inject_dropout(model: nn.Module, spec: DropoutSpec, *, generator_seed: int | None = None) -> Injection:
    """Put `spec` into `model` in place and return the injection, whose report says what was hooked where.

    The model may be wrapped by PEFT (wrap first, inject after). Without `native` in the spec the base model's own
    dropout is switched off until removal; with it, it is drawn from the same masks on a CPU.
    generator_seed: None draws one from torch's global generator.
    Masks follow the injection's own step, one for every forward in training mode; eval mode, cached decoding and a
    rate of 0 leave the model bit-identical.
    A method with a consistency loss refuses a step whose loss does not hold it.
    Raises UnsupportedModelError, SpecError, InjectionError, and the model is as it was before.
    """
    family = families.family_of(families.unwrapped(model).config)
    if injection_of(model) is not None:
        raise InjectionError("the model already carries a dropout method; remove() it first")
    layers = families.layer_count(model)
    decoder = families.is_decoder(families.unwrapped(model).config)
    resolved = spec.resolve(layers, decoder)
    if generator_seed is None:
        generator_seed = 0 if spec.is_plain else int(torch.randint(2**62, ()).item())
    _check_native(model, resolved)
    injection = Injection(model, resolved, generator_seed)
    forget_compiled()
    injection.on_removal(forget_compiled)
    try:
        drawn = redraw_native(injection) if spec.native else ()
        native = _switch_native(injection)
        hook_all(injection)
    except BaseException:
        injection.remove()
        raise
    disabled = native.disabled if native else ()
    injection.finish(Report(family.name, layers, decoder, (), disabled, drawn, generator_seed, describe(spec)))
    return injection


def _check_native(model: nn.Module, spec: DropoutSpec) -> None:
    """Refuse a method that drops nothing at all, because it relies on dropout that the base model does not have."""
    if not spec.native or native_rates(model):
        return
    tied = spec.consistency.kind != "none"
    words = f"{type(families.unwrapped(model)).__name__} has no dropout of its own (every rate of its config is 0)"
    if any(site.active for site in spec.sites) or spec.noise_alpha or (tied and native_rates(model, adapters=True)):
        logger.warning("%s, so native=True adds nothing to this method", words)
        return
    raise InjectionError(
        f"{words}, so native dropout drops nothing{', and the two passes of the loss are equal' if tied else ''}: "
        "set rates in its config (attention_dropout, resid_pdrop, ...), or give the method sites"
    )


def _switch_native(injection: Injection) -> NativeDropout | None:
    if injection.spec.native:
        return None
    native = disable_native_dropout(injection.model)
    injection.on_removal(native.restore)
    return native
