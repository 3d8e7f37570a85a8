"""Models are tried in the tests' own process, where torch is loaded already; `test_model_trial` starts the real one."""

from pathlib import Path
from typing import Any

import pytest

from backend.catalogue import trial
from backend.shared.facts import ModelFacts
from worker.model_trial import try_model


def try_here(folder: Path, facts: ModelFacts) -> dict[str, Any]:
    """The answer of the trial, by the same code."""
    return try_model(folder, facts.model_dump(mode="json"))


@pytest.fixture(autouse=True)
def _tried_here(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "real_trial" not in request.fixturenames:
        monkeypatch.setattr(trial, "told", try_here)


@pytest.fixture
def real_trial() -> None:
    """For a test whose models are tried by the process that tries a person's."""
