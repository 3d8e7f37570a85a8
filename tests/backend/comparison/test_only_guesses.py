"""Arms that say one label for every row: told as such, and never recommended for a low loss."""

from dataclasses import replace

import numpy as np
import pytest

from backend.comparison import build as comparison
from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import Plan, study
from worker.engine.scores import scores

PLANS = [Plan("none"), Plan("dropkey", rise=0.2), Plan("hiddenkey", rise=0.1)]
RIGHT = np.array([0] * 30 + [1] * 10)
LEARNED = np.array([0] * 28 + [1] * 2 + [0] * 4 + [1] * 6)


def scored(predictions: dict[int, np.ndarray], right: np.ndarray = RIGHT, seeds: int = 5) -> StudyRecords:
    """A study whose arm i ends with these predictions in every seed, scored as the engine scores them."""
    records = study(PLANS, seeds=seeds)
    table, arms = records.evaluations, {arm.id: arm.position for arm in records.arms}
    of_row = [arms[records.runs[run].arm_id] for run in table.run]
    found = {arm: scores("classification", predicted, right) for arm, predicted in predictions.items()}
    metrics = dict(table.metrics)
    for name in ("accuracy", "macro_f1", "matthews"):
        metrics[f"validation/{name}"] = np.array([found[arm][name] for arm in of_row])
    return replace(records, evaluations=replace(table, metrics=metrics))


def told(built: Comparison) -> dict[str, tuple[str, str]]:
    return {answer.id: (answer.headline, answer.state) for answer in built.answers}


@pytest.mark.parametrize("right", [RIGHT, np.array([0] * 20 + [1] * 15 + [2] * 5)])
def test_a_study_in_which_nothing_was_learned_recommends_nothing(right: np.ndarray) -> None:
    constant = np.zeros(len(right), dtype=int)
    built = comparison.build(scored(dict.fromkeys(range(3), constant), right))
    assert told(built)["use"] == ("Nothing learned yet.", "undecided")
    assert told(built)["loss"] == ("None of them", "plain")
    assert built.answers[0].arm_id is None
    assert any("No dropout, DropKey, HiddenKey. A guess would score as well" in note for note in built.notes)


@pytest.mark.parametrize("baseline", [None, "arm-2"])
def test_the_arm_of_the_lowest_loss_is_not_recommended_where_it_only_guesses(baseline: str | None) -> None:
    """Neither as a method nor, as the baseline, to stay with."""
    records = scored({0: LEARNED, 1: LEARNED, 2: np.zeros(40, dtype=int)})
    built = comparison.build(records, baseline=baseline)
    assert told(built)["use"] == ("Nothing to advise yet: the lowest loss is a guess.", "undecided")
    assert "HiddenKey has the lowest validation loss, and says one and the same label" in built.answers[0].text
    assert any("every finished seed: HiddenKey. A guess" in note for note in built.notes)


def test_an_arm_at_chance_that_varies_is_no_guess() -> None:
    """Half of the rows of each of two labels: Matthews is 0 as well."""
    right = np.array([0] * 20 + [1] * 20)
    at_chance = np.array(([0] * 15 + [1] * 5) * 2)
    assert scores("classification", at_chance, right)["matthews"] == 0
    built = comparison.build(scored(dict.fromkeys(range(3), at_chance), right))
    assert told(built)["use"][0] != "Nothing learned yet."
    assert not any("One and the same label" in note for note in built.notes)


def test_a_study_without_these_scores_is_not_accused() -> None:
    built = comparison.build(study(PLANS))
    assert told(built)["use"][0].startswith("Stop earlier")
    assert not any("One and the same label" in note for note in built.notes)
