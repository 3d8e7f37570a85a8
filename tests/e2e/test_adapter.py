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
    model = PeftModel.from_pretrained(AutoModelForSequenceClassification.from_pretrained(source, num_labels=2), folder)
    assert [arm["key"] for arm in same["arms"]] == [arm.key()], "the study file comes to another arm"
    assert same["problems"] == []
    _try_the_card(folder, source)
    recorded = detail["final"]["validation/loss_fp32"]
    assert _loss(stack, arm, run["seed"], model.eval()) == pytest.approx(recorded, abs=1e-4)


def test_the_command_takes_it_home_and_merged(stack: Stack, finished_study: str, tmp_path: Path) -> None:
    """`dropscope adapter` as a person types it; the merged model loads without PEFT and gives the recorded loss."""
    with stack.http as http:
        run = http.get(f"/api/v1/studies/{finished_study}/runs").json()["items"][0]
        detail = http.get(f"/api/v1/runs/{run['id']}").json()
    adapter, merged = tmp_path / "adapter", tmp_path / "merged"
    assert "its README.md says how to load it" in _command(stack, run["id"], str(adapter)).stdout
    assert {"adapter_model.safetensors", "README.md", "reproduce.yaml"} <= {path.name for path in adapter.iterdir()}
    assert "stock transformers loads it" in _command(stack, run["id"], str(merged), "--merged").stdout
    arm = ArmKeySpec.model_validate(detail["spec"]["arm"])
    model = AutoModelForSequenceClassification.from_pretrained(merged).eval()
    assert not any("lora" in name for name, _ in model.named_parameters())
    assert model.config.id2label == {0: "fresh", 1: "rotten"}
    recorded = detail["final"]["validation/loss_fp32"]
    assert _loss(stack, arm, run["seed"], model) == pytest.approx(recorded, abs=1e-4)
    for asked, sentence in (
        ((run["id"], str(merged)), "is there already; give a new folder"),
        (("run_nothing", str(tmp_path / "no")), "The server answered 404 for the run run_nothing"),
    ):
        refused = _command(stack, *asked)
        assert (refused.returncode, sentence in " ".join(refused.stderr.split())) == (2, True), refused.stderr
    assert not (tmp_path / "no").exists()


def _command(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "dropscope"), "adapter", *arguments]
    return subprocess.run(command, env=stack.environment, capture_output=True, text=True, timeout=200)


def _loss(stack: Stack, arm: ArmKeySpec, seed: int, model: torch.nn.Module) -> float:
    """Mean cross-entropy of a model over the validation rows of a run, one row at a time."""
    source = model_location(stack.home, arm.model.id)
    dataset = load(arm.dataset, arm.task, stack.home)
    tokens = tokenise(dataset, arm.model, AutoTokenizer.from_pretrained(source), arm.training.max_length, stack.home)
    rows = draw(tokens, arm, seed).validation
    with torch.no_grad():
        losses = [
            cross_entropy(model(input_ids=torch.tensor(ids)[None]).logits, torch.tensor([label])).item()
            for ids, label in zip([row.tolist() for row in rows.input_ids], rows.labels.tolist(), strict=True)
        ]
    assert len(losses) == STUDY["validation_rows"]
    return sum(losses) / len(losses)


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
