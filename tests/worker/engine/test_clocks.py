"""The two clocks of a run: what is kept of its best evaluation, and what is said of the test rows at both."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForSequenceClassification

from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import Artifact, Drain
from tests.worker.engine.test_against_peft import a_place
from tests.worker.engine.tiny_pack import Told, World, start, trained
from worker.engine.batches import Batch
from worker.engine.clocks import note
from worker.engine.loaded import Warm
from worker.engine.pack import prepare, run_pack
from worker.engine.place import Place

NAN = math.nan


def turning(world: World, method: str = "none", **training: Any) -> ArmKeySpec:
    """An arm that is best before its end, with test rows."""
    arm = world.arm(method, **{"epochs": 8, "evaluations": 8, "learning_rate": 0.2, **training})
    return arm.model_copy(update={"validation_rows": 7, "test_rows": 5})


def best_step(told: Told, run: str, name: str = "validation/loss") -> int:
    """The first step with the lowest (for a score, highest) recorded value."""
    sign = 1 if name.endswith("loss") else -1
    return min(told.only(run, "evaluation"), key=lambda event: sign * event.values[name]).step


def adapters(told: Told, run: str = "run") -> list[Artifact]:
    """What a run left beside its ledger."""
    return [event for event in told.only(run, "artifact") if event.kind != "ledger"]


def noted(place: Place, losses: list[float], name: str = "validation/loss") -> list[tuple[int, int]]:
    """Evaluations after steps 1, 2, …: which one is the best so far, and how many have not improved."""
    slot, seen = place.slot, []
    for step, value in enumerate(losses, 1):
        slot.progress.step = step
        slot.parameters.values.fill_(step)
        note(slot, {"validation/loss": 1.0, name: value})
        assert slot.kept is not None
        assert float(slot.kept[0]) == slot.progress.best_step
        seen.append((slot.progress.best_step, slot.progress.waited))
    return seen


def test_the_first_of_equal_evaluations_is_kept_and_none_without_a_number(bert_world: World, tmp_path: Path) -> None:
    place = a_place(bert_world, tmp_path, "none")
    found = noted(place, [NAN, 0.7, 0.5, 0.5, NAN, 0.6, 0.4])
    assert found == [(1, 1), (2, 0), (3, 0), (3, 1), (3, 2), (3, 3), (7, 0)]


def test_a_small_gain_is_kept_but_is_no_improvement(bert_world: World, tmp_path: Path) -> None:
    """Small gains add up: what counts is how far below the last improvement a loss is."""
    place = a_place(bert_world, tmp_path, "none", min_delta=0.1)
    assert noted(place, [1.0, 0.95, 0.89, 0.85]) == [(1, 0), (2, 1), (3, 0), (4, 1)]


def test_kept_by_the_score_the_highest_is_best(bert_world: World, tmp_path: Path) -> None:
    place = a_place(bert_world, tmp_path, "none", keep_by="score")
    assert noted(place, [0.5, 0.75, 0.75, 0.6], "validation/accuracy") == [(1, 0), (2, 0), (2, 1), (2, 2)]


@pytest.mark.parametrize("keep_by", ["loss", "score"])
def test_both_clocks_are_told_with_the_last_evaluation(turning_world: World, tmp_path: Path, keep_by: str) -> None:
    told = trained(turning_world, tmp_path, {"run": turning(turning_world, keep_by=keep_by)})
    *before, last = told.only("run", "evaluation")
    best = best_step(told, "run", "validation/loss" if keep_by == "loss" else "validation/accuracy")
    assert 0 < best < last.step
    assert last.values["stopped_step"] == best
    assert last.values["test_stopped/loss"] != last.values["test/loss"]
    assert not any(name.startswith(("test", "stopped")) for event in before for name in event.values)
    kept = {event.kind: (event.step, event.clocks) for event in adapters(told)}
    assert kept == {"adapter": (last.step, ("last",)), "adapter_stopped": (best, ("stopped",))}


def test_where_the_last_evaluation_is_the_best_one_adapter_is_both(turning_world: World, tmp_path: Path) -> None:
    told = trained(turning_world, tmp_path, {"run": turning(turning_world, epochs=1, evaluations=1)})
    (event,) = adapters(told)
    assert (event.kind, event.step, event.clocks) == ("adapter", 3, ("last", "stopped"))
    values = told.only("run", "evaluation")[-1].values
    assert values["stopped_step"] == 3
    for name in ("loss", "loss_se", "accuracy", "macro_f1", "matthews"):
        assert values[f"test_stopped/{name}"] == values[f"test/{name}"]


@pytest.mark.parametrize(
    ("keep", "kinds"), [("best", ["adapter_stopped"]), ("last", ["adapter"]), ("both", ["adapter", "adapter_stopped"])]
)
def test_adapters_are_kept_as_asked_and_numbers_told_all_the_same(
    turning_world: World, tmp_path: Path, keep: str, kinds: list[str]
) -> None:
    both = trained(turning_world, tmp_path / "both", {"run": turning(turning_world)})
    told = trained(turning_world, tmp_path / "told", {"run": turning(turning_world, keep=keep)})
    assert [event.kind for event in adapters(told)] == kinds
    assert told.values("run") == both.values("run")
    assert told.final("run") == both.final("run")
    for kind in [*kinds, "ledger"]:
        assert told.artifact("run", kind).files == both.artifact("run", kind).files
    assert sorted(path.name for path in (tmp_path / "told" / "run").glob("adapter*")) == [
        kind.replace("_", "-") for kind in kinds
    ]


def test_the_kept_adapter_gives_the_recorded_losses_in_stock_peft(turning_world: World, tmp_path: Path) -> None:
    arm = turning(turning_world, "hiddenkey")
    told = trained(turning_world, tmp_path, {"run": arm})
    evaluations = {event.step: event.values for event in told.only("run", "evaluation")}
    kept = told.artifact("run", "adapter_stopped")
    place = _place(turning_world, tmp_path / "again", arm)
    assert kept.step == best_step(told, "run") < max(evaluations)
    validation = peft_loss(turning_world, kept.folder, place.data.validation)
    assert evaluations[kept.step]["validation/loss"] == pytest.approx(validation, abs=1e-5)
    assert told.final("run")["validation_stopped/loss_fp32"] == evaluations[kept.step]["validation/loss"]
    for folder, name in ((kept.folder, "test_stopped/loss"), (told.artifact("run").folder, "test/loss")):
        loss = peft_loss(turning_world, folder, place.data.test)
        assert evaluations[max(evaluations)][name] == pytest.approx(loss, abs=1e-5)


def test_drained_behind_its_best_evaluation_a_run_keeps_the_same(turning_world: World, tmp_path: Path) -> None:
    """The kept values go along in the checkpoint, at the best evaluation and behind it."""
    arms = {"run": turning(turning_world)}
    whole = trained(turning_world, tmp_path / "whole", arms)
    best = best_step(whole, "run")
    for step in (best, best + 1, best + 4):

        def drained(told: Told, step: int = step) -> list[Drain]:
            return [Drain()] if len(told.losses("run")) >= step else []

        first = trained(turning_world, tmp_path / f"first-{step}", arms, drained, checkpoint_s=0)
        folder = first.only("run", "checkpoint")[-1].folder
        again = trained(turning_world, tmp_path / f"again-{step}", arms, resume_from={"run": folder})
        assert again.only("run", "started")[0].step == step
        assert again.kept("run") == whole.kept("run")
        assert again.values("run")[-1] == whole.values("run")[-1]
        assert again.final("run") == whole.final("run")


@pytest.mark.slow
def test_a_stack_keeps_what_the_loop_keeps_and_goes_on_undisturbed(turning_world: World, tmp_path: Path) -> None:
    """The kept values are borrowed into their lanes for the test rows, of all runs at once."""
    names = ("none", "hiddenkey", "dropattention")
    arms = {name: turning(turning_world, name, rank=(2, 4, 8)[at]) for at, name in enumerate(names)}
    loop = trained(turning_world, tmp_path / "loop", arms)
    told = Told()
    warm = Warm(turning_world.home, torch.device("cpu"), stacked=True, stream="philox")
    assert run_pack(start(turning_world, tmp_path / "stack", arms), warm, told, list)
    for name in arms:
        ours, theirs = told.values(name)[-1], loop.values(name)[-1]
        assert ours == pytest.approx(theirs, rel=5e-3, abs=1e-5), name
        assert {event.kind for event in adapters(told, name)} == {"adapter", "adapter_stopped"}
        left, right = told.adapter(name, "adapter_stopped"), loop.adapter(name, "adapter_stopped")
        assert all(torch.allclose(left[key], right[key], atol=5e-3) for key in left), name


def _place(world: World, folder: Path, arm: ArmKeySpec) -> Place:
    (place,) = prepare(start(world, folder, {"run": arm}).runs, Warm(world.home, torch.device("cpu")), print)
    return place


def peft_loss(world: World, folder: str, batches: list[Batch]) -> float:
    """Mean loss of an adapter's rows by stock transformers and PEFT."""
    base = AutoModelForSequenceClassification.from_pretrained(world.weights, dtype=torch.float32, num_labels=2)
    model = PeftModel.from_pretrained(base, folder).eval()
    losses = []
    with torch.no_grad():
        for batch in batches:
            layout, flat = batch.packed.layout, batch.packed.input_ids[0]
            for row, length in enumerate(layout.lengths):
                ids = flat[layout.first[row] : layout.first[row] + length][None]
                said = model(input_ids=ids).logits
                losses.append(float(nn.functional.cross_entropy(said, batch.labels[row : row + 1])))
    return float(np.mean(losses))
