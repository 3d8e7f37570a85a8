"""A worker that is killed in mid-study costs time and nothing else: same numbers, same adapters."""

import csv
import io
import os
import signal
import sqlite3
import time
from typing import Any

import pytest

from backend.shared.metrics import recorded
from tests.e2e.stack import STUDY, Stack

pytestmark = pytest.mark.faults
DETERMINISTIC = [metric.name for metric in recorded() if metric.deterministic]


def outcome(stack: Stack, study_id: str) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """All deterministic numbers of a study by (arm, seed, step), and the SHA-256 of every adapter and ledger by run."""
    with stack.http as http:
        exported = http.get(f"/api/v1/studies/{study_id}/export.csv").text
        runs = http.get(f"/api/v1/studies/{study_id}/runs", params={"limit": 200}).json()["items"]
        left = {
            (run["arm_label"], run["seed"]): http.get(f"/api/v1/runs/{run['id']}/artifacts").json()["items"]
            for run in runs
        }
    numbers = {
        (row["arm"], row["seed"], row["step"]): [row[name] for name in DETERMINISTIC]
        for row in csv.DictReader(io.StringIO(exported))
    }
    hashes = {
        key: {
            (one["kind"], file["name"]): file["sha256"]
            for one in found
            for file in one["files"]
            if "safetensors" in file["name"]
        }
        for key, found in left.items()
    }
    return numbers, hashes


def busy_worker(stack: Stack, study_id: str, dead: set[int], timeout_s: float = 120.0) -> int:
    """Pid of a living worker that has trained a few steps of a run of this study and is not yet done with it."""
    query = """SELECT workers.pid FROM runs JOIN workers ON workers.id = runs.worker_id
               WHERE runs.study_id = ? AND runs.status = 'running' AND runs.step BETWEEN 2 AND runs.total_steps - 4"""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        with sqlite3.connect(f"file:{stack.home / 'dropscope.db'}?mode=ro", uri=True) as database:
            found = {int(pid) for (pid,) in database.execute(query, (study_id,))} - dead
        if found:
            return found.pop()
        time.sleep(0.05)
    raise AssertionError("no worker was seen in mid-run")


@pytest.mark.timeout(600)
def test_killed_worker_changes_nothing(stack: Stack) -> None:
    """`kill -9` of the worker's whole process group, twice; the study's numbers and adapters equal the undisturbed."""
    two_arms = {**STUDY, "arms": [STUDY["arms"][0], STUDY["arms"][-1]], "seeds": 2}
    first = stack.queue(two_arms)
    assert stack.wait(first)["counts"]["succeeded"] == 4
    undisturbed = outcome(stack, first)
    study_id = stack.queue({**two_arms, "name": "killed twice"})
    killed: set[int] = set()
    while len(killed) < 2:
        pid = busy_worker(stack, study_id, killed)
        os.killpg(os.getpgid(pid), signal.SIGKILL)
        killed.add(pid)
    study = stack.wait(study_id)
    assert study["counts"]["succeeded"] == study["counts"]["total"]
    with stack.http as http:
        runs = http.get(f"/api/v1/studies/{study_id}/runs", params={"limit": 200}).json()["items"]
        attempts = [http.get(f"/api/v1/runs/{run['id']}").json()["attempts"] for run in runs]
    assert sum(attempt["end"] == "lost" for tried in attempts for attempt in tried) >= 2
    assert outcome(stack, study_id) == undisturbed
