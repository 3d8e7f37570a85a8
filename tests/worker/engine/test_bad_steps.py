"""Losses that are not numbers end a run when they come in a row, and not when they are as many but apart."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.shared.run_status import FailureCode
from backend.shared.trainer_protocol import Examples
from tests.worker.engine.test_against_peft import a_place
from tests.worker.engine.test_form import the_least_form
from tests.worker.engine.tiny_pack import Told, World
from worker.engine.loop import BAD_STEPS, Group, train
from worker.engine.reporter import Reporter

BAD = math.nan


def train_with(losses: Sequence[float], world: World, folder: Path) -> Told:
    """A run whose steps have these losses."""
    told, place = Told(), a_place(world, folder, "none", epochs=len(losses) // 3, evaluations=1)
    assert place.slot.steps == len(losses)
    place.reporter = Reporter(place.slot.run, told)
    idle: Any = the_least_form()(place.slot)
    whole = idle.taken

    def taken() -> Iterator[tuple[int, list[tuple[float, float]]]]:
        for seat, _ in whole():
            yield seat, [(losses[place.slot.progress.step - 1], 0.001)]

    idle.taken = taken
    train([Group([place], idle, lambda ending: [lambda: ({}, Examples()) for _ in ending])], list, checkpoint_s=3600)
    return told


@pytest.mark.parametrize(
    "losses",
    [[BAD, 1.0] * 9, [*[BAD] * (BAD_STEPS - 1), 1.0, *[BAD] * (BAD_STEPS - 1), *[1.0] * 9], [1.0] * 14 + [BAD] * 4],
)
def test_bad_losses_apart_end_no_run(bert_world: World, tmp_path: Path, losses: list[float]) -> None:
    told = train_with(losses, bert_world, tmp_path)
    assert told.only("run", "finished")
    assert len(told.losses("run")) == len(losses)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_as_many_in_a_row_end_it(bert_world: World, tmp_path: Path, bad: float) -> None:
    told = train_with([1.0] * 6 + [bad] * BAD_STEPS + [1.0] * 7, bert_world, tmp_path)
    failed = told.only("run", "failed")[0]
    assert failed.code is FailureCode.LOSS_NAN
    assert f"step {6 + BAD_STEPS}" in failed.message
    assert len(told.losses("run")) == 6 + BAD_STEPS
