"""The door for Hugging Face models: `inject_dropout`, and `ConsistencyTrainer` for losses that need two passes."""

from typing import TYPE_CHECKING, Any

from . import families
from .families import FAMILIES, Family, family_of
from .hooks import HookedSite
from .inject import inject_dropout
from .injection import Injection, Report, injection_of
from .native import NativeDropout, disable_native_dropout
from .two_pass import two_pass_loss

if TYPE_CHECKING:
    from .trainer import ConsistencyMixin, ConsistencyTrainer, DropoutCallback

__all__ = [
    "FAMILIES",
    "ConsistencyMixin",
    "ConsistencyTrainer",
    "DropoutCallback",
    "Family",
    "HookedSite",
    "Injection",
    "NativeDropout",
    "Report",
    "disable_native_dropout",
    "families",
    "family_of",
    "inject_dropout",
    "injection_of",
    "two_pass_loss",
]


def __getattr__(name: str) -> Any:
    """Import the trainer only when it is asked for: it pulls in accelerate, which the engine never needs."""
    if name in ("ConsistencyMixin", "ConsistencyTrainer", "DropoutCallback"):
        from . import trainer

        return getattr(trainer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
