"""MiniLM trained for real: the correlations of a run are scikit-learn's and SciPy's of what stock PEFT answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from scipy import stats
from sklearn.metrics import matthews_corrcoef
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from backend.datasets.files.importing import ImportPlan, import_rows
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.facts import DatasetFacts
from backend.shared.rows.row import ColumnMapping
from backend.shared.specs import ArmKeySpec, Task
from tests.worker.data.stored import store
from tests.worker.engine.tiny_pack import Told, World, minilm_world, trained
from worker import data as datasets

DATA = Path(__file__).parents[4] / "shared" / "data"
COLA, STSB = DATA / "cola", DATA / "stsb"
ROWS = 96
pytestmark = [pytest.mark.slow]


def run(tmp_path: Path, data: DatasetFacts, task: Task) -> tuple[World, ArmKeySpec, Told]:
    """One run of MiniLM in fp32 on as many rows as it is judged on."""
    known = minilm_world(tmp_path)
    world = World(known.home, known.model, data, task, known.targets, known.weights, known.layers)
    arm = world.arm("hiddenkey_minus", 0.1, epochs=8, batch_size=16, learning_rate=1e-3, evaluations=1)
    arm = arm.model_copy(update={"train_rows": ROWS, "validation_rows": ROWS, "probe_rows": 16})
    torch.set_num_threads(1)
    told = trained(world, tmp_path / "runs", {"run": arm})
    assert not told.only("run", "failed"), told.only("run", "failed")
    return world, arm, told


def outputs(world: World, arm: ArmKeySpec, told: Told) -> tuple[np.ndarray, np.ndarray]:
    """What the exported adapter says of the validation rows in stock PEFT [R, C], and what is right [R]."""
    adapter = told.artifact("run").folder
    dataset = datasets.load(arm.dataset, arm.task, world.home)
    tokens = datasets.tokenise(dataset, arm.model, AutoTokenizer.from_pretrained(adapter), 32, world.home)
    rows = datasets.draw(tokens, arm, 0).validation
    base = AutoModelForSequenceClassification.from_pretrained(world.weights, num_labels=dataset.outputs)
    model = PeftModel.from_pretrained(base, adapter).eval()
    with torch.no_grad():
        said = [
            model(input_ids=_one(ids), token_type_ids=_one(types)).logits[0].numpy()
            for ids, types in zip(
                rows.input_ids, rows.token_type_ids or map(np.zeros_like, rows.input_ids), strict=True
            )
        ]
    return np.stack(said), np.asarray(rows.labels)


def _one(ids: np.ndarray) -> torch.Tensor:
    """A batch of one row: int64 [1, N]."""
    return torch.tensor(ids[None]).long()


@pytest.mark.skipif(not COLA.is_dir(), reason="../shared/data/cola is not here")
def test_matthews_on_cola_is_scikit_learns(tmp_path: Path) -> None:
    rows: list[tuple[str, dict[str, Any]]] = []
    for split in ("train", "validation"):
        found = [json.loads(line) for line in (COLA / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]
        for label in (0, 1):  # as many of each: else so short a run says that every sentence is acceptable
            some = [row for row in found if row["label"] == label][:ROWS]
            rows += [(split, {**row, "label": str(label)}) for row in some]
    world, arm, told = run(tmp_path, store(tmp_path, "cola", "classification", rows), "classification")
    said, right = outputs(world, arm, told)
    expected = matthews_corrcoef(right, said.argmax(1))
    assert len(right) == ROWS
    assert len(set(said.argmax(1).tolist())) == 2, "a run that says one thing only has a correlation of 0 anyhow"
    assert told.values("run")[-1]["validation/matthews"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.skipif(not STSB.is_dir(), reason="../shared/data/stsb is not here")
def test_pearson_on_pairs_of_stsb_is_scipys(tmp_path: Path) -> None:
    """How alike two sentences are, from the files as they are published, read as anybody's files are."""
    folder = datasets_root(tmp_path) / "stsb"
    folder.mkdir(parents=True)
    plan = ImportPlan(task="regression", mapping=ColumnMapping())
    naming = {"id": "stsb", "title": "STS-B", "builtin": False, "source": "test", "licence": "CC BY-SA 4.0"}
    data = import_rows(folder, STSB / "train.jsonl", STSB / "validation.jsonl", plan, naming)
    assert (data.read, data.rows["validation"]) == (7249, 1500)
    world, arm, told = run(tmp_path, data, "regression")
    said, right = outputs(world, arm, told)
    values = told.values("run")[-1]
    expected = stats.pearsonr(said[:, 0], right).statistic
    assert np.std(said) > 0.05, "a correlation of what says the same of every row is that of rounding"
    assert values["validation/pearson"] == pytest.approx(expected, abs=1e-5)
    assert values["validation/spearman"] == pytest.approx(stats.spearmanr(said[:, 0], right).statistic, abs=1e-5)
    assert told.final("run")["validation/loss_fp32"] == pytest.approx(np.mean((said[:, 0] - right) ** 2), abs=1e-4)
