"""A planted fault as data: one small edit of one file, what it means, and the tests that are to notice it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("library", "engine", "statistics", "queue")


@dataclass(frozen=True)
class Mutant:
    """One fault.

    old: text of `file` that occurs once there; new: what is put in its place; means: the fault in words; tests: files
    or folders whose fast tests are to fail, those first that most likely do.
    """

    part: str
    name: str
    file: str
    old: str
    new: str
    means: str
    tests: tuple[str, ...]

    def planted(self, text: str) -> str:
        """The text of the file with the fault in it. Raises ValueError unless `old` occurs exactly once."""
        found = text.count(self.old)
        if found != 1:
            raise ValueError(f"{self.part}/{self.name}: its old text occurs {found} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def all_mutants() -> list[Mutant]:
    """Every mutant of the lists beside this file, in their order."""
    return [mutant for part in PARTS for mutant in _of(part)]


def _of(part: str) -> list[Mutant]:
    listed = tomllib.loads((Path(__file__).parent / f"{part}.toml").read_text(encoding="utf-8"))
    return [
        Mutant(part, name, one["file"], one["old"], one["new"], one["means"], tuple(one["tests"]))
        for name, one in listed.items()
    ]
