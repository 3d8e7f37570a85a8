"""The charts of one run: what was measured, nothing smoothed, a break where a number is not finite."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.comparison.words import LOSS_UNIT, number
from backend.shared.metrics import METRICS

from .arrays import floats, thin
from .figure import Figure, Trace
from .palette import SILVER, look
from .run_curves import Floats, RunCurves

SMALL = 190
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_PLANNED_POINTS = 200


def losses(run: RunCurves) -> Figure:
    """Training loss of every step with dropout on, and the evaluations with dropout off."""
    unit = LOSS_UNIT.get(run.task, "loss")
    probe, validation = run.of("probe/loss"), run.of("validation/loss")
    traces: list[Trace] = []
    if len(run.losses):
        x, y = thin(run.loss_steps, run.losses)
        faint = {"mode": "lines", "line": {"color": SILVER, "width": 1}, "opacity": 0.6}
        traces.append(_line("Training, dropout on", x, y, faint))
    for name, values, width, dash in (("Probe", probe, 1.6, "solid"), ("Validation", validation, 2.4, "dash")):
        if np.isfinite(values).any():
            traces.append(_line(name, run.steps, values, _own(run, width=width, dash=dash)))
    alt = f"at the last evaluation: probe {_last(probe)}, validation {_last(validation)}"
    return _figure(run, "losses", "Losses of this run", f"Loss ({unit})", traces, alt, {"showlegend": True})


def gap(run: RunCurves) -> Figure:
    """Validation loss minus probe loss, both with dropout off."""
    apart = run.of("validation/loss") - run.of("probe/loss")
    traces = [_line("Gap", run.steps, apart, _own(run))] if np.isfinite(apart).any() else []
    return _figure(run, "gap", METRICS["gap"].title, "Validation − probe", traces, f"last {_last(apart)}")


def validation(run: RunCurves, beside: Sequence[tuple[str, RunCurves]] = ()) -> Figure:
    """Validation loss of a run, and of others with it, each named: runs of one colour are told apart by their dash."""
    traces: list[Trace] = []
    used: list[str] = []
    for name, one in beside or [(f"seed {run.seed}", run)]:
        values = one.of("validation/loss")
        colour = look(one.colour_key).colour
        if np.isfinite(values).any():
            dash = _DASHES[used.count(colour) % len(_DASHES)]
            traces.append(_line(name, one.steps, values, _own(one, dash=dash)))
            used.append(colour)
    unit = LOSS_UNIT.get(run.task, "loss")
    alt = ", ".join(f"{name} {_last(one.of('validation/loss'))}" for name, one in beside) or "alone"
    title = "Validation loss, run by run"
    return _figure(run, "validation", title, f"Loss ({unit})", traces, alt, {"showlegend": True})


def kl(run: RunCurves) -> Figure:
    """Divergence of the outputs with dropout on from those without; nothing where nothing is dropped."""
    values = run.of("probe/slice_kl")
    traces = [_line("KL", run.steps, values, _own(run))] if np.nansum(np.abs(values)) > 0 else []
    alt = f"last {_last(values)}"
    return _figure(run, "kl", METRICS["slice_kl"].title, "KL (nats)", traces, alt, {"height": SMALL})


def learning_rate(run: RunCurves) -> Figure:
    """The learning rate of every optimizer step: what was taken so far, and what is planned."""
    traces: list[Trace] = []
    alt = "not known before the run starts"
    if run.schedule is not None and run.schedule.total > 0:
        plan = run.schedule
        marks = [*np.linspace(1, plan.total, _PLANNED_POINTS), plan.warmup, plan.warmup + 1, run.step]
        steps = np.unique(np.clip(np.round(marks), 1, plan.total))
        rates = np.array([plan.rate(int(step) - 1) for step in steps])
        taken = steps <= run.step
        planned = {"mode": "lines", "line": {"color": SILVER, "width": 1.4, "dash": "dot"}}
        if not taken.all():
            traces.append(_line("Planned", steps, rates, planned, ".3g"))
        if taken.any():
            traces.append(_line("Taken", steps[taken], rates[taken], {**_own(run), "mode": "lines"}, ".3g"))
        down = "the same to the end" if plan.shape == "constant" else f"down to 0 at step {plan.total}"
        alt = f"peak {plan.peak:g} after {plan.warmup} steps of warm-up, then {down}"
    return _figure(run, "learning_rate", "Learning rate", "Learning rate", traces, alt, {"height": SMALL})


def gradient_norm(run: RunCurves) -> Figure:
    """Norm of the gradient before clipping, at the step of each evaluation."""
    values = run.of("train/gradient_norm")
    traces = [_line("Norm", run.steps, values, _own(run), ".3g")] if np.isfinite(values).any() else []
    axis = {"height": SMALL, "yaxis": {"rangemode": "tozero"}}
    return _figure(run, "gradient_norm", "Gradient norm", "Norm", traces, f"last {_last(values)}", axis)


def speed(run: RunCurves) -> Figure:
    """Training tokens a second between evaluations; evaluations themselves are not counted in."""
    tokens, seconds = (np.diff(run.of(f"train/{name}"), prepend=0.0) for name in ("tokens", "seconds"))
    pace = np.divide(tokens, seconds, out=np.full(len(tokens), np.nan), where=seconds > 0)
    traces = [_line("Tokens/s", run.steps, pace, _own(run), ",.0f")] if np.isfinite(pace).any() else []
    alt = f"last {_last(pace, 0)} training tokens a second"
    axis = {"height": SMALL, "yaxis": {"rangemode": "tozero"}}
    return _figure(run, "speed", "Speed", "Tokens/s", traces, alt, axis)


RUN_FIGURES: dict[str, Callable[[RunCurves], Figure]] = {
    "losses": losses,
    "gap": gap,
    "kl": kl,
    "learning_rate": learning_rate,
    "gradient_norm": gradient_norm,
    "speed": speed,
    "validation": validation,
}


def _own(run: RunCurves, *, width: float = 2.0, dash: str = "solid") -> Trace:
    """Return the look of a line in the colour of the run's arm."""
    colour = look(run.colour_key).colour
    marker = {"color": colour, "size": 5}
    return {"mode": "lines+markers", "line": {"color": colour, "width": width, "dash": dash}, "marker": marker}


