"""Two processes with accumulated batches, through the Trainer: task loss and term weigh what they weigh in one."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.lib.test_accumulation import SMOOTHED_BY_ITEMS, change, known_terms

__all__ = ["known_terms"]  # an autouse fixture

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("classification", "regression", "causal", "smoothed")
WEIGHTS = (0.0, 3.0)

# One row a process at a time, two times before a step: the four rows of the whole batch.
PROGRAM = """
import os, sys
from pathlib import Path
import pytest, torch
from tests.lib import test_accumulation
from tests.lib.test_several_processes import NAMES, WEIGHTS

folder = Path(sys.argv[1])
torch.set_num_threads(1)
test_accumulation.known_terms.__wrapped__(pytest.MonkeyPatch())
found = {}
for averaged in (True, False):
    for name in NAMES:
        for weight in WEIGHTS:
            options = {"gradient_accumulation_steps": 2, "average_tokens_across_devices": averaged}
            options |= {"ddp_backend": "gloo", "ddp_find_unused_parameters": True}
            options |= {"label_smoothing_factor": 0.1} if name == "smoothed" else {}
            head = "causal" if name == "smoothed" else name
            found[averaged, name, weight] = test_accumulation.change(folder, head, "kl", weight, 1, **options)[0]
assert torch.distributed.get_world_size() == 2
if os.environ["RANK"] == "0":
    torch.save(found, folder / "found.pt")
torch.distributed.barrier()
os._exit(0)  # gloo's threads can abort the interpreter's own exit
"""


@pytest.mark.slow
def test_accumulated_batches_of_two_processes_are_the_whole_batch(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meeting = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "CUDA_VISIBLE_DEVICES": ""}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            cwd=ROOT,
            env=os.environ | meeting | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in started:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    both = torch.load(tmp_path / "found.pt")
    for name in NAMES:
        options = {"label_smoothing_factor": 0.1} if name == "smoothed" else {}
        head = "causal" if name == "smoothed" else name
        task, with_term = (change(tmp_path, head, "kl", weight, 4, **options)[0] for weight in WEIGHTS)
        term = with_term - task
        assert term.abs().max() > 1e-3
        exact = name != "smoothed" or SMOOTHED_BY_ITEMS
        for averaged in (True, False):
            own, whole = (both[averaged, name, weight] for weight in WEIGHTS)
            if (averaged or name in ("classification", "regression")) and exact:
                torch.testing.assert_close(own, task, atol=1e-5, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")
                torch.testing.assert_close(whole - own, term, atol=1e-5, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")
            share = (whole - own).norm() / own.norm()  # each process may divide by its own tokens, and then by both
            assert share == pytest.approx(term.norm() / task.norm(), rel=0.25), (name, averaged)
