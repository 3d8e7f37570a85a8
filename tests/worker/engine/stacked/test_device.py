"""What can be known of a GPU without one: every tensor of a step is on the device, and no step waits for it."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_a_step_stays_on_the_device_and_never_waits_for_it() -> None:
    """In a process of its own: a device, once made up, stays."""
    command = [sys.executable, "-m", "tests.worker.engine.stacked.pretended"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
