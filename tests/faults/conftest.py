"""Fault tests run against real processes; figures are printed, so run them with -s to see."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Postgres, postgres_server, sqlite_template
from tests.faults.house import House
from tests.faults.real_engine import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What the real engine trains."""
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def build() -> Iterator[Callable[..., House]]:
    """Make a house; it is torn down, and looked through for orphans, at the end."""
    houses: list[House] = []

    def make(**given: Any) -> House:
        houses.append(House(**given))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """Valkey, two workers and the web server, running."""
    made = build()
    made.start()
    return made
