"""`make bench-gpu` on a machine without a GPU: it says so, and its parts work on tiny models."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.slow


def bench(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    command = [sys.executable, "-m", "tests.bench.gpu", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=560, check=False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, so the script would measure it")
def test_without_a_gpu_it_says_so_in_a_sentence() -> None:
    done = bench()
    assert done.returncode == 2
    assert done.stdout.strip() == "This benchmark needs a GPU that torch can use, and none is here."
    assert not done.stderr


@pytest.mark.timeout(600)
def test_both_sides_and_every_figure_on_tiny_models(shared_dir: Path) -> None:
    done = bench("--device", "cpu", "--tiny", "--rounds", "1", "--shapes", "roberta-base", "llama-1.1b")
    assert done.returncode == 0, done.stderr[-3000:]
    for shape in ("roberta-base", "llama-1.1b"):
        for figure in ("tuned", "hiddenkey_minus over plain", "hiddenkey over hiddenkey_minus"):
            assert f"{shape} {figure}: " in done.stdout
    assert "aten::bmm" in done.stdout
    assert "floor_ms" in done.stdout
