"""One stack and its small finished study for all end-to-end tests; a page server and a browser for each file."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.chromium import Watched, chromium
from tests.e2e.page_server import Served, served
from tests.e2e.stack import STUDY, Stack, start


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """One stack for the whole session, stopped in order at its end."""
    home = Path(tempfile.mkdtemp(prefix="dropscope-"))
    running = start(home)
    yield running
    running.process.send_signal(signal.SIGINT)
    running.process.wait(30)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def finished_study(stack: Stack) -> str:
    """Id of a small real study, all of whose runs succeeded."""
    study_id = stack.queue(STUDY)
    study = stack.wait(study_id)
    assert study["counts"]["succeeded"] == study["counts"]["total"] == 12, study["counts"]
    return study_id


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of the page, whose runs a puppet trains."""
    with served(tmp_path_factory.mktemp("page")) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def watched(service: Served, browser: Browser) -> Iterator[Watched]:
    """A page of the server that must end without an error in its console and without a request to another host."""
    watched = Watched(browser, service.url)
    yield watched
    watched.close()
