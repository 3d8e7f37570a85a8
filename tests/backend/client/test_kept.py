"""Which of a run's adapters is taken: by its clock, else that of the last step, else the one there is."""

import pytest

from backend.client.kept import pick

LAST = {"id": "a", "kind": "adapter", "step": 96, "clocks": ["last"]}
STOPPED = {"id": "b", "kind": "adapter_stopped", "step": 58, "clocks": ["stopped"]}
BOTH = {"id": "c", "kind": "adapter", "step": 96, "clocks": ["last", "stopped"]}
OTHER = {"id": "d", "kind": "ledger", "step": None, "clocks": []}


def test_an_adapter_is_taken_by_its_clock() -> None:
    assert [pick([OTHER, LAST, STOPPED], "r", clock) for clock in (None, "last", "stopped")] == ["a", "a", "b"]
    assert [pick([BOTH, OTHER], "r", clock) for clock in (None, "last", "stopped")] == ["c", "c", "c"]
    assert pick([STOPPED, OTHER], "r") == "b"


def test_what_is_not_kept_is_named() -> None:
    with pytest.raises(LookupError, match=r"keeps no adapter of the clock last; it keeps stopped \(step 58\)"):
        pick([STOPPED], "r", "last")
    with pytest.raises(LookupError, match="has left no adapter"):
        pick([OTHER], "r")
