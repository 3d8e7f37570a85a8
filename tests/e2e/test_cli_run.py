"""`dropscope run` with the real engine: beside a server that runs, and with a stack of its own that leaves nothing."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.stack import Stack, start
from tests.e2e.test_cli_messages import DROPSCOPE, dropscope

pytestmark = pytest.mark.slow
STUDY = """
name: tiny
model: minilm-l6
dataset: rotten-tomatoes
train_rows: 32
validation_rows: 32
training: {epochs: 2, batch_size: 16, learning_rate: 4.0e-3, max_length: 32, evaluations: 2}
seeds: 2
baseline: none
arms:
  - {method: none}
  - {method: dropkey, rate: 0.1}
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(STUDY)
    return file


def processes_of(home: Path) -> list[int]:
    """Processes whose environment names this home folder."""
    marker = f"DROPSCOPE_HOME={home}\0".encode()
    found = []
    for process in psutil.process_iter():
        try:
            if marker in Path(f"/proc/{process.pid}/environ").read_bytes() + b"\0":
                found.append(process.pid)
        except OSError:
            continue
    return found


def test_run_on_its_own_prints_the_table_and_leaves_nothing(study: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    answer = dropscope(home, "run", str(study), "--workers", "1")
    assert answer.returncode == 0, answer.stderr
    assert "[4/4]" in answer.stderr
    for heading in ("Arm", "Probe", "Validation", "Gap", "Accuracy", "Overfits", "(Holm)"):
        assert heading in answer.stdout
    assert "(baseline)" in answer.stdout
    assert re.search(r"\d\.\d{3}", answer.stdout)
    assert "±" not in answer.stdout, "two seeds have no interval"
    assert processes_of(home) == []
    assert not (home / "stack.json").exists()
    assert not (home / "valkey.sock").exists()


def test_run_uses_the_server_of_its_home(stack: Stack, study: Path) -> None:
    queued = dropscope(stack.home, "run", str(study))
    assert queued.returncode == 0, queued.stderr
    assert "Queued tiny: 4 runs, 2 arms" in queued.stderr
    assert stack.url in queued.stderr
    followed = dropscope(stack.home, "run", str(study), "--follow", "--json")
    assert followed.returncode == 0, followed.stderr
    comparison = json.loads(followed.stdout)
    assert [arm["method"] for arm in comparison["arms"]] == ["none", "dropkey"]
    with stack.http as http:
        served = http.get(f"/api/v1/studies/{comparison['study_id']}/comparison").json()
    assert comparison == served


def test_failed_run_is_exit_code_1_with_its_reason(study: Path, tmp_path: Path) -> None:
    answer = dropscope(tmp_path / "home", "run", str(study), "--workers", "1", DROPSCOPE_RUN_TIME_LIMIT_S="0.01")
    assert answer.returncode == 1, answer.stderr
    assert "DROPSCOPE_RUN_TIME_LIMIT_S" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_second_stack_on_one_home_is_refused(stack: Stack) -> None:
    answer = dropscope(stack.home, "up", "--no-browser", "--port", "0")
    assert answer.returncode == 1
    assert f"already running on {stack.home} at {stack.url}" in answer.stderr


def test_ctrl_c_keeps_what_was_trained(study: Path, tmp_path: Path) -> None:
    """Stopped in mid-study within ten seconds; the next `up` goes on with it."""
    home = tmp_path / "home"
    longer = study.with_name("longer.yaml")
    longer.write_text(STUDY.replace("epochs: 2", "epochs: 40"))
    environment = {**os.environ, "DROPSCOPE_HOME": str(home)}
    process = subprocess.Popen([DROPSCOPE, "run", str(longer), "--workers", "1"], env=environment)

    def steps() -> int:
        try:
            with sqlite3.connect(f"file:{home / 'dropscope.db'}?mode=ro", uri=True) as database:
                return int(database.execute("SELECT max(step) FROM runs").fetchone()[0] or 0)
        except sqlite3.Error:
            return 0

    until = time.monotonic() + 60
    while steps() < 3 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert process.wait(20) == 130
    assert time.monotonic() - asked < 10
    assert processes_of(home) == []
    stopped_at = steps()
    again = start(home)
    try:
        with again.http as http:
            study_id = http.get("/api/v1/studies").json()["items"][0]["id"]
            runs = http.get(f"/api/v1/studies/{study_id}/runs").json()["items"]
            attempts = http.get(f"/api/v1/runs/{runs[0]['id']}").json()["attempts"]
        assert stopped_at >= 3
        assert attempts[0]["end"] == "drained"
        with again.http as http:
            assert http.post(f"/api/v1/studies/{study_id}/cancel").status_code == 200
    finally:
        again.process.send_signal(signal.SIGINT)
        again.process.wait(20)
