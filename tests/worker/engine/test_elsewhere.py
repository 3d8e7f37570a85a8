"""Runs measured on further data sets: at first as stock transformers would measure them, the same in every form."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModelForCausalLM

from backend.shared.errors import TrainingError
from backend.shared.facts import DatasetFacts
from backend.shared.run_status import FailureCode
from backend.shared.specs import AlsoSpec, ArmKeySpec, DatasetRef
from backend.shared.trainer_protocol import Drain
from tests.worker.data.stored import films, similar, store
from tests.worker.engine.tiny_pack import Told, World, make_world, start, trained
from tests.worker.models.tiny import tiny_tokenizer
from worker.data import further
from worker.engine.elsewhere import Elsewhere, Judge
from worker.engine.loaded import Warm
from worker.engine.pack import run_pack

FURTHER = "also/other/loss"


@dataclass(frozen=True)
class Abroad:
    """A world, and rows of another data set on the same machine."""

    world: World
    other: DatasetFacts

    def arm(self, method: str = "none", rows: int = 40, **settings: Any) -> ArmKeySpec:
        """An arm that is also measured there."""
        also = AlsoSpec(
            dataset=DatasetRef(id=self.other.id, content_hash=self.other.content_hash),
            task=self.other.task,
            split="validation",
            rows=rows,
        )
        arm = self.world.arm(method, **settings)
        return arm.model_copy(update={"also_measure": (also,)})


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Abroad:
    """A language model, and labelled texts that it is also measured on."""
    world = make_world(Path(tmp_path_factory.mktemp("speaking")), "llama", "causal_lm")
    return Abroad(world, store(world.home, "other", "classification", films(3, 9)))


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Abroad:
    """A classifier, and another data set with the same classes."""
    world = make_world(Path(tmp_path_factory.mktemp("judging")))
    return Abroad(world, store(world.home, "other", "classification", films(3, 9)))


def stacked(world: World, folder: Path, arms: dict[str, ArmKeySpec]) -> Told:
    told = Told()
    warm = Warm(world.home, torch.device("cpu"), stacked=True, stream="philox")
    run_pack(start(world, folder, arms), warm, told, lambda: ())
    return told


def test_before_its_first_step_a_run_is_the_base_model_of_stock_transformers(speaking: Abroad, tmp_path: Path) -> None:
    told = trained(speaking.world, tmp_path, {"none": speaking.arm()})
    model = AutoModelForCausalLM.from_pretrained(speaking.world.weights).eval()
    tokenizer, losses = tiny_tokenizer(encoder=False), []
    folder = speaking.world.home / "datasets" / "other"
    for line in (folder / "validation.jsonl").read_text().splitlines():
        ids = torch.tensor([tokenizer(json.loads(line)["text"])["input_ids"] + [tokenizer.eos_token_id]])
        ids = ids[:, :32]
        with torch.no_grad():
            logits = model(ids).logits
        losses.append(F.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="none"))
    first = told.only("none", "evaluation")[0]
    assert first.step == 0
    assert first.extra[FURTHER] == pytest.approx(float(torch.cat(losses).mean()), rel=1e-5)
    assert "probe/loss" not in first.values
    assert first.values["validation/loss"] > 0
    steps = [event.step for event in told.only("none", "evaluation")]
    assert steps == [0, 3, 6]
    assert all(FURTHER in event.extra for event in told.only("none", "evaluation"))
    assert len({event.extra[FURTHER] for event in told.only("none", "evaluation")}) == 3


def test_the_base_model_is_measured_once_for_runs_that_are_it(
    speaking: Abroad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times, own = [], Elsewhere.measure

    def counted(one: Elsewhere, form: Judge, seats: Collection[int]) -> dict[int, dict[str, float]]:
        times.extend([1] if seats else [])
        return own(one, form, seats)

    monkeypatch.setattr(Elsewhere, "measure", counted)
    arms = {
        name: speaking.arm(name, rank=rank) for name, rank in (("none", 2), ("hiddenkey", 4), ("hiddencut_span", 8))
    }
    told = trained(speaking.world, tmp_path, arms)
    assert len({told.only(name, "evaluation")[0].extra[FURTHER] for name in arms}) == 1
    assert len(times) == 1 + 3 * 2


def test_a_classifier_is_measured_anew_for_each_seed_whose_head_is_another(judging: Abroad, tmp_path: Path) -> None:
    warm, found = Warm(judging.world.home, torch.device("cpu")), []
    for seed in (0, 1):
        told = Told()
        command = start(judging.world, tmp_path / str(seed), {"none": judging.arm()}, seed=seed)
        run_pack(command, warm, told, lambda: ())
        found.append(told.only("none", "evaluation")[0].extra[FURTHER])
    assert found[0] != found[1]


@pytest.mark.parametrize("kind", ["speaking", "judging"])
def test_a_stack_and_the_loop_give_the_same_numbers(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    abroad: Abroad = request.getfixturevalue(kind)
    arms = {name: abroad.arm(name, rank=rank) for name, rank in (("none", 2), ("hiddenkey", 4))}
    loop = trained(abroad.world, tmp_path / "loop", arms)
    told = stacked(abroad.world, tmp_path / "stack", arms)
    for name in arms:
        assert [event.step for event in told.only(name, "evaluation")] == [0, 3, 6]
        for ours, theirs in zip(told.values(name), loop.values(name), strict=True):
            assert ours == pytest.approx(theirs, rel=2e-3, abs=1e-6), name
    alone = trained(abroad.world, tmp_path / "alone", {"hiddenkey": arms["hiddenkey"]})
    assert alone.values("hiddenkey") == loop.values("hiddenkey")


def test_a_resumed_run_measures_what_an_undisturbed_one_does(speaking: Abroad, tmp_path: Path) -> None:
    arms = {"none": speaking.arm()}
    whole = trained(speaking.world, tmp_path / "whole", arms)

    def after_two(told: Told) -> list[Drain]:
        return [Drain()] if len(told.losses("none")) >= 2 else []

    first = trained(speaking.world, tmp_path / "first", arms, after_two, checkpoint_s=0)
    folder = first.only("none", "checkpoint")[-1].folder
    second = trained(speaking.world, tmp_path / "second", arms, resume_from={"none": folder})
    assert [event.step for event in second.only("none", "evaluation")] == [3, 6]
    assert first.values("none") + second.values("none") == whole.values("none")


def test_who_also_measures_elsewhere_trains_keeps_and_stops_as_before(judging: Abroad, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"patience": 1, "epochs": 4, "evaluations": 6, "learning_rate": 0.05}
    told = trained(judging.world, tmp_path / "with", {"none": judging.arm(**settings)})
    plain = trained(judging.world, tmp_path / "without", {"none": judging.world.arm(**settings)})
    assert told.losses("none") == plain.losses("none")
    assert told.kept("none") == plain.kept("none") != {}
    assert told.final("none") == plain.final("none")
    own = [{k: v for k, v in one.items() if not k.startswith("also/")} for one in told.values("none")[1:]]
    assert own == plain.values("none")


def test_classes_are_told_by_their_names(judging: Abroad) -> None:
    arm, tokenizer = judging.arm(), tiny_tokenizer()
    found = [
        further(arm.also_measure[0], arm, names, tokenizer, judging.world.home).rows.labels.tolist()
        for names in (("bad", "good"), ("good", "bad"))
    ]
    assert found[0] == [1 - code for code in found[1]]
    with pytest.raises(TrainingError, match="other has the classes bad, good, and the study's own are bad, fair"):
        further(arm.also_measure[0], arm, ("bad", "fair"), tokenizer, judging.world.home)


def test_what_is_learned_shows_elsewhere(judging: Abroad, tmp_path: Path) -> None:
    told = trained(judging.world, tmp_path, {"none": judging.arm(epochs=8, learning_rate=0.05, evaluations=1)})
    before, last = told.only("none", "evaluation")
    assert last.extra["also/other/accuracy"] >= before.extra["also/other/accuracy"]
    assert last.extra[FURTHER] < before.extra[FURTHER]


def test_what_was_measured_and_what_was_cut_is_in_the_log(speaking: Abroad, tmp_path: Path) -> None:
    told = trained(speaking.world, tmp_path, {"none": speaking.arm(rows=4, max_length=6)})
    lines = [event.text for event in told.only("none", "log")]
    assert "Also measured on 4 validation rows of other." in lines
    assert any(line.endswith("of 4 rows of other were cut to the largest length.") for line in lines)


@pytest.mark.parametrize(
    ("content", "told"), [("0" * 64, "The data set other on this machine has other rows"), (None, "data set 'gone'")]
)
def test_a_data_set_that_is_gone_or_another_one_ends_a_run_with_a_sentence(
    speaking: Abroad, tmp_path: Path, content: str | None, told: str
) -> None:
    arm = speaking.arm()
    dataset_id = "gone" if content is None else "other"
    ref = DatasetRef(id=dataset_id, content_hash=content or "0" * 64)
    also = arm.also_measure[0].model_copy(update={"dataset": ref})
    heard = trained(speaking.world, tmp_path, {"none": arm.model_copy(update={"also_measure": (also,)})})
    (failed,) = heard.only("none", "failed")
    assert failed.code == FailureCode.BAD_INPUT
    assert told in failed.message


def test_of_a_regression_the_loss_is_measured(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home", task="regression")
    abroad = Abroad(world, store(world.home, "other", "regression", similar(12, seed=1)))
    told = trained(world, tmp_path / "runs", {"none": abroad.arm()})
    assert {name for event in told.only("none", "evaluation") for name in event.extra if "also" in name} == {FURTHER}
