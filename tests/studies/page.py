"""What `make studies` found, as a page of tables and one figure; from the files that each study left."""

import json
from pathlib import Path
from typing import Any

from backend.shared.metrics import METRICS

TITLES = {"sst2": "SST-2, 512 rows", "mrpc": "MRPC, 512 rows", "cola": "CoLA, 1,024 rows"}
_ROW, _WIDTH, _LEFT = 26, 760, 230


def write_page(folder: Path) -> None:
    """Write `studies.md` and `studies.svg` beside the files of the studies that have ended."""
    found = {task: json.loads(file.read_text()) for task in TITLES if (file := folder / f"{task}.json").is_file()}
    (folder / "studies.md").write_text("\n".join(_tables(found)) + "\n")
    (folder / "studies.svg").write_text(_figure(found))
    print(f"written: {folder / 'studies.md'}, {folder / 'studies.svg'}")


def _tables(found: dict[str, Any]) -> list[str]:
    lines = []
    for task, study in found.items():
        by_loss, by_score = study["loss"]["selection"], study["score"]["selection"]
        lines += [f"**{TITLES[task]}** ({study['seconds']:.0f} s). {by_loss['sentence']}", ""]
        head = ["chosen by validation loss", "test loss", "difference to no dropout", "Holm p"]
        head += [
            f"chosen by {METRICS[by_score['chosen_by']].words}",
            METRICS[by_score["reported"]].words,
            "difference",
            "Holm p",
        ]
        lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        scored = {_family(method): method for method in by_score["methods"]}
        for method in by_loss["methods"]:
            lines.append("| " + " | ".join([*_cells(method), *_cells(scored[_family(method)])]) + " |")
        lines.append("")
    return lines


def _family(method: dict[str, Any]) -> str:
    return str(method["method_title"])


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


def _figure(found: dict[str, Any]) -> str:
    """Differences to no dropout in test loss with their 95 % intervals; left of the line is better."""
    rows = [
        (task, method, method["difference"])
        for task, study in found.items()
        for method in study["loss"]["selection"]["methods"]
        if method["difference"] and method["difference"]["mean"] is not None
    ]
    reach = max((abs(d["mean"]) + (d["half_width"] or 0) for _, _, d in rows), default=1.0) * 1.05
    middle = _LEFT + (_WIDTH - _LEFT - 20) / 2

    def at(value: float) -> float:
        return round(middle + value / reach * (_WIDTH - _LEFT - 20) / 2, 1)

    height = 60 + _ROW * (len(rows) + len({task for task, _, _ in rows}))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" fill="#495057">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{middle}" y="20" text-anchor="middle">Test loss minus that of no dropout, 95 % interval</text>',
        f'<line x1="{middle}" x2="{middle}" y1="30" y2="{height - 26}" stroke="#868e96" stroke-dasharray="3 3"/>',
    ]
    y, last = 36, ""
    for task, method, difference in rows:
        if task != last:
            y, last = y + _ROW, task
            parts.append(f'<text x="8" y="{y - 8}" font-weight="bold">{TITLES[task]}</text>')
        holds = difference["decided"] != "undecided"
        colour = "#1971c2" if difference["mean"] < 0 else "#c92a2a"
        half = difference["half_width"] or 0.0
        middle_y = y + 4
        parts += [
            f'<text x="16" y="{y + 8}">{method["arm_name"]}</text>',
            f'<line x1="{at(difference["mean"] - half)}" x2="{at(difference["mean"] + half)}" y1="{middle_y}" '
            f'y2="{middle_y}" stroke="{colour}" stroke-width="2.5"/>',
            f'<circle cx="{at(difference["mean"])}" cy="{middle_y}" r="5" stroke="{colour}" stroke-width="2" '
            f'fill="{colour if holds else "#fff"}"/>',
        ]
        y += _ROW
    parts.append(
        f'<text x="8" y="{height - 8}" font-size="12">Filled: holds after Holm\'s correction. Open: undecided. '
        f"Scale: ±{reach:.2f} nats.</text>"
    )
    return "\n".join([*parts, "</svg>", ""])
