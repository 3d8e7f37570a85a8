"""Comparisons kept for as long as the study they speak of stands where it stood."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Annotated

from sqlalchemy.orm import Session

from backend.edge.context import held
from backend.shared.tables import Study
from backend.studies.pick import pick

from . import build
from .schema import Band, Clock, Comparison, SeriesName, XAxis
from .statistics.records import StudyRecords
from .study_records import study_records

MOST_BYTES = 24 << 20  # three comparisons of 640 runs
OBJECTS = 6  # bytes in memory for one of its JSON: a number is an object, and has a place in a list

Load = Callable[[Session, Study], StudyRecords]


@dataclass(frozen=True)
class Query:
    """How to compare: against which arm (id, key, label or method; None: the study's own), when, what, shown how."""

    baseline: str | None = None
    x: XAxis = "step"
    band: Band = "t"
    metric: SeriesName = "validation/loss"
    clock: Clock = "last"


class ComparisonCache:
    """The comparisons of the studies read last, each of the study's latest state only; safe between threads.

    What several requests ask for at once (a page asks for its answers and three charts) is computed once: the others
    wait for the first. The bound is in bytes, too: a comparison of 640 runs takes what a thousand small ones take.
    """

    def __init__(
        self, studies: int = 32, queries: int = 4, most_bytes: int = MOST_BYTES, load: Load = study_records
    ) -> None:
        self._studies, self._queries, self._most_bytes = studies, queries, most_bytes
        self._load = load
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()

    def get(self, session: Session, study: Study, query: Query) -> Comparison:
        """The comparison of a study as it stands in this session; raises InvalidInput for an unknown baseline."""
        return self.of(study.id, study.event_seq, lambda: self.records(session, study), query)

    def records(self, session: Session, study: Study) -> StudyRecords:
        """A study's records as they stand in this session, as this cache was told to load them."""
        return self._load(session, study)

    def of(self, key: Hashable, state: int, load: Callable[[], StudyRecords], query: Query) -> Comparison:
        """The comparison of the records that `load` gives, which are those of `key` in a `state`. Raises as `get`."""
        held = self._of(key)
        with held.turn:
            if held.state is None or state > held.state:
                held.state, held.records, held.found = state, load(), OrderedDict()
            elif state < held.state:  # a request that began before the newest event; its answer is of its own moment
                return _compare(load(), query)
            assert held.records is not None
            kept = held.found.get(query)
            if kept is None:
                found = _compare(held.records, query)
                kept = held.found[query] = (found, _bytes(found))
                if len(held.found) > self._queries:
                    held.found.popitem(last=False)
                self._make_room(held)
            held.found.move_to_end(query)
            return kept[0]

    def _make_room(self, newest: "_Held") -> None:
        """Let go of what was read longest ago, until the bytes are few enough; what was just made stays."""
        with self._lock:
            total = sum(one.bytes for one in self._held.values())
            for key, one in list(self._held.items()):
                if total <= self._most_bytes:
                    break
                if one is not newest:
                    total -= one.bytes
                    del self._held[key]
        while total > self._most_bytes and len(newest.found) > 1:
            total -= newest.found.popitem(last=False)[1][1]

    def _of(self, key: Hashable) -> "_Held":
        with self._lock:
            held = self._held.setdefault(key, _Held())
            self._held.move_to_end(key)
            while len(self._held) > self._studies:
                self._held.popitem(last=False)
            return held


@dataclass
class _Held:
    """One study's latest records and what was made from them; `turn` is held by whoever computes."""

    state: int | None = None
    records: StudyRecords | None = None
    found: OrderedDict[Query, tuple[Comparison, int]] = field(default_factory=OrderedDict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bytes(self) -> int:
        """What its comparisons take, roughly; the records themselves are a tenth of one."""
        return sum(size for _, size in tuple(self.found.values()))


def _bytes(found: Comparison) -> int:
    return OBJECTS * len(found.model_dump_json())


def _compare(records: StudyRecords, query: Query) -> Comparison:
    baseline = _baseline(records, query.baseline)
    return build.build(records, baseline=baseline, metric=query.metric, clock=query.clock, x=query.x, band=query.band)


def _baseline(records: StudyRecords, wanted: str | None) -> str | None:
    if wanted is None or wanted in {arm.id for arm in records.arms}:
        return wanted
    return records.arms[pick(wanted, [(arm.key, arm.label, arm.method) for arm in records.arms])].id


Comparisons = Annotated[ComparisonCache, held("comparisons")]
