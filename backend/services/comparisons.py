"""Comparisons kept for as long as the study they speak of stands where it stood."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from backend.services import comparison
from backend.services.comparison_schema import Band, Comparison, SeriesName, XAxis
from backend.services.expand import pick
from backend.services.statistics.records import StudyRecords
from backend.services.study_records import study_records
from backend.shared.tables import Study

Value = TypeVar("Value")


@dataclass(frozen=True)
class Query:
    """How to compare: against which arm (id, key, label or method; None: the study's own), over what, shown how."""

    baseline: str | None = None
    x: XAxis = "step"
    band: Band = "t"
    metric: SeriesName = "validation/loss"


class ComparisonCache:
    """The latest comparisons and the records they were made from, by study, state and query; safe between threads."""

    def __init__(self, comparisons: int = 64, records: int = 8) -> None:
        self._comparisons, self._records = _Recent[Comparison](comparisons), _Recent[StudyRecords](records)

    def get(self, session: Session, study: Study, query: Query) -> Comparison:
        """The comparison of a study as it stands in this session; raises InvalidInput for an unknown baseline."""
        return self.of((study.id, study.event_seq), lambda: study_records(session, study), query)

    def of(self, state: Hashable, load: Callable[[], StudyRecords], query: Query) -> Comparison:
        """The comparison of the records that `load` gives; `state` stands for them. Raises as `get` does."""
        key = (state, query)
        found = self._comparisons.get(key)
        if found is None:
            records = self._records.get(state)
            if records is None:
                records = load()
                self._records.put(state, records)
            baseline = _baseline(records, query.baseline)
            found = comparison.build(records, baseline=baseline, metric=query.metric, x=query.x, band=query.band)
            self._comparisons.put(key, found)
        return found


def _baseline(records: StudyRecords, wanted: str | None) -> str | None:
    if wanted is None or wanted in {arm.id for arm in records.arms}:
        return wanted
    return records.arms[pick(wanted, [(arm.key, arm.label, arm.method) for arm in records.arms])].id


class _Recent(Generic[Value]):
    """The values used last, the oldest forgotten first."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, threading.Lock()
        self._held: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._held[key] = value
            while len(self._held) > self._size:
                self._held.popitem(last=False)
