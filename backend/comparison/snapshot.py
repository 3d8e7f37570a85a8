"""A study's records as bytes: what a frozen share link shows for as long as it lives.

JSON, compressed; Python's JSON keeps NaN and the infinities, which mean something here.
"""

import json
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .statistics.records import ArmRecord, Evaluations, RunRecord, StudyRecords

VERSION = 1
_STUDY = ("study_id", "name", "event_seq", "task", "baseline_arm_id", "model", "dataset", "draws_rows", "plan")
_LATER = ("confidence", "explored")  # of the study, not in what was written before there was one
_ARM = ("id", "key", "label", "method", "position", "spec", "trainable_parameters")
_RUN = ("id", "arm_id", "seed", "status", "failure_code", "step", "total_steps", "seconds", "flops")


@dataclass(frozen=True)
class Snapshot:
    """A study as it was asked for and as it stood."""

    spec: dict[str, Any]
    records: StudyRecords


def public(records: StudyRecords) -> StudyRecords:
    """The records without what a stranger must not read: sentences of failed runs may name files of the server."""
    return replace(records, runs=tuple(replace(run, message=None, final={}) for run in records.runs))


def dump(spec: dict[str, Any], records: StudyRecords) -> bytes:
    """Write what `load` reads."""
    evaluations = records.evaluations
    columns = {
        "run": evaluations.run.tolist(),
        "step": evaluations.step.tolist(),
        "epoch": evaluations.epoch.tolist(),
        "metrics": {name: values.tolist() for name, values in evaluations.metrics.items()},
    }
    written = {
        "version": VERSION,
        "spec": spec,
        "study": {name: getattr(records, name) for name in (*_STUDY, *_LATER)},
        "arms": [{name: getattr(arm, name) for name in _ARM} for arm in records.arms],
        "runs": [{name: getattr(run, name) for name in _RUN} for run in public(records).runs],
        "evaluations": columns,
    }
    return zlib.compress(json.dumps(written, default=dict).encode(), 6)


def load(data: bytes) -> Snapshot:
    """Read what `dump` wrote."""
    found = json.loads(zlib.decompress(data))
    columns = found["evaluations"]
    evaluations = Evaluations(
        run=np.array(columns["run"], np.int64),
        step=np.array(columns["step"], np.int64),
        epoch=np.array(columns["epoch"], np.float64),
        metrics={name: np.array(values, np.float64) for name, values in columns["metrics"].items()},
    )
    records = StudyRecords(
        arms=tuple(ArmRecord.from_spec(**arm) for arm in found["arms"]),
        runs=tuple(RunRecord(**run) for run in found["runs"]),
        evaluations=evaluations,
        **{**found["study"], "explored": tuple(map(tuple, found["study"].get("explored", ())))},
    )
    return Snapshot(found["spec"], records)
