"""The adapter of a run, downloaded, loads in stock PEFT and gives the loss that the run recorded."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import yaml
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from backend.shared.catalogue import model_location
from backend.shared.specs import ArmKeySpec
from tests.e2e.stack import STUDY, Stack
from worker.data import draw, load, tokenise

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]  # one stack for both files


def test_adapter_reproduces_the_recorded_loss(stack: Stack, finished_study: str, tmp_path: Path) -> None:
    """`validation/loss_fp32` to 1e-4, for the method that drops most; nothing of ours computes the loss."""
    with stack.http as http:
        runs = http.get(f"/api/v1/studies/{finished_study}/runs", params={"limit": 100}).json()["items"]
        run = next(run for run in runs if run["method"] == "hiddenkey" and run["seed"] == runs[-1]["seed"])
        detail = http.get(f"/api/v1/runs/{run['id']}").json()
        artifact = http.get(f"/api/v1/runs/{run['id']}/artifacts").json()["items"][0]
        archive = http.get(f"/api/v1/artifacts/{artifact['id']}/download").content
        same = http.post("/api/v1/studies/preview", json=yaml.safe_load(_member(archive, "reproduce.yaml"))).json()
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    folder = next(path.parent for path in tmp_path.rglob("adapter_config.json"))

    arm = ArmKeySpec.model_validate(detail["spec"]["arm"])
    source = model_location(stack.home, arm.model.id)
    dataset = load(arm.dataset, arm.task, stack.home)
    tokenizer = AutoTokenizer.from_pretrained(source)
    tokens = tokenise(dataset, arm.model, tokenizer, arm.training.max_length, stack.home)
    rows = draw(tokens, arm, run["seed"]).validation
    model = PeftModel.from_pretrained(AutoModelForSequenceClassification.from_pretrained(source, num_labels=2), folder)
    model.eval()
    with torch.no_grad():
        losses = [
            cross_entropy(model(input_ids=torch.tensor(ids)[None]).logits, torch.tensor([label])).item()
            for ids, label in zip([row.tolist() for row in rows.input_ids], rows.labels.tolist(), strict=True)
        ]
    assert len(losses) == STUDY["validation_rows"]
    assert [arm["key"] for arm in same["arms"]] == [arm.key()], "the study file comes to another arm"
    assert same["problems"] == []
    _try_the_card(folder, source)
    recorded = detail["final"]["validation/loss_fp32"]
    assert sum(losses) / len(losses) == pytest.approx(recorded, abs=1e-4)


def _member(archive: bytes, name: str) -> bytes:
    return zipfile.ZipFile(io.BytesIO(archive)).read(name)


def _try_the_card(folder: Path, base: Path) -> None:
    """Run the code blocks of the model card, one after the other, as a person would paste them."""
    card = (folder / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert "validation loss: " in card
    assert "against the baseline: " in card
    code = "\n".join(re.findall(r"```python\n(.*?)```", card, re.DOTALL))
    code += "\nassert model.training and sum(p.requires_grad for p in model.parameters()) > 0\n"
    environment = {**os.environ, "ADAPTER": str(folder), "BASE_MODEL": str(base), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "tensor(" in done.stdout
