"""A pytest plugin for runs in a copy of the tree: says which of our modules were imported, and from where."""

import json
import os
import sys
from pathlib import Path

import pytest

REPORT = "MUTANT_IMPORTS"  # where to write it
OURS = ("backend", "worker", "transformer_dropout", "tests")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the files of our modules as a JSON list."""
    files = {
        module.__file__
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in OURS and getattr(module, "__file__", None)
    }
    Path(os.environ[REPORT]).write_text(json.dumps(sorted(files)), encoding="utf-8")
