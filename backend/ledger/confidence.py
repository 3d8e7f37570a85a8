"""Confidence of a study's runs, read from their ledgers for the comparison; kept by artifact, which never changes."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from backend.comparison.statistics.records import StudyRecords
from backend.comparison.study_records import study_records
from backend.shared.settings import Settings
from backend.shared.specs import Clock
from backend.shared.tables import Study

from .rows import CLOCKS, Ledger
from .service import Kept, read, stored
from .statistics import calibration

MOST_KEPT = 4096  # runs; a few numbers each
Numbers = Mapping[str, Mapping[str, float]]


class Confidences:
    """Numbers of ledgers that were read, the latest ones; safe between threads."""

    def __init__(self, settings: Settings, most: int = MOST_KEPT) -> None:
        self._settings, self._most = settings, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Numbers] = OrderedDict()

    def records(self, session: Session, study: Study) -> StudyRecords:
        """Everything of a study that statistics need, its runs' confidence among it."""
        found = study_records(session, study)
        if found.task != "classification":
            return found
        told = {kept.run.id: self._of(kept) for kept in stored(session, study.id).kept}
        return replace(found, confidence={run: numbers for run, numbers in told.items() if numbers})

    def _of(self, kept: Kept) -> Numbers:
        with self._lock:
            if kept.artifact.id in self._kept:
                self._kept.move_to_end(kept.artifact.id)
                return self._kept[kept.artifact.id]
        ledger = read(self._settings, kept)
        if ledger is None:  # gone or damaged; it may come back
            return {}
        found = numbers(ledger)
        with self._lock:
            self._kept[kept.artifact.id] = found
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


def numbers(ledger: Ledger) -> Numbers:
    """What one run's ledger says of its confidence by clock and name, on test rows where it has some; empty without
    logits.
    """
    return {clock: found for clock in CLOCKS if (found := _at(ledger, clock))}


def _at(ledger: Ledger, clock: Clock) -> dict[str, float]:
    held, judged = ledger.get((clock, "validation")), ledger.get((clock, "test"), ledger.get((clock, "validation")))
    if held is None or judged is None or judged.logits is None or judged.classes is None:
        return {}
    if judged is held:
        scaled = calibration.scaled_crosswise(judged.logits, judged.classes)
    elif held.logits is None or held.classes is None:
        return {}
    else:
        scaled = calibration.scaled_elsewhere((held.logits, held.classes), (judged.logits, judged.classes))
    if scaled is None:
        return {}
    return {
        "brier": calibration.brier(judged.logits, judged.classes),
        "error": float(calibration.calibration_error(judged.logits, judged.classes)[0]),
        "temperature": scaled.temperature,
        "loss": scaled.loss_before,
        "scaled": scaled.loss,
    }
