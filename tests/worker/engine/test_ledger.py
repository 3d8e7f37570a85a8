"""A run's ledger: every held-out row at both clocks, so that all that was recorded of them can be computed again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special, stats

from backend.ledger.rows import Rows, read
from backend.shared.catalogue.datasets import dataset_folder
from tests.worker.engine.test_clocks import turning
from tests.worker.engine.tiny_pack import Told, World, make_world, trained
from worker.engine.ledger import FILE, MOST_CLASSES, detail, rows, write
from worker.engine.losses import Tally


def ledger_of(told: Told, run: str = "run") -> dict[tuple[str, str], Rows]:
    (event,) = (event for event in told.only(run, "artifact") if event.kind == "ledger")
    assert list(event.files) == [FILE]
    return dict(read(Path(event.folder) / FILE))


def values_at(told: Told, step: float) -> dict[str, float]:
    return dict(next(event.values for event in told.only("run", "evaluation") if event.step == step))


def test_classes_give_the_recorded_numbers_again(turning_world: World, tmp_path: Path) -> None:
    told = trained(turning_world, tmp_path, {"run": turning(turning_world, "hiddenkey")})
    last = told.only("run", "evaluation")[-1]
    recorded = {
        ("last", "validation"): {n: last.values[f"validation/{n}"] for n in ("loss", "accuracy")},
        ("last", "test"): {n: last.values[f"test/{n}"] for n in ("loss", "accuracy")},
        ("stopped", "test"): {n: last.values[f"test_stopped/{n}"] for n in ("loss", "accuracy")},
        ("stopped", "validation"): {
            n: values_at(told, last.values["stopped_step"])[f"validation/{n}"] for n in ("loss", "accuracy")
        },
    }
    ledger = ledger_of(told)
    assert ledger.keys() == recorded.keys()
    stored = (dataset_folder(turning_world.home, "turned") / "validation.jsonl").read_text().splitlines()
    for place, said in ledger.items():
        assert said.logits is not None
        assert said.label is not None
        assert said.right is not None
        assert [json.loads(stored[number])["label"] for number in said.row] == said.label.tolist()
        assert said.loss.mean() == pytest.approx(recorded[place]["loss"], rel=1e-6)
        assert said.right.mean() == recorded[place]["accuracy"]
        nats = special.logsumexp(said.logits, 1) - said.logits[np.arange(len(said.row)), said.label.astype(int)]
        assert said.loss == pytest.approx(nats, abs=5e-3)
    held = [set(ledger["last", split].row.tolist()) for split in ("validation", "test")]
    assert (len(held[0]), len(held[1]), held[0] & held[1]) == (7, 5, set())


@pytest.mark.parametrize(("family", "task"), [("bert", "regression"), ("llama", "causal_lm")])
def test_values_and_texts_give_the_recorded_numbers_again(tmp_path: Path, family: str, task: Any) -> None:
    world = make_world(tmp_path / "home", family, task)
    arm = world.arm("none", epochs=3, evaluations=3).model_copy(update={"validation_rows": 4, "test_rows": 2})
    told = trained(world, tmp_path / "out", {"run": arm})
    recorded = told.only("run", "evaluation")[-1].values
    for split, size in (("validation", 4), ("test", 2)):
        said = ledger_of(told)["last", split]
        assert len(said.row) == size
        if task == "regression":
            assert said.predicted is not None
            assert said.label is not None
            assert said.loss.mean() == pytest.approx(recorded[f"{split}/loss"], rel=1e-6)
            assert said.loss == pytest.approx((said.predicted - said.label) ** 2, rel=1e-5)
            pearson = stats.pearsonr(said.predicted, said.label).statistic
            assert pearson == pytest.approx(recorded[f"{split}/pearson"], abs=1e-6)
        else:
            assert said.units is not None
            assert said.accuracy is not None
            assert np.average(said.loss, weights=said.units) == pytest.approx(recorded[f"{split}/loss"], rel=1e-6)
            share = np.average(said.accuracy, weights=said.units)
            assert share == pytest.approx(recorded[f"{split}/accuracy"], abs=1e-3)


def test_of_many_classes_the_chance_of_the_right_one_and_its_margin_are_kept() -> None:
    draw = np.random.default_rng(3)
    wide = draw.normal(0, 3, (2, 6, MOST_CLASSES + 1))
    labels = draw.integers(0, MOST_CLASSES + 1, 6)
    kept = detail(torch.from_numpy(wide), torch.from_numpy(labels))
    assert kept.dtype == torch.float16
    at = np.arange(6)
    for run in range(2):
        right, others = wide[run, at, labels], wide[run].copy()
        others[at, labels] = -np.inf
        tally, order = Tally(), draw.permutation(6)
        said = (torch.from_numpy(wide[run].argmax(1)), torch.from_numpy(labels))
        tally.add(torch.zeros(6), order, said, kept[run])
        found = rows("stopped", "test", "classification", MOST_CLASSES + 1, tally)
        place = np.argsort(order)
        chance = special.softmax(wide[run], 1)[at, labels]
        assert found["stopped.test.p_right"].numpy() == pytest.approx(chance[place], abs=1e-3)
        assert found["stopped.test.margin"].numpy() == pytest.approx((right - others.max(1))[place], rel=2e-3, abs=1e-3)
        assert found["stopped.test.predicted"].tolist() == wide[run].argmax(1)[place].tolist()
    few = detail(torch.from_numpy(wide[..., :3] * 1e6), torch.from_numpy(labels % 3))
    assert (few.shape, bool(torch.isfinite(few).all())) == ((2, 6, 3), True)


def test_two_hundred_ledgers_of_512_rows_take_two_megabytes(tmp_path: Path) -> None:
    from worker.data.rows import Rows as Drawn

    tally = Tally()
    said = (torch.zeros(512, dtype=torch.long), torch.zeros(512, dtype=torch.long))
    tally.add(torch.rand(512), np.arange(512), said, torch.rand(512, 2).half())
    kept: dict[str, torch.Tensor] = {}
    for clock in ("last", "stopped"):
        kept |= rows(clock, "validation", "classification", 2, tally)  # type: ignore[arg-type]
    drawn = Drawn([np.zeros(3, np.int32)] * 512, np.arange(512) % 2, lines=np.arange(512) + 60_000)
    write(tmp_path / "ledger", "classification", kept, {"validation": drawn})
    assert 200 * (tmp_path / "ledger" / FILE).stat().st_size <= 2 << 20
    again = read(tmp_path / "ledger" / FILE)["stopped", "validation"]
    assert again.row.tolist() == (np.arange(512) + 60_000).tolist()
