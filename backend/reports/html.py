"""A report as one HTML file that needs nothing beside itself: opened by a double click, without a network, years later.

plotly.js stands inside it, taken from the plotly package; the file's own policy forbids every request.
"""

import base64
import hashlib
import importlib.util
import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from backend.comparison.plan.told import lines
from backend.shared.errors import Unavailable

from .markdown import html as markdown
from .service import ReportContent
from .table import DEFINITIONS, ReportTable

_HERE = Path(__file__).parent
_DATA = "application/json"


def page(report: ReportContent) -> str:
    """Return the file: 5 MB, nearly all of it plotly.js. Raises Unavailable where that cannot be found."""
    plotly, drawing, style = _plotly(), _own("page.js"), _own("page.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(plotly)}' '{_hash(drawing)}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    title = escape(report.title)
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    )
    definitions = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in DEFINITIONS)
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.comparison.notes)
    plan = "".join(f"<li>{escape(line)}</li>" for line in lines(report.comparison))
    sections = (
        *([_section("Plan and verdicts", f"<ul>{plan}</ul>")] if plan else []),
        _section("Results", _tables(report)),
        *([_section("What it cost elsewhere", _elsewhere(report))] if report.comparison.elsewhere else []),
        _section("Figures", "".join(_figure(figure) for figure in report.figures)),
        _section("Definitions", f"<dl>{definitions}</dl>"),
        _section("Footnotes on the statistics", f"<ol>{notes}</ol>"),
        _section("Methods", markdown(report.methods.markdown())),
    )
    # "<" never stands in a data block as it is: "</script" would end the block, "<!--" would open another state.
    data = json.dumps(report.figures, allow_nan=False).replace("<", "\\u003c")
    scripts = (
        f'</main>\n<script type="{_DATA}" id="figures">{data}</script>\n<script>{plotly}</script>\n'
        f"<script>{drawing}</script>\n</body>\n</html>\n"
    )
    return "".join((head, _introduction(report, title), *sections, scripts))


def _introduction(report: ReportContent, title: str) -> str:
    shown = report.comparison
    if report.frozen_at is None:
        state = f"Saved at event {shown.event_seq:,} of a live report"
    else:
        state = f"Frozen on {report.frozen_at:%Y-%m-%d at %H:%M} UTC, at event {shown.event_seq:,} of the study"
    facts = f"{shown.study_name} · {shown.model} × {shown.dataset}"
    answers = "".join(
        f"<li><span>{escape(answer.question)}</span> <strong>{escape(answer.headline)}.</strong> "
        f"{escape(answer.text)}</li>"
        for answer in shown.answers[1:]  # the first one is the verdict
    )
    why = "".join(f"<dt>{escape(line.title)}</dt><dd>{escape(line.text)}</dd>" for line in shown.verdict.lines)
    return (
        f'<header><p class="facts" dir="auto">{escape(facts)}</p><h1 dir="auto">{title}</h1>'
        f'<p class="facts">{escape(state)}. {escape(shown.progress.sentence)}</p></header>\n'
        f'<article dir="auto">{markdown(report.text, under=1)}</article>\n'
        f'<section><h2 dir="auto">{escape(shown.verdict.headline)}</h2><dl class="verdict">{why}</dl>'
        f'<ul class="answers">{answers}</ul></section>\n'
    )


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inside}</section>\n"


def _tables(report: ReportContent) -> str:
    told = _table("Results of all arms", report.table)
    if report.in_time is None:
        return told
    return f"{told}<h3>Stopped in time</h3>{_table('All arms stopped in time', report.in_time)}"


def _elsewhere(report: ReportContent) -> str:
    found = report.comparison.elsewhere
    words = "" if found is None else "".join(f"<p>{escape(said)}</p>" for said in (found.sentence, found.note))
    table = "" if report.elsewhere is None else _table("All arms on further data sets", report.elsewhere)
    return f"{words}{table}"


def _table(label: str, table: ReportTable) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _figure(figure: dict[str, Any]) -> str:
    meta = figure["layout"]["meta"]
    return (
        f'<figure><h3>{escape(meta["title"])}</h3><div class="plot" aria-hidden="true"></div>'
        f'<figcaption dir="auto">{escape(meta["alt"])}</figcaption></figure>'
    )


@cache
def _plotly() -> str:
    found = importlib.util.find_spec("plotly")
    file = Path(found.origin).parent / "package_data" / "plotly.min.js" if found and found.origin else None
    if file is None or not file.is_file():
        raise Unavailable("plotly's package data is missing here; install the package plotly again, then retry")
    return file.read_text(encoding="utf-8")


@cache
def _own(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
