"""The walls of the house hold: who may import whom, and what stays out of which process."""

import re
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


@pytest.mark.parametrize(
    ("packages", "allowed"),
    [
        (
            ("fastapi", "starlette"),
            r"main|openapi|routes|edge/\w+|(\w+/)+(\w+_)?routes|studies/stream|accounts/(auth|audit_layer)",
        ),
        (("celery", "kombu"), r"queue/\w+"),
    ],
)
def test_who_imports_the_web_and_the_queue(packages: tuple[str, ...], allowed: str) -> None:
    """FastAPI and Starlette stand in routes and at the edge, Celery in the queue; what a noun does knows neither."""
    backend = ROOT / "backend"
    importing = re.compile(rf"^\s*(from|import) ({'|'.join(packages)})\b", re.MULTILINE)
    found = [
        path.relative_to(backend).with_suffix("")
        for path in backend.rglob("*.py")
        if importing.search(path.read_text())
    ]
    assert found
    assert not [str(path) for path in found if not re.fullmatch(allowed, path.as_posix())]


def test_no_folder_of_the_service_is_a_corridor() -> None:
    """A noun has a folder, and a folder has at most 25 rooms."""
    folders = [path for path in (ROOT / "backend").rglob("*") if path.is_dir()]
    crowded = {str(f.relative_to(ROOT)): n for f in folders if (n := len(list(f.glob("*.py")))) > 25}
    assert len(folders) > 20
    assert not crowded


@pytest.mark.slow
def test_planted_import_is_caught(tmp_path: Path) -> None:
    """`make check` fails when the API imports torch, or a noun imports upwards: both are planted in a copy."""
    for name in ("backend", "worker"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "web", "*.egg-info"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    lint = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = {"PYTHONPATH": f"{tmp_path}:{tmp_path / 'worker' / 'lib'}", "PATH": "/usr/bin:/bin"}
    clean = subprocess.run(lint, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert clean.returncode == 0, clean.stdout
    with (tmp_path / "backend" / "main.py").open("a") as file:
        file.write("\nimport torch\n")
    with (tmp_path / "backend" / "datasets" / "service.py").open("a") as file:
        file.write("\nimport backend.comparison.build\n")
    planted = subprocess.run(lint, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert planted.returncode == 1
    assert "backend.main -> torch" in planted.stdout
    assert "backend.datasets.service -> backend.comparison.build" in planted.stdout
