"""docs/api.md as a stranger would use it: every example is carried out against a server with accounts and a worker."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from backend.accounts import service as accounts
from backend.shared.catalogue import dataset_folder
from backend.shared.database import open_database
from backend.shared.settings import Settings
from tests.e2e.stack import Stack, start
from tests.team.people import API, PASSWORD

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
MINUTES = 5
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("examples")]  # one stack


def examples() -> dict[str, str]:
    """Heading → the code that is to be run under it; every block that is not marked as text, JSON or YAML."""
    found: dict[str, str] = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.M):
        for language, code in re.findall(r"^```(\w+)\n(.*?)^```", section, flags=re.M | re.S):
            if language not in ("text", "json", "yaml"):
                found[f"{section.splitlines()[0]}: {language}"] = code
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded stack with accounts and one worker."""
    home = tmp_path_factory.mktemp("api") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DROPSCOPE_AUTH", "on")
        patch.setenv("DROPSCOPE_WORKERS", "1")
        running = start(home)
        yield running
        running.process.send_signal(signal.SIGINT)
        running.process.wait(30)


@pytest.fixture(scope="module")
def environment(stack: Stack) -> dict[str, str]:
    """What the page tells a reader to set: the server's address, and a token made on the server."""
    database = open_database(Settings(home=stack.home))
    secret = accounts.setup_secret(database)
    database.close()
    new = {"secret": secret, "email": "ada@example.org", "name": "Ada", "password": PASSWORD}
    assert httpx.post(f"{stack.url}{API}/auth/setup", json=new, timeout=30).status_code == 200
    binaries = Path(sys.executable).parent
    command = [str(binaries / "dropscope"), "token", "create", "--email", "ada@example.org", "--scope", "run"]
    made = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=True, timeout=60)
    path = os.pathsep.join([str(binaries), os.environ["PATH"]])
    return {
        "PATH": path,
        "HOME": str(stack.home.parent),
        "DROPSCOPE_URL": stack.url,
        "DROPSCOPE_TOKEN": made.stdout.strip(),
    }


@pytest.fixture
def folder(stack: Stack, tmp_path: Path) -> Path:
    """A stranger's folder with their reviews."""
    rows = (dataset_folder(stack.home, "rotten-tomatoes") / "train.jsonl").open()
    with (tmp_path / "reviews.csv").open("w", newline="") as file, rows:
        writer = csv.writer(file)
        writer.writerow(["review", "stars"])
        for row in map(json.loads, islice(rows, 300)):
            writer.writerow([row["text"], "many" if row["label"] else "few"])
    return tmp_path


LEFT_BEHIND = {
    "With curl: sh": ("evaluations.csv",),
    "In Python: python": ("losses.html", "adapter/adapter_config.json", "adapter/adapter_model.safetensors"),
    "On the command line: sh": ("result.json", "cli-adapter/adapter_model.safetensors"),
}


def test_every_example_is_known() -> None:
    assert set(examples()) == set(LEFT_BEHIND)


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_an_example_does_what_it_says(name: str, environment: dict[str, str], folder: Path) -> None:
    code, begun = examples()[name], time.monotonic()
    command = ["bash", "-euo", "pipefail", "-c", code] if name.endswith("sh") else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60 * MINUTES)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in LEFT_BEHIND[name]:
        assert (folder / file).stat().st_size > 0, (file, done.stdout)
    sys.stdout.write(f"{name}: {time.monotonic() - begun:.0f} s\n{done.stdout}\n")
    if name.startswith("With curl"):
        assert len(list(csv.DictReader((folder / "evaluations.csv").open()))) == 2 * 2 * 2
    if name.startswith("On the command"):
        result = json.loads((folder / "result.json").read_text())
        assert [arm["counts"]["succeeded"] for arm in result["arms"]] == [3, 3]
