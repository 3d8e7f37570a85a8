"""A server with accounts, on SQLite and on both databases."""

import os
from collections.abc import Callable, Iterator

import pytest

from backend.shared.settings import Settings
from tests.backend.conftest import new_settings, postgres, settings, sqlite_settings, sqlite_template
from tests.team.people import Team, serving

__all__ = ["new_settings", "postgres", "settings", "sqlite_settings", "sqlite_template"]


@pytest.fixture
def team(new_settings: Callable[[str], Settings]) -> Iterator[Team]:
    """On SQLite, for what does not depend on the database; on Postgres where DROPSCOPE_TEST_TEAM says so."""
    with serving(new_settings(os.environ.get("DROPSCOPE_TEST_TEAM", "sqlite"))) as running:
        yield running


@pytest.fixture
def any_team(settings: Settings) -> Iterator[Team]:
    """On each of the two databases."""
    with serving(settings) as running:
        yield running
