"""Ledgers of the form that the engine writes, beside the finished runs of a study."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sqlalchemy import select

from backend.shared.database import Database
from backend.shared.files import sha256_of
from backend.shared.ids import new_id
from backend.shared.tables import Artifact, Run

ROWS = {"validation": 32, "test": 20}


def tensors(seed: int, arm: int, classes: int = 2) -> dict[str, np.ndarray]:
    """What a run of a classifier says: a later arm is surer of itself and no better."""
    shared = np.random.default_rng(7)
    own = np.random.default_rng([seed, arm])
    found: dict[str, np.ndarray] = {}
    for split, rows in ROWS.items():
        true = shared.normal(0, 1.5, (rows, classes))
        label = (true + shared.gumbel(size=true.shape)).argmax(1)
        found[f"{split}.row"] = np.arange(100, 100 + rows, dtype=np.int32)
        found[f"{split}.label"] = label.astype(np.uint16)
        for clock in ("last", "stopped"):
            logits = ((true + own.normal(0, 0.3, true.shape)) * (1 + 2 * arm)).astype(np.float16)
            wide = logits.astype(np.float64)
            loss = np.log(np.exp(wide).sum(1)) - wide[np.arange(rows), label]
            found[f"{clock}.{split}.logits"] = logits
            found[f"{clock}.{split}.loss"] = loss.astype(np.float32)
    return found


def keep(database: Database, home: Path, study_id: str, classes: int = 2) -> dict[tuple[int, int], Path]:
    """Give every finished run a ledger; the files by arm and seed."""
    files: dict[tuple[int, int], Path] = {}
    with database.write() as session:
        runs = list(session.scalars(select(Run).where(Run.study_id == study_id).order_by(Run.position)))
        arms = sorted({run.arm_id for run in runs}, key=lambda one: [run.arm_id for run in runs].index(one))
        for run in runs:
            key = f"runs/{run.id}/ledger"
            folder = home / "artifacts" / key
            folder.mkdir(parents=True)
            file = folder / "ledger.safetensors"
            save_file(tensors(run.seed, arms.index(run.arm_id), classes), file)
            files[arms.index(run.arm_id), run.seed] = file
            digests = {file.name: sha256_of(file)}
            session.add(
                Artifact(id=new_id("artifact"), run_id=run.id, kind="ledger", storage_key=key, files=digests, bytes=1)
            )
    return files
