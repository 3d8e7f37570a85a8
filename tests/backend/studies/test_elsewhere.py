"""Further data sets of a study: which rows of them are taken, what stands in the way of one, and what it costs."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.shared.catalogue import require_dataset
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.studies.elsewhere import resolved
from backend.studies.estimate.packs import Pack
from backend.studies.expand import Expansion, expand
from backend.studies.preview import estimate
from tests.backend.make_studies import API, study
from tests.worker.data.stored import films, similar, store


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """A machine with four data sets beside the built-in ones."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(sqlite_template / "cache")
    store(home, "own", "classification", films(30, 20))
    store(home, "other", "classification", films(30, 20)[::-1])
    store(home, "pairs", "regression", similar(30))
    named = [(split, {**row, "label": "so-so" if row["label"] == "bad" else "good"}) for split, row in films(30, 20)]
    store(home, "named-otherwise", "classification", named)
    return Settings(home=home)


def made(settings: Settings, **changes: Any) -> Expansion:
    return expand(settings, StudySpec.model_validate(study(dataset="own", train_rows=20, validation_rows=16) | changes))


def problems(settings: Settings, **changes: Any) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.message) for problem in made(settings, **changes).problems]


def test_validation_rows_are_taken_as_many_as_there_are(settings: Settings) -> None:
    few, all_of_them = (made(settings, also_measure=["other"], also_rows=rows) for rows in (15, 50))
    assert not few.problems
    assert not few.warnings
    taken = [(also.dataset.id, also.split, also.rows) for also in few.arms[0].spec.also_measure]
    assert taken == [("other", "validation", 15)]
    assert all_of_them.arms[0].spec.also_measure[0].rows == 20
    told = [(warning.pointer, warning.message) for warning in all_of_them.warnings]
    assert told == [("/also_measure/0", "other has 20 validation rows, and all of them are measured")]


def test_training_rows_are_taken_where_there_are_no_others_and_that_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = require_dataset(settings.shared, "other").model_copy(update={"rows": {"train": 30, "validation": 0}})
    monkeypatch.setattr("backend.studies.elsewhere.require_dataset", lambda *_: facts)
    found = made(settings, also_measure=["other"])
    assert [(also.split, also.rows) for also in found.arms[0].spec.also_measure] == [("train", 30)]
    assert "other has no validation rows, so its training rows are measured" in found.warnings[0].message


def test_arms_that_are_measured_nowhere_else_keep_their_keys(settings: Settings) -> None:
    plain, also = made(settings), made(settings, also_measure=["other"])
    assert "also_measure" not in plain.study.model_dump(exclude_unset=True)
    assert plain.arms[0].key != also.arms[0].key
    body = also.arms[0].spec.model_copy(update={"also_measure": ()})
    assert body.key() == plain.arms[0].key


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["own"], "own is the study's own data set, whose validation rows are measured anyway; leave it out"),
        (["other", "other"], "other is named twice; name each data set once"),
        (["pairs"], "pairs is for regression, and runs for classification can be measured on data sets for"),
        (["named-otherwise"], "those of own are bad, good, those of named-otherwise are good, so-so; name a data set"),
        (["othre"], "there is no data set 'othre' here. did you mean other?"),
    ],
)
def test_what_cannot_be_measured_on_is_said_at_its_place(settings: Settings, named: list[str], words: str) -> None:
    found = problems(settings, also_measure=named)
    assert [pointer for pointer, _ in found] == [f"/also_measure/{len(named) - 1}"]
    assert words.lower() in found[0][1].lower()


def test_more_than_four_and_too_many_rows_are_refused(settings: Settings) -> None:
    for changes in ({"also_measure": ["a", "b", "c", "d", "e"]}, {"also_rows": 2001}, {"also_rows": 0}):
        with pytest.raises(ValueError, match="also_"):
            StudySpec.model_validate(study(**changes))


def test_a_language_model_is_measured_on_any_texts(settings: Settings) -> None:
    asked = StudySpec.model_validate(study(task="causal_lm", also_measure=["pairs", "other"]))
    also, refused, _ = resolved(settings.shared, asked, require_dataset(settings.shared, "own"))
    assert not refused
    assert [one.task for one in also] == ["regression", "classification"]


def test_the_estimate_counts_what_is_measured_elsewhere(settings: Settings) -> None:
    plain, also = made(settings), made(settings, also_measure=["other"])
    packs = [Pack("minilm-l6", "cpu", 30.0, 40_000.0, 30.0)]
    short, long = (estimate(settings.shared, one, packs, ["cpu"], 8) for one in (plain, also))
    assert short.seconds is not None
    assert long.seconds is not None
    assert long.seconds.middle > short.seconds.middle
    assert "% of it for measuring on further data sets" in long.basis
    assert "further" not in short.basis


def test_a_data_set_that_is_gone_since_stops_an_extension_with_a_sentence(settings: Settings) -> None:
    (datasets_root(settings.shared) / "other").rename(settings.shared / "away")
    with pytest.raises(InvalidInput, match="other"):
        made(settings, also_measure=["other"]).or_raise()


def test_the_api_answers_with_the_place(client: TestClient) -> None:
    answer = client.post(f"{API}/studies", json=study(also_measure=["chatterbot"]))
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["pointer"] == "/also_measure/0"
    assert "chatterbot is for causal_lm" in problem["detail"]
