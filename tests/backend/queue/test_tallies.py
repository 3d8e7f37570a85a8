"""What a study's progress says."""

from backend.shared.store.tallies import Tally


def test_progress_is_one_only_when_all_runs_have_ended() -> None:
    """A run whose last step is done is still judged and saved: who waits for 1 would miss its last numbers."""
    last = Tally(counts={"succeeded": 1, "running": 1}, steps_done=80, steps_left=0)
    assert 0.99 < last.progress < 1
    assert Tally(counts={"succeeded": 1, "failed": 1}, steps_done=80, steps_left=0).progress == 1


def test_progress_is_the_share_of_steps_and_of_runs_where_no_steps_are_known() -> None:
    assert Tally(counts={"succeeded": 1, "running": 1}, steps_done=60, steps_left=20).progress == 0.75
    assert Tally(counts={"cancelled": 1, "queued": 3}).progress == 0.25
    assert Tally().progress == 0
