"""A study while it trains: a progress bar for each arm, or a line for each ended run where nobody watches."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from backend.cli.console import err
from backend.client import Dropscope

Tend = Callable[[], list[str]]
ENDED = ("succeeded", "failed", "cancelled")
LOOK_S = 0.2
RACE_WAITS_S = 30.0  # for the service to queue what a race needs next


def nothing_to_tend() -> list[str]:
    """For a server that is not ours to watch."""
    return []


@dataclass
class RunState:
    """How far one run is."""

    arm_id: str
    arm: str
    seed: int
    status: str
    done: float  # share of its steps


class Board:
    """Knows where every run stands, and shows it."""

    def __init__(self, study: dict[str, Any], runs: list[dict[str, Any]], console: Console) -> None:
        self.console = console
        self.runs = {
            run["id"]: RunState(run["arm_id"], run["arm_label"], run["seed"], run["status"], run["progress"])
            for run in runs
        }
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[seeds]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {
            arm["id"]: self.progress.add_task(arm["label"][:40], total=1.0, seeds="") for arm in study["arms"]
        }
        for arm_id in self._bars:
            self._draw(arm_id)

    @property
    def ended(self) -> int:
        """Runs that have ended."""
        return sum(run.status in ENDED for run in self.runs.values())

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event of the study's stream."""
        run = self.runs.get(event["run_id"] or "")
        if run is None or event["kind"] != "run":
            return
        data = event["data"]
        newly_ended = data.get("status") in ENDED and run.status not in ENDED
        run.status = data.get("status", run.status)
        if run.status in ENDED:
            run.done = 1.0
        elif data.get("total_steps"):
            run.done = data["step"] / data["total_steps"]
        self._draw(run.arm_id)
        if newly_ended and not self.console.is_terminal:
            line = f"[{self.ended}/{len(self.runs)}] {run.arm}, seed {run.seed}: {run.status}"
            self.console.print(line + (f" ({data['message']})" if data.get("message") else ""), markup=False)

    def _draw(self, arm_id: str) -> None:
        mine = [run for run in self.runs.values() if run.arm_id == arm_id]
        ended = sum(run.status in ENDED for run in mine)
        share = sum(run.done for run in mine) / max(len(mine), 1)
        self.progress.update(self._bars[arm_id], completed=share, seeds=f"{ended}/{len(mine)} seeds")


def follow(client: Dropscope, study: dict[str, Any], stop: threading.Event, tend: Tend) -> bool:
    """Show a study until all of its runs have ended (True), or until `stop` is set (False)."""
    board = Board(study, client.studies.runs(study["id"]), err())
    failed: list[BaseException] = []
    done = threading.Event()

    def listen() -> None:
        try:
            if board.ended < len(board.runs):
                for event in client.studies.events(study["id"], study["event_seq"]):
                    board.hear(event)
                    if board.ended == len(board.runs) or stop.is_set():
                        break
        except BaseException as error:  # handed to the thread that waits
            failed.append(error)
        done.set()

    with board.progress:
        threading.Thread(target=listen, name="follow", daemon=True).start()
        while not done.wait(LOOK_S) and not stop.is_set():
            for trouble in tend():
                board.console.print(f"dropscope: {trouble}", markup=False)
    if failed:
        raise failed[0]
    return not stop.is_set()


def next_of_race(client: Dropscope, study_id: str, stop: threading.Event) -> dict[str, Any] | None:
    """Return the study as it goes on by itself, where its plan is a race with arms left to judge; None where it ends
    here, also since nothing was queued for a while: a lost run holds its arm up.
    """
    plan = client.studies.comparison_json(study_id).get("plan")
    if plan is None or not plan["race"]:
        return None
    err().print(plan["standing"], markup=False)
    waited = 0.0
    while plan["next_look"] is not None and waited < RACE_WAITS_S and not stop.wait(LOOK_S):
        study = client.studies.get(study_id)
        if study["counts"]["queued"] + study["counts"]["running"] > 0:
            return study
        waited += LOOK_S
    return None


def print_failures(client: Dropscope, study_id: str) -> None:
    """Say which runs failed, and why."""
    console = err()
    for run in client.studies.runs(study_id):
        if run["status"] == "failed":
            console.print(f"failed: {run['arm_label']}, seed {run['seed']}: {run['message']}", markup=False)
