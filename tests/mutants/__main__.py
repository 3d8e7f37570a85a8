"""Plant faults one at a time, each in a copy of the tree, and see whether the fast tests notice.

    python -m tests.mutants                          all of them, one copy a core
    python -m tests.mutants --only optimizer         those whose part/name contains a word

The tests of every mutant first run without it: they have to pass, and their time sets the limit after which a mutant
counts as killed by time. Exit code 1 where fewer than 95 % are killed, 2 where the run says nothing.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from tests.mutants.mutant import PARTS, Mutant, all_mutants
from tests.mutants.room import Outcome, Room, RoomError

BAR = 0.95
LIMIT_S = 60.0  # beside four times what the tests take without a fault
FIRST_LIMIT_S = 900.0

T = TypeVar("T")


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="mutants whose part/name contains this")
    parser.add_argument("--rooms", type=int, default=os.cpu_count() or 1, help="copies that work at once")
    asked = parser.parse_args()
    mutants = [mutant for mutant in all_mutants() if asked.only in f"{mutant.part}/{mutant.name}"]
    if not mutants:
        parser.error(f"no mutant's name contains {asked.only!r}")
    with tempfile.TemporaryDirectory(prefix="dropscope-mutants-") as folder:
        try:
            found = _tried(mutants, [Room(_made(Path(folder) / str(at))) for at in range(asked.rooms)])
        except RoomError as error:
            print(f"This run says nothing: {error}", file=sys.stderr)
            return 2
    return _told(mutants, found)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _tried(mutants: Sequence[Mutant], rooms: Sequence[Room]) -> list[Outcome]:
    """The outcome of each mutant, after its tests have passed without it."""
    paths = sorted({path for mutant in mutants for path in mutant.tests})
    print(f"Tests without a fault: {len(paths)} files or folders", flush=True)
    plain = dict(zip(paths, _in_rooms(rooms, paths, lambda room, path: room.run((path,), FIRST_LIMIT_S)), strict=True))
    for path, outcome in plain.items():
        if outcome.verdict != "survived":
            raise RoomError(f"{path} does not pass without a fault ({outcome.verdict}):\n{outcome.output[-2000:]}")

    def one(room: Room, mutant: Mutant) -> Outcome:
        limit = LIMIT_S + 4 * sum(plain[path].seconds for path in mutant.tests)
        outcome = room.run(mutant.tests, limit, mutant)
        about = outcome.by or mutant.means
        print(f"{outcome.verdict:<9} {outcome.seconds:4.0f} s  {mutant.part}/{mutant.name}: {about}", flush=True)
        return outcome

    return _in_rooms(rooms, mutants, one)


def _in_rooms(rooms: Sequence[Room], work: Sequence[T], run: Callable[[Room, T], Outcome]) -> list[Outcome]:
    """Each piece of work in the next free room; outcomes in the order of the work."""
    free: SimpleQueue[Room] = SimpleQueue()
    for room in rooms:
        free.put(room)

    def taken(piece: T) -> Outcome:
        room = free.get()
        try:
            return run(room, piece)
        finally:
            free.put(room)

    with ThreadPoolExecutor(len(rooms)) as pool:
        waiting = {pool.submit(taken, piece): at for at, piece in enumerate(work)}
        found: dict[int, Outcome] = {}
        try:
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
        except RoomError:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [found[at] for at in range(len(work))]


def _told(mutants: Sequence[Mutant], found: Sequence[Outcome]) -> int:
    """Print the table; return the exit code."""
    pairs = list(zip(mutants, found, strict=True))
    print(f"\n{'part':<12}{'planted':>8}{'killed':>8}{'by time':>9}{'survived':>10}")
    for part in (*PARTS, "all"):
        mine = [outcome.verdict for mutant, outcome in pairs if part in (mutant.part, "all")]
        by_time = mine.count("timeout")
        killed = mine.count("killed") + by_time
        if mine:
            print(f"{part:<12}{len(mine):>8}{killed:>8}{by_time:>9}{len(mine) - killed:>10}")
    for mutant, outcome in pairs:
        if outcome.verdict not in ("killed", "timeout"):
            print(f"{outcome.verdict}: {mutant.part}/{mutant.name} in {mutant.file}: {mutant.means}")
    rate = sum(outcome.verdict in ("killed", "timeout") for _, outcome in pairs) / len(pairs)
    print(f"Kill rate {rate:.1%}, bar {BAR:.0%}")
    return 0 if rate >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
