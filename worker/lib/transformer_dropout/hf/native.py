"""The base model's own dropout: switch it off, on the record, and back on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

logger = logging.getLogger(__name__)

# Rates that some families keep as plain numbers on their modules instead of in nn.Dropout.
_NUMBERS = ("dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "layerdrop")
_NOISE = "neftune_noise_alpha"  # transformers' own, on the embedding


@dataclass(frozen=True)
class NativeDropout:
    """What was switched off: (module, name of the rate, the rate), and the same in words."""

    settings: tuple[tuple[nn.Module, str, float], ...]
    disabled: tuple[str, ...]

    def restore(self) -> None:
        """Set every rate back to what it was."""
        for module, name, rate in self.settings:
            setattr(module, name, rate)


def disable_native_dropout(model: nn.Module) -> NativeDropout:
    """Set every dropout rate of the base model to 0 (the paper's baseline) and return the record, which can undo it.

    PEFT's own `lora_dropout` is left alone, and so is the config, which is saved with the model.
    """
    settings = _settings(model, adapters=False)
    words = tuple(f"{name} {rate:g}" for _, _, rate, name in settings)
    for module, attribute, _, _ in settings:
        setattr(module, attribute, 0.0)
    if words:
        logger.info("switched off the base model's own dropout in %d places: %s", len(words), ", ".join(words))
    return NativeDropout(tuple((module, attribute, rate) for module, attribute, rate, _ in settings), words)


def native_rates(model: nn.Module, adapters: bool = False) -> tuple[str, ...]:
    """Return names and rates of the base model's own dropout, PEFT's `lora_dropout` among them where `adapters`."""
    return tuple(f"{name} {rate:g}" for _, _, rate, name in _settings(model, adapters))


@contextmanager
def every_dropout_off(model: nn.Module) -> Iterator[None]:
    """Switch off all dropout and noise, PEFT's and the Trainer's too, and nothing else; rates come back in any case."""
    settings = _settings(model, adapters=True)
    for module, attribute, _, _ in settings:
        setattr(module, attribute, 0.0)
    try:
        yield
    finally:
        for module, attribute, rate, _ in settings:
            setattr(module, attribute, rate)


def _settings(model: nn.Module, adapters: bool) -> list[tuple[nn.Module, str, float, str]]:
    """Return (module, attribute, rate, dotted name) of every dropout rate above 0."""
    found = []
    for name, module in model.named_modules():
        if "lora_dropout" in name and not adapters:
            continue
        attributes = ("p",) if isinstance(module, nn.Dropout) else (*_NUMBERS, _NOISE) if adapters else _NUMBERS
        for attribute in attributes:
            rate = getattr(module, attribute, None)
            if isinstance(rate, float | int) and not isinstance(rate, bool) and rate > 0.0:
                label = name if attribute == "p" else f"{name}.{attribute}".lstrip(".")
                found.append((module, attribute, rate, label))
    return found
