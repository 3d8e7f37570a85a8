"""What a study's progress says."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.store.tallies import Tally, tallies
from backend.shared.tables import Attempt
from tests.backend.make_studies import make, train


def test_progress_is_one_only_when_all_runs_have_ended() -> None:
    """A run whose last step is done is still judged and saved: who waits for 1 would miss its last numbers."""
    last = Tally(counts={"succeeded": 1, "running": 1}, steps_done=80, steps_left=0)
    assert 0.99 < last.progress < 1
    assert Tally(counts={"succeeded": 1, "failed": 1}, steps_done=80, steps_left=0).progress == 1


def test_progress_is_the_share_of_steps_and_of_runs_where_no_steps_are_known() -> None:
    assert Tally(counts={"succeeded": 1, "running": 1}, steps_done=60, steps_left=20).progress == 0.75
    assert Tally(counts={"cancelled": 1, "queued": 3}).progress == 0.25
    assert Tally().progress == 0


def test_something_is_left_to_do_until_all_runs_have_ended() -> None:
    pace = {"steps_trained": 80, "seconds": 40.0, "workers": 1}
    last = Tally(counts={"succeeded": 1, "running": 1}, steps_done=80, steps_left=0, **pace)
    assert last.eta_seconds == 0.25  # half a step, for the run that is judged and saved
    assert Tally(counts={"succeeded": 2}, steps_done=80, steps_left=0, **pace).eta_seconds == 0
    assert Tally(counts={"running": 2}, steps_done=60, steps_left=20, **pace).eta_seconds == 10
    assert Tally(counts={"queued": 2}, steps_left=80).eta_seconds is None


def test_what_is_left_is_told_by_whole_claims(database: Database, settings: Settings) -> None:
    """Evaluations and endings take time as steps do: a claim of 16 steps that took 80 s leaves 5 s for each to come."""
    study_id = make(database, settings, seeds=3)
    train(database, settings.home, packs=1)
    with database.write() as session:
        for row in session.scalars(select(Attempt)):
            assert row.ended_at is not None
            row.started_at = row.ended_at - timedelta(seconds=80)
    with database.read() as session:
        found = tallies(session, [study_id])[study_id]
    assert (found.steps_left, found.steps_trained) == (32, 16)
    assert found.eta_seconds == pytest.approx(32 * 5, rel=0.01)
