"""The walls of the house hold: who may import whom, and what stays out of which process."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["backend.main", "backend.cli", "worker.celery_app", "worker.supervisor"])
def test_process_without_torch(module: str) -> None:
    """The API, the command line and the worker's parent process start without torch."""
    code = f"import {module}, sys; assert 'torch' not in sys.modules; assert 'transformers' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_planted_import_is_caught(tmp_path: Path) -> None:
    """`make check` fails when the API imports torch: the rule is planted in a copy and must fire."""
    for name in ("backend", "worker"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "web", "*.egg-info"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    lint = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = {"PYTHONPATH": f"{tmp_path}:{tmp_path / 'worker' / 'lib'}", "PATH": "/usr/bin:/bin"}
    clean = subprocess.run(lint, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert clean.returncode == 0, clean.stdout
    with (tmp_path / "backend" / "main.py").open("a") as file:
        file.write("\nimport torch\n")
    planted = subprocess.run(lint, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert planted.returncode == 1
    assert "backend.main -> torch" in planted.stdout
