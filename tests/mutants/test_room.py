"""The room that faults are planted in: its own code is what is tested, loops end by time, the tree stays as it was."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.room import Room, RoomError

pytestmark = pytest.mark.slow

TESTS = ("tests/backend/comparison/statistics/test_onset.py",)
FAULT = Mutant(
    "statistics",
    "onset_after_one",
    "backend/comparison/statistics/onset.py",
    "if len(step) - lowest - 1 < 2:",
    "if len(step) - lowest - 1 < 1:",
    "one later evaluation is enough for an onset",
    TESTS,
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return Room(Path(tmp_path_factory.mktemp("room")))


def test_a_fault_is_noticed_in_the_copy_alone_and_taken_out_again(room: Room) -> None:
    before = (ROOT / FAULT.file).read_bytes()
    found = room.run(TESTS, 120, FAULT)
    assert found.verdict == "killed"
    assert found.by.startswith(TESTS[0])
    harmless = replace(FAULT, old="fewer than three evaluations", new="fewer than 3 evaluations")
    assert room.run(TESTS, 120, harmless).verdict == "survived"
    assert (ROOT / FAULT.file).read_bytes() == before == (room.tree / FAULT.file).read_bytes()


def test_a_fault_that_nobody_imports_is_told(room: Room) -> None:
    elsewhere = replace(FAULT, file="worker/engine/optimizer.py", old="BETAS = (0.9, 0.999)", new="BETAS = (0.0, 0.0)")
    assert room.run(TESTS, 120, elsewhere).verdict == "never imported"


def test_a_fault_that_loops_for_ever_ends_by_time(room: Room) -> None:
    loop = replace(FAULT, new="while len(step) >= 0:\n        pass\n    if len(step) - lowest - 1 < 2:")
    assert room.run(TESTS, 8, loop).verdict == "timeout"


def test_a_run_that_tests_nothing_says_nothing(room: Room) -> None:
    with pytest.raises(RoomError, match="pytest ended with"):
        room.run(("tests/backend/comparison/statistics/test_of_nothing.py",), 120)
