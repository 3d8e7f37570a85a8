"""Arms with epochs and label smoothing of their own, in one pack with arms that have the study's."""

from pathlib import Path

import pytest
import torch
from transformer_dropout import Consistency
from transformer_dropout.consistency import task_loss
from transformers.trainer_pt_utils import LabelSmoother

from backend.shared.schedule import evaluation_steps
from backend.shared.specs import ArmKeySpec
from tests.worker.engine.test_early import stacked
from tests.worker.engine.test_together_or_alone import same_run
from tests.worker.engine.tiny_pack import Told, World, trained
from worker.engine.losses import TwoPasses, total_loss, unit_losses


def mixed(world: World) -> dict[str, ArmKeySpec]:
    """12 rows, 4 a step: 6 steps, 4, and 6; the shortest first, as it would set the pack's length if one did."""
    return {
        "shorter": world.arm(epochs=4 / 3, learning_rate=0.01),
        "plain": world.arm(learning_rate=0.01),
        "smoothed": world.arm(learning_rate=0.01, label_smoothing=0.3),
        "tied": world.arm("hiddenkey", learning_rate=0.01, label_smoothing=0.3),
    }


def check(told: Told, alone: dict[str, Told]) -> None:
    for name, steps in {"shorter": 4, "plain": 6, "smoothed": 6, "tied": 6}.items():
        assert told.only(name, "started")[0].total_steps == told.only(name, "finished")[0].step == steps
        assert {event.step for event in told.only(name, "evaluation")} == evaluation_steps(steps, 2)
        same_run(told, alone[name], name)


def test_a_pack_of_unlike_lengths_trains_each_run_as_it_is_alone(bert_world: World, tmp_path: Path) -> None:
    arms = mixed(bert_world)
    check(
        trained(bert_world, tmp_path / "together", arms),
        {name: trained(bert_world, tmp_path / name, {name: arm}) for name, arm in arms.items()},
    )


def test_a_stack_of_unlike_lengths_goes_on_until_its_longest_run_ends(bert_world: World, tmp_path: Path) -> None:
    """Held against the same stack in which no run is shorter: a run that ends disturbs nobody."""
    arms = mixed(bert_world)
    told = stacked(bert_world, tmp_path / "mixed", arms)
    equal = stacked(bert_world, tmp_path / "equal", arms | {"shorter": arms["plain"]})
    for name in ("plain", "smoothed", "tied"):
        same_run(told, equal, name)
    loop = trained(bert_world, tmp_path / "loop", {"shorter": arms["shorter"]})
    assert told.losses("shorter") == pytest.approx(loop.losses("shorter"), rel=1e-3)
    assert [event.step for event in told.only("shorter", "evaluation")] == [2, 4]
    loop = trained(bert_world, tmp_path / "loop two", {"tied": arms["tied"]})
    assert told.losses("tied") == pytest.approx(loop.losses("tied"), rel=1e-3)


def test_smoothing_is_that_of_transformers() -> None:
    torch.manual_seed(3)
    logits, labels = torch.randn(7, 5), torch.randint(0, 5, [7])
    expected = LabelSmoother(0.1)({"logits": logits}, labels)
    assert float(unit_losses("classification", logits, labels, 0.1).mean()) == pytest.approx(float(expected), rel=1e-6)


def test_both_passes_are_smoothed_and_what_ties_them_is_not() -> None:
    torch.manual_seed(3)
    logits, others, labels = torch.randn(7, 5), torch.randn(7, 5), torch.randint(0, 5, [7])
    passes = TwoPasses(logits, others, logits, others)
    tie = Consistency("kl_both", 0.7)

    def total(smoothing: float) -> float:
        return float(total_loss("classification", labels, tie, logits, passes, smoothing))

    def own(of: torch.Tensor, smoothing: float) -> torch.Tensor:
        return unit_losses("classification", of, labels, smoothing).mean()

    apart = task_loss("kl_both", own(logits, 0.2) - own(logits, 0.0), own(others, 0.2) - own(others, 0.0))
    assert total(0.2) - total(0.0) == pytest.approx(float(apart), rel=1e-5)


def test_a_smoothed_run_trains_otherwise_and_is_evaluated_as_the_others(bert_world: World, tmp_path: Path) -> None:
    """From one start: the first step's loss is smoothed, an evaluation without any training would not be."""
    arms = {name: bert_world.arm(learning_rate=1e-12, label_smoothing=s) for name, s in (("off", 0.0), ("on", 0.5))}
    told = trained(bert_world, tmp_path, arms)
    assert told.losses("on")[0] != pytest.approx(told.losses("off")[0], rel=1e-4)
    ours, theirs = (told.values(name)[0] for name in ("on", "off"))
    assert ours["validation/loss"] == pytest.approx(theirs["validation/loss"], rel=1e-6)
    assert ours["probe/loss"] == pytest.approx(theirs["probe/loss"], rel=1e-6)
