"""Arms that train for epochs of their own: each is judged at its own end, wherever the others stand there."""

from dataclasses import replace

import numpy as np
import pytest

from backend.charts.capacity import _all_but_rank
from backend.comparison.build import build
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import Plan, study, with_run

LOSS = "validation/loss"


def unlike(shorter: int = 6) -> StudyRecords:
    """Plain LoRA with 8 evaluations to step 128, HiddenKey the same, and plain LoRA that ends at its `shorter`-th."""
    records = study([Plan(training={"epochs": 8}), Plan("hiddenkey", training={"epochs": 8}),
                     Plan(label="shorter", training={"epochs": float(shorter)})])  # fmt: skip
    table = records.evaluations
    kept = (table.run % 3 < 2) | (table.step <= 16 * shorter)
    metrics = {name: values[kept] for name, values in table.metrics.items()}
    records = replace(
        records, evaluations=replace(table, run=table.run[kept], step=table.step[kept], epoch=table.epoch[kept],
                                     metrics=metrics))  # fmt: skip
    for run in range(2, 15, 3):
        records = with_run(records, run, step=16 * shorter, total_steps=16 * shorter)
    return records


def at(records: StudyRecords, arm: int, step: int) -> np.ndarray:
    """What the seeds of an arm were measured at a step."""
    table = records.evaluations
    found: np.ndarray = table.metrics[LOSS][(table.run % 3 == arm) & (table.step == step)]
    return found


def test_each_is_judged_at_its_own_end() -> None:
    """At the last step that both have, plain LoRA would be read at step 96 of 128."""
    records = unlike()
    built = build(records)
    plain, hiddenkey, shorter = built.arms
    assert (plain.final_step, hiddenkey.final_step, shorter.final_step) == (128, 128, 96)
    expected = at(records, 2, 96) - at(records, 0, 128)
    assert [pair.value for pair in shorter.differences[LOSS].pairs] == pytest.approx(expected.tolist())
    assert shorter.differences[LOSS].mean == pytest.approx(expected.mean())
    assert shorter.differences[LOSS].step is None  # each at its own
    assert hiddenkey.differences[LOSS].step == 128
    assert shorter.curve is not None
    assert shorter.curve.step == [16, 32, 48, 64, 80, 96]
    assert f"{shorter.name} trains for 96 steps and {plain.name} for 128: each is judged at its own end." in built.notes


def test_the_matrix_reads_them_there_too() -> None:
    records = unlike()
    matrix = build(records).pairwise
    assert matrix is not None
    row, column = (matrix.arm_ids.index(f"arm-{i}") for i in (2, 0))
    assert matrix.mean[row][column] == pytest.approx((at(records, 2, 96) - at(records, 0, 128)).mean())


def test_no_common_evaluation_is_needed() -> None:
    records = unlike()
    table = records.evaluations
    apart = np.where(table.run % 3 == 2, table.step - 5, table.step)
    built = build(replace(records, evaluations=replace(table, step=apart)))
    assert built.arms[2].differences[LOSS].n == 5
    assert built.pairwise is not None


def test_epochs_and_smoothing_tell_arms_apart_where_ranks_are_drawn() -> None:
    plans = [Plan(training={"epochs": 8}), Plan(training={"epochs": 6}),
             Plan(training={"epochs": 8, "label_smoothing": 0.1})]  # fmt: skip
    arms = build(study(plans)).arms
    assert [(arm.epochs, arm.label_smoothing) for arm in arms] == [(8, 0), (6, 0), (8, 0.1)]
    assert len({_all_but_rank(arm) for arm in arms}) == 3