def _line(name: str, x: Floats, y: Floats, style: Mapping[str, object], form: str = ".4f") -> Trace:
    return {
        "type": "scatter",
        "x": floats(x),
        "y": floats(np.where(np.isfinite(y), y, np.nan)),
        "name": name,
        "connectgaps": False,
        "hovertemplate": f"{name}: %{{y:{form}}}<extra></extra>",
        "meta": {"role": name},
        **style,
    }


def _figure(
    run: RunCurves,
    name: str,
    title: str,
    y_title: str,
    traces: Sequence[Trace],
    alt: str,
    layout: Mapping[str, Any] | None = None,
) -> Figure:
    """Return a run's figure; without traces it says in a sentence that there is nothing to draw."""
    more = dict(layout or {})
    hidden: dict[str, Any] = {}
    if not traces:
        alt = f"nothing recorded, the run is {run.status}"
        note = {"text": "Nothing recorded.", "showarrow": False, "xref": "paper", "yref": "paper"}
        more["annotations"] = [{**note, "x": 0.5, "y": 0.5}]
        hidden = {"visible": False}
    return {
        "data": list(traces),
        "layout": {
            "title": {"text": title},
            "meta": {
                "name": name,
                "study": run.study_id,
                "run": run.run_id,
                "event_seq": run.event_seq,
                "title": title,
                "alt": f"{title} (seed {run.seed}, {run.status}), {alt}.",
            },
            "uirevision": f"{run.run_id}/{name}",
            "hovermode": "x unified",
            "showlegend": False,
            "legend": {"orientation": "h", "yanchor": "top", "y": -0.2},
            "margin": {"l": 64, "r": 16, "t": 40, "b": 48},
            "xaxis": {"title": {"text": "Optimizer step"}, "rangemode": "tozero", **hidden},
            **more,
            "yaxis": {"title": {"text": y_title}, **more.get("yaxis", {}), **hidden},
        },
    }


def _last(values: Floats, digits: int = 3) -> str:
    return number(float(values[-1]), digits) if len(values) and np.isfinite(values[-1]) else "not a number"
