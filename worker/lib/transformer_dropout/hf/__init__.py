"""The door for Hugging Face models: `inject_dropout`, and `ConsistencyTrainer` for the losses that need two
passes.
"""

from . import families
from .families import FAMILIES, Family, family_of
from .inject import inject_dropout
from .injection import HookedSite, Injection, Report, injection_of
from .native import NativeDropout, disable_native_dropout

__all__ = [
    "FAMILIES",
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
]
