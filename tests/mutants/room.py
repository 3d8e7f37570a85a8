"""A copy of the working tree in a temporary folder, in which tests run against the copy's code and no other."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.imported import REPORT
from tests.mutants.mutant import ROOT, Mutant

FAST = "not slow and not postgres and not browser and not faults"
_LEFT_OUT = ("frontend/", "docs/images/")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class RoomError(Exception):
    """The run says nothing about the fault: other code was tested, or no test ran."""


@dataclass(frozen=True)
class Outcome:
    """How the tests of one run ended. verdict: `killed`, `timeout`, `survived` or `never imported`."""

    verdict: str
    seconds: float
    by: str = ""  # the first test that failed
    output: str = ""


class Room:
    """One copy; one run at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tree = folder, folder / "tree"
        self._compiled = folder / "compiled"
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file() and not name.startswith(_LEFT_OUT):
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, self.tree / name)
        if (ROOT.parent / "shared").exists():  # research data beside the checkout
            (folder / "shared").symlink_to((ROOT.parent / "shared").resolve())

    def run(self, tests: tuple[str, ...], limit_s: float, mutant: Mutant | None = None) -> Outcome:
        """Run fast tests until the first failure, with the fault planted meanwhile. Raises RoomError."""
        if mutant is None:
            return self._run(tests, limit_s, None)
        target = self.tree / mutant.file
        before = target.read_text(encoding="utf-8")
        self._write(target, mutant.planted(before))
        try:
            return self._run(tests, limit_s, target)
        finally:
            self._write(target, before)

    def _write(self, target: Path, text: str) -> None:
        """Change a file; what was compiled of it goes, for one of equal size and second would hide the fault."""
        target.write_text(text, encoding="utf-8")
        for compiled in (self._compiled / target.parent.relative_to("/")).glob(f"{target.stem}.*.pyc"):
            compiled.unlink()

    def _run(self, tests: tuple[str, ...], limit_s: float, target: Path | None) -> Outcome:
        report = self.folder / "imported.json"
        report.unlink(missing_ok=True)
        paths = [str(self.tree), str(self.tree / "worker" / "lib")]  # before an editable install's own finder
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONPYCACHEPREFIX": str(self._compiled),
            "OMP_NUM_THREADS": "1",
            REPORT: str(report),
        }
        command = [sys.executable, "-m", "pytest", *tests, "-x", "-m", FAST, "-p", "tests.mutants.imported"]
        command += ["-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", "-rfE", f"--timeout={limit_s:.0f}"]
        begun = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=self.tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return Outcome("timeout", time.monotonic() - begun)
        return self._judged(process.returncode, output, time.monotonic() - begun, report, target)

    def _judged(self, code: int, output: str, seconds: float, report: Path, target: Path | None) -> Outcome:
        if code not in (0, 1, 2) or not report.exists():
            raise RoomError(f"pytest ended with {code}:\n{output[-2000:]}")
        files = [Path(file) for file in json.loads(report.read_text(encoding="utf-8"))]
        foreign = [str(file) for file in files if not file.is_relative_to(self.tree)]
        if foreign:
            raise RoomError(f"other code than the copy's was imported: {foreign[0]}")
        if code:
            found = _FAILED.search(output)
            return Outcome("killed", seconds, found.group(1) if found else "", output)
        seen = target is None or target in files
        return Outcome("survived" if seen else "never imported", seconds, output=output)
