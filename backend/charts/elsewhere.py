"""Learned against forgotten: what each arm gained on the study's own rows, and what it changed on further data sets."""

from typing import Any

from backend.comparison.schema import ArmChange, ArmComparison, Change, Clock, Comparison, FurtherSet
from backend.comparison.words import plus_minus

from .arrays import floats
from .clocks import WORDS
from .figure import Figure, Trace, arm_look, build, crowded_out, meta, nothing, ranked, vertical_panels
from .options import ChartOptions
from .text import safe

NAME, TITLE = "elsewhere", "Learned against forgotten"
PANEL_WIDTH = 360  # pixels below which a panel cannot be read
_CLOCKS: tuple[Clock, ...] = ("last", "stopped")


def elsewhere(comparison: Comparison, options: ChartOptions) -> Figure:
    """Draw an arm as a filled point at its last step and an open one stopped in time, its seeds small beside it.

    To the right: how far the loss on the study's own validation rows fell since before training. Up: how far the loss
    on the further data set rose. One panel a data set.
    """
    found, arms = comparison.elsewhere, ranked(comparison, options)
    if found is None:
        sentence = "Nothing but the study's own rows was measured."
        return nothing(NAME, comparison, title=TITLE, sentence=sentence)
    sets = [one for one in found.sets if one.measures]
    if not arms or not sets or not found.own:
        return nothing(NAME, comparison, title=TITLE, sentence="No run has finished yet.")
    own = {arm.arm_id: arm for arm in found.own[0].arms}
    traces: list[Trace] = []
    layout: dict[str, Any] = {"height": 400}
    unit = comparison.loss_unit
    for i, (one, domain) in enumerate(zip(sets, vertical_panels(len(sets), 0.1), strict=True)):
        axis = "" if i == 0 else str(i + 1)
        there = {arm.arm_id: arm for arm in one.measures[0].arms}
        for arm in arms:
            traces += _arm(arm, own[arm.id], there[arm.id], axis)
        layout[f"xaxis{axis}"] = {
            "domain": domain,
            "anchor": f"y{axis}",
            "title": {"text": f"Fall of validation loss ({unit})"},
            "zeroline": True,
        }
        layout[f"yaxis{axis}"] = {
            "anchor": f"x{axis}",
            "title": {"text": f"Change of loss on {safe(one.dataset, 24)}"},
            "zeroline": True,
        }
    return build(
        NAME,
        comparison,
        title=TITLE,
        alt=_alt(comparison, arms, sets, own),
        traces=traces,
        layout=layout,
        shown=arms,
        left_out=crowded_out(comparison, options),
        min_width=PANEL_WIDTH * len(sets) if len(sets) > 1 else None,
    )


def _at(arm: ArmChange, clock: Clock) -> Change | None:
    return arm.last if clock == "last" else arm.stopped


def _arm(arm: ArmComparison, own: ArmChange, there: ArmChange, axis: str) -> list[Trace]:
    traces: list[Trace] = []
    style = arm_look(arm)
    place = {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "legendgroup": arm.id, "name": safe(arm.name)}
    for clock in _CLOCKS:
        learned, changed = _at(own, clock), _at(there, clock)
        if learned is None or changed is None or changed.change.mean is None or learned.change.mean is None:
            continue
        filled = clock == "last"
        symbol = style.symbol if filled else f"{style.symbol.removesuffix('-open').removesuffix('-dot')}-open"
        ys = {one.run_id: one.value for one in changed.change.seeds}
        seeds = [(-one.value, ys[one.run_id]) for one in learned.change.seeds if one.run_id in ys]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": floats([x for x, _ in seeds]),
                "y": floats([y for _, y in seeds]),
                "marker": {"color": style.colour, "symbol": symbol, "size": 5, "opacity": 0.4},
                "hoverinfo": "skip",
                "showlegend": False,
                "meta": meta(arm, f"seeds_{clock}"),
                **place,
            }
        )
        text = (
            f"{safe(arm.name)}, {WORDS[clock]}<br>own loss {_written(learned)}"
            f"<br>elsewhere {_written(changed)} (n = {changed.change.n})"
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": floats([-learned.change.mean]),
                "y": floats([changed.change.mean]),
                # Whiskers of both clocks would hide the points of both.
                **(_whiskers(learned, changed) if filled else {}),
                "marker": {
                    "color": style.colour,
                    "symbol": symbol,
                    "size": 11,
                    "line": {"width": 2, "color": style.colour},
                },
                "text": [text],
                "hovertemplate": "%{text}<extra></extra>",
                "showlegend": axis == "" and filled,
                "meta": meta(arm, clock),
                **place,
            }
        )
    return traces


def _whiskers(learned: Change, changed: Change) -> dict[str, Any]:
    return {
        f"error_{axis}": {"type": "data", "array": floats([found.change.half_width]), "thickness": 1.2, "width": 3}
        for axis, found in (("x", learned), ("y", changed))
    }


def _alt(comparison: Comparison, arms: list[ArmComparison], sets: list[FurtherSet], own: dict[str, ArmChange]) -> str:
    parts = []
    for one in sets:
        there = {arm.arm_id: arm for arm in one.measures[0].arms}
        told = [f"{arm.name} {_said(own[arm.id], there[arm.id])}" for arm in arms[:12]]
        parts.append(f"{one.dataset}: {'; '.join(told)}")
    return f"{TITLE}, change of the own validation loss and of that elsewhere at the last step. {'. '.join(parts)}."


def _said(own: ArmChange, there: ArmChange) -> str:
    return f"{_written(own.last)} and {_written(there.last)}"


def _written(found: Change) -> str:
    return plus_minus(found.change.mean, found.change.half_width, 3, sign=True)
