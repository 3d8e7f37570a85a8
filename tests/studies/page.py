"""What `make studies` found, as a page of tables and one figure; from the files that each study left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.shared.metrics import METRICS

TITLES = {"sst2": "SST-2, 256 rows", "mrpc": "MRPC, 256 rows", "trec6": "TREC-6, 256 rows"}
CLOCKS = {"last": "at the last step", "stopped": "stopped in time"}
_ROW, _WIDTH, _LEFT = 26, 760, 250


def write_page(folder: Path) -> None:
    """Write `studies.md` and `studies.svg` beside the files of the studies that have ended."""
    found = {task: json.loads(file.read_text()) for task in TITLES if (file := folder / f"{task}.json").is_file()}
    (folder / "studies.md").write_text("\n".join(_tables(found)) + "\n")
    (folder / "studies.svg").write_text(_figure(found))
    print(f"written: {folder / 'studies.md'}, {folder / 'studies.svg'}")


def _tables(found: dict[str, Any]) -> list[str]:
    lines = []
    for task, study in found.items():
        lines += [f"**{TITLES[task]}** ({study['seconds']:.0f} s). {_stopping(study)}", ""]
        for clock, words in CLOCKS.items():
            by_loss, by_score = study[f"loss_{clock}"]["selection"], study[f"score_{clock}"]["selection"]
            score = METRICS[by_score["reported"]].words
            head = [f"{words}, chosen by validation loss", "test loss", "difference to no dropout", "Holm p"]
            head += ["chosen by validation accuracy", score, "difference", "Holm p"]
            lines += [f"{by_loss['sentence']}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
            scored = {method["method_title"]: method for method in by_score["methods"]}
            for method in by_loss["methods"]:
                cells = [*_cells(method), *_cells(scored[method["method_title"]])]
                lines.append("| " + " | ".join(cells) + " |")
            lines.append("")
        lines += [*_verdicts(study["loss_last"]), ""]
    return lines


def _stopping(study: dict[str, Any]) -> str:
    """Say what stopping plain LoRA in time is worth, on test rows, with the step where it stops."""
    base = _baseline(study)
    step, gain = base["stopped"]["step"], _gain(study)
    if gain is None:
        return "Nothing can be said of stopping."
    where = f"steps {step['first']} to {step['last']}, median {step['median']:.0f}"
    return f"No dropout ends {_spread(gain, signed=True)} nats of test loss from where it was best ({where})."


def _verdicts(comparison: dict[str, Any]) -> list[str]:
    arms = [arm for arm in comparison["arms"] if arm["verdict"]]
    return [
        "Verdicts of the plan: " + "; ".join(f"{arm['name']}: {arm['verdict']['title'].lower()}" for arm in arms) + "."
    ]


def _baseline(study: dict[str, Any]) -> dict[str, Any]:
    return next(arm for arm in study["loss_last"]["arms"] if arm["is_baseline"])


def _gain(study: dict[str, Any]) -> dict[str, Any] | None:
    """The baseline's last step minus the same runs stopped in time; with interval."""
    found: dict[str, Any] | None = _baseline(study)["stopped"]["last_against_stopped"].get("test/loss")
    return found


def _cells(method: dict[str, Any]) -> list[str]:
    difference = method["difference"]
    gap = "–" if difference is None else _spread(difference, signed=True)
    p = "–" if difference is None or difference["p_holm"] is None else f"{difference['p_holm']:.2g}"
    return [method["arm_name"], _spread(method["test"]), gap, p]


def _spread(value: dict[str, Any], *, signed: bool = False) -> str:
    if value["mean"] is None:
        return "–"
    mean = f"{value['mean']:+.3f}" if signed else f"{value['mean']:.3f}"
    half = value["half_width"]
    return (mean if half is None else f"{mean} ± {half:.3f}").replace("-", "−")


def _bars(found: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Task, name, clock and difference of every line of the figure, from above."""
    for task, study in found.items():
        if (gain := _gain(study)) is not None:
            yield task, "no dropout, not stopped", "last", gain
        for clock in CLOCKS:
            for method in study[f"loss_{clock}"]["selection"]["methods"]:
                if method["difference"] and method["difference"]["mean"] is not None:
                    yield task, f"{method['arm_name']}, {clock}", clock, method["difference"]


def _figure(found: dict[str, Any]) -> str:
    """Differences in test loss with their 95 % intervals; left of the line is better."""
    rows = list(_bars(found))
    reach = max((abs(d["mean"]) + (d["half_width"] or 0) for *_, d in rows), default=1.0) * 1.05
    middle = _LEFT + (_WIDTH - _LEFT - 20) / 2

    def at(value: float) -> float:
        return round(middle + value / reach * (_WIDTH - _LEFT - 20) / 2, 1)

    height = 60 + _ROW * (len(rows) + len({task for task, *_ in rows}))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" fill="#495057">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{middle}" y="20" text-anchor="middle">Test loss minus that of no dropout, 95 % interval</text>',
        f'<line x1="{middle}" x2="{middle}" y1="30" y2="{height - 26}" stroke="#868e96" stroke-dasharray="3 3"/>',
    ]
    y, last = 36, ""
    for task, name, clock, difference in rows:
        if task != last:
            y, last = y + _ROW, task
            parts.append(f'<text x="8" y="{y - 8}" font-weight="bold">{TITLES[task]}</text>')
        holds = difference["decided"] != "undecided"
        colour = "#1971c2" if difference["mean"] < 0 else "#c92a2a"
        half = difference["half_width"] or 0.0
        line = f'y1="{y + 4}" y2="{y + 4}" stroke="{colour}" stroke-width="2.5"'
        dash = "" if clock == "last" else ' stroke-dasharray="5 3"'
        parts += [
            f'<text x="16" y="{y + 8}">{name}</text>',
            f'<line x1="{at(difference["mean"] - half)}" x2="{at(difference["mean"] + half)}" {line}{dash}/>',
            f'<circle cx="{at(difference["mean"])}" cy="{y + 4}" r="5" stroke="{colour}" stroke-width="2" '
            f'fill="{colour if holds else "#fff"}"/>',
        ]
        y += _ROW
    parts.append(
        f'<text x="8" y="{height - 8}" font-size="12">Each method at its best setting against no dropout at its best, '
        f"same clock; not stopped: against itself stopped. Filled: holds. Scale: ±{reach:.2f} nats.</text>"
    )
    return "\n".join([*parts, "</svg>", ""])
