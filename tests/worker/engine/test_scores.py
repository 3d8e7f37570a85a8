"""Scores of tasks equal those of scikit-learn and SciPy, by themselves and as a run reports them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from transformers import AutoModelForSequenceClassification

from backend.shared.specs import DatasetRef
from tests.worker.engine.tiny_pack import Told, World, make_world, trained
from worker.engine.scores import scores

CLASSES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)
WORDS = ["a", "b", "c", "d", "e", "f", "g", "h"]


@given(CLASSES)
@settings(deadline=None)
def test_classes_are_scored_as_scikit_learn_scores_them(pairs: list[tuple[int, int]]) -> None:
    predicted, right = (np.array(side) for side in zip(*pairs, strict=True))
    found = scores("classification", predicted, right)
    assert found["accuracy"] == pytest.approx(accuracy_score(right, predicted))
    assert found["macro_f1"] == pytest.approx(f1_score(right, predicted, average="macro", zero_division=0))
    assert found["matthews"] == pytest.approx(matthews_corrcoef(right, predicted))


def test_one_class_only_has_no_correlation() -> None:
    found = scores("classification", np.zeros(5, int), np.array([0, 1, 0, 1, 1]))
    assert found["matthews"] == 0.0
    assert np.isnan(scores("regression", np.ones(5), np.arange(5.0))["pearson"])
    assert all(np.isnan(value) for value in scores("regression", np.ones(1), np.ones(1)).values())


@pytest.fixture
def pairs(tmp_path: Path) -> World:
    """A tiny encoder and pairs of sentences with a number each."""
    return make_world(tmp_path, "bert", "regression")


def test_regression_reports_the_correlations_of_its_adapter(pairs: World, tmp_path: Path) -> None:
    """Predictions by stock PEFT on the exported adapter, correlations by SciPy; validation and test rows."""
    arm = pairs.arm("none", epochs=6).model_copy(
        update={"train_rows": 40, "validation_rows": 16, "test_rows": 10, "probe_rows": 8}
    )
    told = trained(pairs, tmp_path / "runs", {"run": arm})
    values, final = told.values("run")[-1], told.final("run")
    data = _rows(pairs, told, arm)
    for split in ("validation", "test"):
        predicted, right = _predict(pairs, told, data[split])
        assert values[f"{split}/pearson"] == pytest.approx(stats.pearsonr(predicted, right).statistic, abs=1e-4)
        assert values[f"{split}/spearman"] == pytest.approx(stats.spearmanr(predicted, right).statistic, abs=1e-4)
        assert values[f"{split}/loss"] == pytest.approx(np.mean((predicted - right) ** 2), rel=1e-4)
    assert final["validation/loss_fp32"] == pytest.approx(values["validation/loss"], rel=1e-5)
    assert "validation/accuracy" not in values
    assert "probe/accuracy" not in values


def test_test_rows_are_other_rows_and_measured_once(pairs: World, tmp_path: Path) -> None:
    arm = pairs.arm("none").model_copy(update={"validation_rows": 16, "test_rows": 10})
    told = trained(pairs, tmp_path / "runs", {"run": arm})
    first, last = told.values("run")
    assert not any(name.startswith("test/") for name in first)
    assert {"test/loss", "test/loss_se", "test/pearson", "test/spearman"} <= set(last)
    data = _rows(pairs, told, arm)
    seen = {split: {ids.tobytes() for ids in rows.input_ids} for split, rows in data.items()}
    assert len(data["test"]) == 10
    assert seen["validation"].isdisjoint(seen["test"])


@pytest.mark.parametrize("kind", ["kl", "kl_both", "js_paper", "js", "js_hiddencut"])
def test_consistency_of_a_regression_is_the_squared_difference(pairs: World, tmp_path: Path, kind: str) -> None:
    """With two passes that differ, the loss of the first step is the task's plus the weighted squared difference."""
    from tests.worker.engine.test_against_peft import a_place

    place = a_place(pairs, tmp_path, "hiddenkey")
    method = {**place.slot.arm.method, "consistency": {"kind": kind, "weight": 0.7}}
    arm = place.slot.arm.model_copy(update={"method": method})
    from backend.shared.specs import RunSpec
    from worker.engine.single.step import SingleSlot

    run = place.slot.run.model_copy(update={"spec": RunSpec(arm=arm, seed=place.slot.seed)})
    slot = SingleSlot(run, place.slot.host, place.slot.host.hooked.attention_layers, place.slot.steps)
    batch = place.data.batch(0)
    with torch.no_grad():
        first = slot.outputs(batch, slot.drops(batch, 0, 0))[1].squeeze(-1)
        clean = kind in ("js_paper", "js_hiddencut")
        second = slot.outputs(batch, None if clean else slot.drops(batch, 0, 1))[1].squeeze(-1)
        own, other = ((side - batch.labels).square().mean() for side in (first, second))
    task = {"kl": own, "js_paper": own, "kl_both": (own + other) / 2, "js": (own + other) / 2}.get(kind, own + other)
    assert not torch.equal(first, second)
    assert float(slot.loss(batch, 0).detach()) == pytest.approx(
        float(task + 0.7 * (first - second).square().mean()), rel=1e-5
    )


def _rows(world: World, told: Told, arm: object) -> dict[str, object]:
    from backend.shared.catalogue import model_location
    from worker import data as datasets
    from worker.models.base import load_tokenizer

    tokenizer = load_tokenizer(model_location(world.home, world.model.id))
    dataset = datasets.load(DatasetRef(id=world.data.id, content_hash=world.data.content_hash), world.task, world.home)
    drawn = datasets.draw(datasets.tokenise(dataset, arm.model, tokenizer, 32, world.home), arm, 0)
    return {"validation": drawn.validation, "test": drawn.test}


def _predict(world: World, told: Told, rows: object) -> tuple[np.ndarray, np.ndarray]:
    from backend.shared.catalogue import model_location

    base = AutoModelForSequenceClassification.from_pretrained(model_location(world.home, world.model.id), num_labels=1)
    model = PeftModel.from_pretrained(base, told.artifact("run").folder).eval()
    with torch.no_grad():
        said = [model(input_ids=torch.tensor(ids[None]).long()).logits.item() for ids in rows.input_ids]
    return np.array(said), np.asarray(rows.labels, np.float64)
