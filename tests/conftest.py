"""What all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of the research data and the rival yardstick, beside the checkout; they are not part of the project."""
    folder = Path(os.environ.get("DROPSCOPE_TEST_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"the research data sets are not on this machine (looked in {folder}; set DROPSCOPE_TEST_SHARED)")
    return folder
