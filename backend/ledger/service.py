"""Ledgers of a study, found by its runs, checked against their hashes, read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.adapters import artifact_files
from backend.shared.catalogue import find_dataset
from backend.shared.catalogue.datasets import dataset_folder
from backend.shared.errors import Conflict, NotFound
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.specs import ArmKeySpec
from backend.shared.store import studies
from backend.shared.tables import Arm, Artifact, Run

from . import rows as ledgers
from .summary import ArmRuns

KIND, FILE = "ledger", "ledger.safetensors"
MOST_TEXT_BYTES = 64 << 20  # a split that is looked through for the text of a row


@dataclass(frozen=True)
class Kept:
    """Where the ledger of one run lies."""

    run: Run
    artifact: Artifact


@dataclass(frozen=True)
class Stored:
    """A study's arms and its runs' ledgers; without: finished runs that have none."""

    arms: list[Arm]
    kept: list[Kept]
    without: int


def stored(session: Session, study_id: str) -> Stored:
    """Where the ledgers of a study's finished runs lie, by arm and seed."""
    query = select(Run, Artifact).outerjoin(Artifact, (Artifact.run_id == Run.id) & (Artifact.kind == KIND))
    found = session.execute(query.where(Run.study_id == study_id, Run.status == RunStatus.SUCCEEDED)).all()
    kept = [Kept(run, artifact) for run, artifact in found if artifact is not None]
    kept.sort(key=lambda one: (one.run.position, one.run.id))
    return Stored(studies.arms(session, study_id), kept, len(found) - len(kept))


def read(settings: Settings, kept: Kept) -> ledgers.Ledger | None:
    """One run's ledger; None where its file is gone or damaged, which is told by who counts them."""
    try:
        folder = artifact_files.folder(settings.artifacts, kept.artifact.storage_key)
        return ledgers.read(artifact_files.member(folder, kept.artifact.files, FILE))
    except (NotFound, Conflict, ValueError, OSError):
        return None


def by_arm(settings: Settings, found: Stored, names: dict[str, str]) -> tuple[list[ArmRuns], int]:
    """Every arm with the ledgers of its runs, and how many could not be read."""
    runs: dict[str, dict[int, ledgers.Ledger]] = {arm.id: {} for arm in found.arms}
    lost = 0
    for kept in found.kept:
        ledger = read(settings, kept)
        if ledger is None:
            lost += 1
        else:
            runs[kept.run.arm_id][kept.run.seed] = ledger
    return [ArmRuns(arm.id, names.get(arm.id, arm.label), runs[arm.id]) for arm in found.arms], lost


def by_run(settings: Settings, found: Stored, names: dict[str, str], run_ids: Sequence[str]) -> list[ArmRuns]:
    """The ledgers of these runs, each by itself, in this order; without those that have none, or whose file is gone."""
    known = {kept.run.id: kept for kept in found.kept}
    runs = []
    for kept in (known[run_id] for run_id in dict.fromkeys(run_ids) if run_id in known):
        ledger = read(settings, kept)
        if ledger is not None:
            name = f"{names.get(kept.run.arm_id, kept.run.arm_id)}, seed {kept.run.seed}"
            runs.append(ArmRuns(kept.run.arm_id, name, {kept.run.seed: ledger}, kept.run.id))
    return runs


def of_study(session: Session, study_id: str, run_ids: Sequence[str]) -> None:
    """Raise NotFound where one of these is no run of the study."""
    known = set(session.scalars(select(Run.id).where(Run.study_id == study_id, Run.id.in_(run_ids))))
    for run_id in run_ids:
        if run_id not in known:
            raise NotFound(f"this study has no run '{run_id[:100]}'")


def label_names(settings: Settings, arms: Sequence[Arm]) -> tuple[str, ...]:
    """Names of the classes; none where the data set is not here as it was."""
    spec = ArmKeySpec.model_validate(arms[0].spec) if arms else None
    facts = None if spec is None else find_dataset(settings.shared, spec.dataset.id)
    return facts.label_names if facts is not None and spec is not None and _same(facts.content_hash, spec) else ()


def texts(settings: Settings, arms: Sequence[Arm], wanted: set[int]) -> dict[int, str]:
    """Texts of held-out rows, test rows too, by their number in the validation split; none where that is not here as it
    was, or too large."""
    spec = ArmKeySpec.model_validate(arms[0].spec) if arms else None
    facts = None if spec is None else find_dataset(settings.shared, spec.dataset.id)
    if facts is None or spec is None or not _same(facts.content_hash, spec) or not wanted:
        return {}
    path = dataset_folder(settings.shared, spec.dataset.id) / "validation.jsonl"
    if not path.is_file() or path.stat().st_size > MOST_TEXT_BYTES:
        return {}
    with path.open("rb") as file:
        lines = enumerate(islice(file, max(wanted) + 1))
        return {number: _text(json.loads(line)) for number, line in lines if number in wanted}


def _same(content_hash: str, spec: ArmKeySpec) -> bool:
    return content_hash == spec.dataset.content_hash


def _text(row: dict[str, Any]) -> str:
    return " · ".join(_parts(row))


def _parts(row: dict[str, Any]) -> Iterator[str]:
    for name, value in row.items():
        if name != "label" and isinstance(value, str) and value:
            yield value
