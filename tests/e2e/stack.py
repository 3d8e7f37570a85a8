"""The whole product as a process: `dropscope up` in a data folder of its own, and a small real study for it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

STUDY: dict[str, Any] = {
    "name": "small but real",
    "model": "minilm-l6",
    "dataset": "rotten-tomatoes",
    "train_rows": 48,
    "validation_rows": 48,
    "lora": {"rank": 8, "alpha": 16, "target_modules": ["query", "value"]},
    "training": {
        "epochs": 6,
        "batch_size": 8,
        "learning_rate": 4e-3,
        "max_length": 32,
        "evaluations": 3,
        "dropout_on_rows": 16,
    },
    "seeds": 3,
    "baseline": "none",
    "arms": [
        {"method": "none"},
        {"method": "adapter_dropout", "rate": 0.1},
        {"method": "hiddenkey_minus", "rate": 0.1},
        {"method": "hiddenkey", "rate": 0.1},
    ],
}


@dataclass
class Stack:
    """A running `dropscope up`: its address, its data folder, its process."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str] = field(repr=False)

    @property
    def http(self) -> httpx.Client:
        """A client as a script would make one."""
        return httpx.Client(base_url=self.url, timeout=60)

    def queue(self, study: dict[str, Any]) -> str:
        """Post a study; return its id."""
        with self.http as http:
            answer = http.post("/api/v1/studies", json=study)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def wait(self, study_id: str, timeout_s: float = 600.0) -> dict[str, Any]:
        """Wait until no run of the study is queued or running; return the study."""
        until = time.monotonic() + timeout_s
        with self.http as http:
            while time.monotonic() < until:
                study: dict[str, Any] = http.get(f"/api/v1/studies/{study_id}").json()
                if study["counts"]["queued"] + study["counts"]["running"] == 0:
                    return study
                time.sleep(0.5)
        raise AssertionError(f"the study did not end within {timeout_s} s: {study['counts']}")


def start(home: Path) -> Stack:
    """Start `dropscope up` on a free port and wait until it answers."""
    environment = {**os.environ, "DROPSCOPE_HOME": str(home), "DROPSCOPE_PORT": "0"}
    command = [str(Path(sys.executable).parent / "dropscope"), "up", "--no-browser"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    until = time.monotonic() + 60
    note = home / "stack.json"
    while time.monotonic() < until and process.poll() is None:
        if note.exists():
            url = json.loads(note.read_text())["url"]
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    return Stack(url, home, process, environment)
            except httpx.HTTPError:
                pass
        time.sleep(0.2)
    status = process.poll()
    process.terminate()  # or it would outlive the test
    process.wait(30)
    raise AssertionError(f"the stack did not start within a minute (exit status {status})")
