"""What one seed of a study trains and is measured on."""

from dataclasses import dataclass

import numpy as np

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import ArmKeySpec
from worker.data.order import DRAW, VALIDATION, Indices, balanced, shuffled
from worker.data.rows import FlatRows, Rows
from worker.data.tokenised import Tokenised


@dataclass(frozen=True)
class SeedData:
    """Rows of one seed. The probe is the first part of the training rows; validation and test rows are every seed's.

    Test rows are held-out rows beside the validation rows; there may be none.
    """

    train: Rows
    validation: Rows
    probe: Rows
    test: Rows


def _order(rows: FlatRows, tokenised: Tokenised, *words: int) -> Indices:
    if tokenised.task == "classification":
        return balanced(np.asarray(rows.labels, dtype=np.int64), *words)
    return shuffled(len(rows), *words)


def draw(tokenised: Tokenised, arm: ArmKeySpec, seed: int) -> SeedData:
    """The training, validation and probe rows of `seed`; classes in the proportions of the whole set.

    Where rows were dropped in tokenising, there may be fewer than the arm asks for; `Tokenised.notes` says so.

    Raises:
        TrainingError: a split has no usable row at all.
    """
    training, held = tokenised.splits["train"], tokenised.splits["validation"]
    for split, rows in tokenised.splits.items():
        if len(rows) == 0:
            raise TrainingError(
                FailureCode.BAD_INPUT,
                f"Cut to max_length, no {split} row keeps any part of its completion; raise `training.max_length`.",
            )
    chosen = _order(training, tokenised, DRAW, seed)[: arm.train_rows]
    train = training.take(chosen)
    probe = train.take(np.arange(min(arm.probe_rows, len(train))))
    order = _order(held, tokenised, VALIDATION)
    validation = held.take(order[: arm.validation_rows])
    test = held.take(order[arm.validation_rows : arm.validation_rows + arm.test_rows])
    return SeedData(train=train, validation=validation, probe=probe, test=test)
