"""One stack for all end-to-end tests, and one small real study that it has finished."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
