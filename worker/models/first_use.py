"""What the first use of a model costs once a process, done before a study waits for it."""

import importlib
from contextlib import suppress


def prepare_first_use() -> None:
    """Import what every run ends with, and have transformers read its table of checkpoint formats."""
    importlib.import_module("peft")
    with suppress(ImportError, AttributeError):  # no public name: another release may have moved it
        table = importlib.import_module("transformers.conversion_mapping")
        table.get_checkpoint_conversion_mapping("bert")  # any name: compiles a thousand patterns for all of them
