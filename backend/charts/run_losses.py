"""One run's losses: training loss of every step (dropout on), and the evaluations with dropout off."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.services.comparison_words import LOSS_UNIT
from backend.services.statistics.records import Floats, RunRecord, StudyRecords

from .arrays import floats, thin
from .figure import Figure, Trace
from .options import ChartOptions
from .palette import BLUE, GREY, VERMILLION
from .text import number

TITLE = "Losses of this run"


def run_losses(records: StudyRecords, run_id: str, options: ChartOptions) -> Figure:
    """Draw one run; raises KeyError where the study has no such run."""
    index = next((i for i, run in enumerate(records.runs) if run.id == run_id), None)
    if index is None:
        raise KeyError(run_id)
    run = records.runs[index]
    table = records.evaluations
    mine = np.flatnonzero(table.run == index)
    mine = mine[np.argsort(table.step[mine], kind="stable")]
    step = table.step[mine].astype(np.float64)
    traces: list[Trace] = []
    dense = records.train_losses.get(run_id)
    if dense is not None and len(dense.loss):
        x, y = thin(dense.step.astype(np.float64), np.where(np.isfinite(dense.loss), dense.loss, np.nan))
        line = {"color": GREY, "width": 1}
        traces.append(_line("training, dropout on (each step)", x, y, {"mode": "lines", "line": line, "opacity": 0.6}))
    for metric, name, colour, dash in (
        ("train/loss", "training, dropout on (mean)", GREY, "dot"),
        ("probe/loss", "probe, dropout off", BLUE, "solid"),
        ("validation/loss", "validation, dropout off", VERMILLION, "dash"),
    ):
        values = table.metrics.get(metric)
        if values is None or not len(mine):
            continue
        finite = np.where(np.isfinite(values[mine]), values[mine], np.nan)
        look = {"mode": "lines+markers", "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"size": 6}}
        traces.append(_line(name, step, finite, look))
    unit = LOSS_UNIT.get(records.task, "loss")
    hidden = {} if traces else {"visible": False}
    meta = {
        "name": "run_losses",
        "study": records.study_id,
        "event_seq": records.event_seq,
        "title": TITLE,
        "alt": _alt(run, traces, mine, table.metrics),
    }
    return {
        "data": traces,
        "layout": {
            "title": {"text": TITLE},
            "meta": meta,
            "uirevision": f"{records.study_id}/{run_id}/run_losses",
            "hovermode": "x unified",
            "legend": {"orientation": "h", "yanchor": "top", "y": -0.2},
            "margin": {"l": 64, "r": 16, "t": 40, "b": 48},
            "xaxis": {"title": {"text": "Optimizer step"}, "rangemode": "tozero", **hidden},
            "yaxis": {"title": {"text": f"Loss ({unit})"}, "type": "log" if options.log_y else "linear", **hidden},
        },
    }


def _line(name: str, x: Floats, y: Floats, look: Mapping[str, object]) -> Trace:
    return {
        "type": "scatter",
        "x": floats(x),
        "y": floats(y),
        "name": name,
        "connectgaps": False,
        "hovertemplate": "%{y:.4f}",
        "meta": {"role": name},
        **look,
    }


def _alt(run: RunRecord, traces: list[Trace], rows: NDArray[np.intp], metrics: Mapping[str, Floats]) -> str:
    if not traces:
        return f"{TITLE}: nothing recorded yet, the run is {run.status}."
    parts = []
    for metric, name in (("probe/loss", "probe loss"), ("validation/loss", "validation loss")):
        values = metrics.get(metric)
        if values is not None and len(rows):
            last = float(values[rows[-1]])
            parts.append(f"{name} {number(last) if np.isfinite(last) else 'not a number'}")
    return f"{TITLE} (seed {run.seed}, {run.status}), at the last evaluation: {', '.join(parts) or 'none yet'}."
