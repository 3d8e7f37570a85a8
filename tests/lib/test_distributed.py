"""Two processes train one model with DistributedDataParallel: masks differ by process, adapters stay equal."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import os
import sys
import torch
from torch.nn.parallel import DistributedDataParallel
from tests.lib.tiny import batch, classifier
from transformer_dropout import preset
from transformer_dropout.hf import inject_dropout, two_pass_loss

torch.set_num_threads(1)
rank = int(sys.argv[1])
torch.distributed.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
model = classifier("bert").train()
injection = inject_dropout(model, preset("hiddenkey", rate=0.4), generator_seed=1)
inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
parallel = DistributedDataParallel(model, find_unused_parameters=True)

def run():
    out = parallel(**inputs)
    return out.loss, out

for _ in range(2):
    loss, first = two_pass_loss(injection, run, inputs)
    loss.backward()
gradient = model.bert.encoder.layer[0].attention.self.query.weight.grad
pieces = [torch.zeros_like(gradient) for _ in range(2)]
torch.distributed.all_gather(pieces, gradient)
outputs = [torch.zeros_like(first.logits) for _ in range(2)]
torch.distributed.all_gather(outputs, first.logits.detach())
assert torch.equal(*pieces), "gradients were not reduced"
assert not torch.equal(*outputs), "both processes drew the same masks"
assert injection.step == 1
torch.distributed.barrier()
print("equal gradients, different masks", flush=True)
os._exit(0)  # gloo's threads can abort the interpreter's own exit
"""


@pytest.mark.slow
def test_two_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM]
    started = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "meeting")], cwd=ROOT, stdout=-1, stderr=-1, text=True)
        for rank in range(2)
    ]
    for process in started:
        out, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert "equal gradients, different masks" in out
