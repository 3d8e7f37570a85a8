"""A database for the page's benchmark: seeded, made-up curves at the size that the bars are stated for.

40 arms x 5 seeds x 50 evaluations and 2,000 training losses a run, in one study, and 1,000 small studies for the list.
Everything ends but the last run of the large study, which a pretended worker holds, so that evaluations can arrive.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select, update

from backend.accounts.principal import Principal
from backend.migrations.runner import migrate
from backend.shared.database import Database, Write, open_database
from backend.shared.ids import new_id
from backend.shared.metrics import recorded
from backend.shared.process import this_process
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.store import queue, records, study_events, workers
from backend.shared.tables import (
    LOCAL_OWNER,
    LOCAL_WORKSPACE,
    Arm,
    EvaluationRow,
    Run,
    Study,
    Table,
    TrainLossBlock,
    now,
)
from backend.shared.trainer_protocol import Evaluation
from backend.studies import service as studies

SEEDS, EVALUATIONS, STEPS, STUDIES = 5, 50, 2000, 1000
SMALL: dict[str, Any] = {
    "seeds": 3,
    "training": {"epochs": 4, "batch_size": 16, "evaluations": 4},
    "arms": [{"method": "none"}, {"method": "adapter_dropout", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}],
}
METHODS = (
    "adapter_dropout",
    "adapter_rank",
    "attention_dropout",
    "dropattention",
    "dropkey",
    "dropkey_element",
    "dropkey_span",
    "hiddencut",
    "input_cutoff",
    "output_dropout",
    "hiddencut_span",
    "hiddenkey",
    "hiddenkey_minus",
)
OWNER = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
LEASE_S = 7200.0
# A classification study with test rows has every metric but these, which belong to regression and to generated texts.
OTHER_TASKS = ("/pearson", "/spearman", "/bleu", "/chrf", "/ter", "/rouge_l")


@dataclass
class Trained:
    """The large study, and the run of it that has not ended: `report` lets its next evaluation arrive."""

    database: Database
    study_id: str
    run_id: str
    fence: int
    reported: int = 0

    def report(self) -> None:
        """Store one more evaluation of the run that is still training."""
        self.reported += 1
        step = STEPS * self.reported // EVALUATIONS
        values = {name: float(column[self.reported - 1]) for name, column in _curves(39, 4).items()}
        values = {name: value for name, value in values.items() if not name.startswith("test/")}
        told = Evaluation(run_id=self.run_id, fence=self.fence, step=step, epoch=step / 16, values=values)
        with self.database.write() as session:
            if records.record(session, [told]):
                raise RuntimeError("the benchmark's own run is not its own any more")


def spec(name: str, **changes: Any) -> StudySpec:
    """The large study as it is posted: 40 arms, 2,000 steps a run."""
    arms = [{"method": "none"}, *({"method": method, "rate": [0.05, 0.1, 0.2]} for method in METHODS)]
    training = {"epochs": 125, "batch_size": 16, "evaluations": EVALUATIONS}
    whole = {
        "name": name,
        "model": "minilm-l6",
        "dataset": "rotten-tomatoes",
        "train_rows": 256,
        "validation_rows": 512,
        "training": training,
        "seeds": SEEDS,
        "arms": arms,
    }
    return StudySpec.model_validate(whole | changes)


def make(home: Path, lists: int = STUDIES) -> Trained:
    """Fill a new database in `home`; takes about ten seconds."""
    settings = Settings(home=home)
    migrate(settings)
    database = open_database(settings)
    study_id = studies.create(database, settings, spec("the large one"), OWNER)
    with database.write() as session:
        rows = session.execute(
            select(Run.id, Run.seed, Arm.position).join(Arm, Arm.id == Run.arm_id).where(Run.study_id == study_id)
        ).all()
        done = [row for row in rows if (row.position, row.seed) != (39, SEEDS - 1)]
        for row in done:
            _fill(session, row.id, row.position, row.seed)
        _end(session, [row.id for row in done])
        study_events.append(session, study_id, [("study", None, {"changed": ["filled"]})])
    with database.write() as session:
        worker_id = workers.register(session, this_process(), "cpu", "bench")
        pack = queue.claim_pack(session, worker_id, 1, LEASE_S)
    if pack is None:
        raise RuntimeError("the last run of the large study could not be claimed")
    small = studies.create(database, settings, spec("small study 0", **SMALL), OWNER)
    with database.write() as session:
        runs = session.execute(select(Run.id, Run.seed, Run.position).where(Run.study_id == small)).all()
        for row in runs:
            _fill(session, row.id, row.position % 3, row.seed, evaluations=4, steps=64)
        _end(session, [row.id for row in runs])
    with database.write() as session:
        _copy(session, small, lists - 1)
    (run,) = pack.runs
    return Trained(database, study_id, run.run_id, run.fence)


def _curves(arm: int, seed: int, evaluations: int = EVALUATIONS) -> dict[str, NDArray[np.float64]]:
    """Made-up evaluations: validation loss falls, then rises the less the later the arm stands in the study."""
    rng = np.random.default_rng([arm, seed])
    share = np.arange(1, evaluations + 1) / evaluations
    wobble = rng.normal(0, 0.004, (len(recorded()), evaluations))
    probe = 0.08 + 0.61 * np.exp(-3 * share)
    rise = (0.45 - 0.008 * arm) * np.maximum(share - 0.3, 0)
    shared = np.random.default_rng(seed).normal(0, 0.02)
    known = {
        "validation/loss": 0.69 - 0.14 * (1 - np.exp(-6 * share)) + rise + shared,
        "probe/loss": probe,
        "probe/slice_loss_off": probe,
        "probe/slice_loss_on": probe + 0.06,
        "train/tokens": 6000.0 * share * EVALUATIONS,
        "train/seconds": 4.0 * share * EVALUATIONS,
    }
    return {
        metric.name: known.get(metric.name, 0.05) + wobble[i]
        for i, metric in enumerate(recorded())
        if not metric.name.endswith(OTHER_TASKS)
    }


def _fill(session: Write, run_id: str, arm: int, seed: int, evaluations: int = EVALUATIONS, steps: int = STEPS) -> None:
    curves = _curves(arm, seed, evaluations)
    rows = [
        {"run_id": run_id, "step": steps * (i + 1) // evaluations, "epoch": 8.0 * (i + 1) / evaluations}
        | {metric.column: _value(curves, metric.name, i, i == evaluations - 1) for metric in recorded()}
        | {"extra": {}, "nonfinite": {}}
        for i in range(evaluations)
    ]
    session.execute(insert(EvaluationRow), rows)
    losses = np.random.default_rng([arm, seed, 1]).normal(0.4, 0.1, steps).astype("<f8").tobytes()
    session.execute(insert(TrainLossBlock), [{"run_id": run_id, "first_step": 1, "count": steps, "losses": losses}])


def _value(curves: dict[str, NDArray[np.float64]], name: str, at: int, last: bool) -> float | None:
    """A value of one evaluation; test rows are judged with the last one alone."""
    return float(curves[name][at]) if name in curves and (last or not name.startswith("test/")) else None


def _end(session: Write, run_ids: list[str]) -> None:
    values = {"status": RunStatus.SUCCEEDED, "finished_at": now(), "seconds": 200.0, "final": {"flops": 2e12}}
    session.execute(update(Run).where(Run.id.in_(run_ids)).values(**values, step=Run.total_steps))


def _copy(session: Write, study_id: str, times: int) -> None:
    """Store a study again and again, with arms, runs and evaluations, under new ids."""

    def rows(table: type[Table], *where: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in session.execute(select(table.__table__).where(*where)).mappings()]

    (study,) = rows(Study, Study.id == study_id)
    arms, runs = rows(Arm, Arm.study_id == study_id), rows(Run, Run.study_id == study_id)
    measured = rows(EvaluationRow, EvaluationRow.run_id.in_([run["id"] for run in runs]))
    made: dict[type[Table], list[dict[str, Any]]] = {Study: [], Arm: [], Run: [], EvaluationRow: []}
    for number in range(1, times + 1):
        new = {old["id"]: new_id(kind) for kind, olds in (("arm", arms), ("run", runs)) for old in olds}
        new[study_id] = new_id("study")
        renamed = {"id": new[study_id], "name": f"small study {number}", "created_at": now()}
        made[Study].append(study | renamed | {"baseline_arm_id": new[study["baseline_arm_id"]]})
        made[Arm] += [arm | {"id": new[arm["id"]], "study_id": new[study_id]} for arm in arms]
        made[Run] += [
            run | {"id": new[run["id"]], "study_id": new[study_id], "arm_id": new[run["arm_id"]]} for run in runs
        ]
        made[EvaluationRow] += [row | {"run_id": new[row["run_id"]]} for row in measured]
    for table, stored in made.items():
        session.execute(insert(table), stored)
