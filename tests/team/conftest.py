"""The servers of the service's tests: these ask what holds over all nouns, for everybody."""

from tests.backend.conftest import any_team, new_settings, postgres, settings, sqlite_settings, sqlite_template, team

__all__ = ["any_team", "new_settings", "postgres", "settings", "sqlite_settings", "sqlite_template", "team"]
