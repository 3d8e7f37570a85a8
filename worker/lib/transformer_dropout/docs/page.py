"""Fills `template.md` with the tables of cells, presets and losses."""

import textwrap
from collections.abc import Sequence
from importlib.resources import files

from transformer_dropout.spec import CONSISTENCY, PRESETS, STRUCTURES, catalogue, describe, formula


def methods_page() -> str:
    """Return docs/methods.md."""
    text = files(__package__).joinpath("template.md").read_text(encoding="utf-8")
    tables = {
        "cells": _cells(),
        "refused": _refused(),
        "options": _options(),
        "losses": _losses(),
        "presets": _presets(),
    }
    for name, table in tables.items():
        text = text.replace("{{" + name + "}}", table)
    return text


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells() -> str:
    rows = []
    for found in catalogue():
        if found.valid:
            rescales = ", ".join(f"**{r}**" if r == found.default_rescale else r for r in found.rescales)
            rows.append((f"`{found.position}`", f"`{found.structure}`", rescales, found.source, found.cost))
    return _table(("position", "structure", "rescale (default in bold)", "source", "cost"), rows)


def _refused() -> str:
    reasons: dict[str, list[str]] = {}
    for found in catalogue():
        if not found.valid:
            reasons.setdefault(found.position, [found.reason]).append(found.structure)
    return "\n".join(
        _wrapped(f"- `{position}` has no {' and no '.join(words[1:])}: {words[0]}.", under="  ")
        for position, words in reasons.items()
    )


def _options() -> str:
    where: dict[str, list[str]] = {}
    for found in catalogue():
        for option in found.options:
            where.setdefault(option, []).append(f"{found.position}/{found.structure}")
    rows = [(f"`{option}`", _OPTIONS[option], _places(places)) for option, places in where.items()]
    return _table(("option", "meaning", "where"), sorted(rows))


_OPTIONS = {
    "axis": "`token` (default) or `feature`: what a column of a token-by-feature matrix is",
    "keep_diagonal": "a query never loses its own key",
    "keep_first": "the first token of a row (CLS, BOS, often an attention sink) is never dropped",
    "per_row": "each query loses a run of its own, instead of one run for all queries of a head",
    "place": "`ffn_output` (default, before the residual) or `ffn_inner` (the activation between the linears)",
    "span_length": "`floor` (default: ⌊p·n⌋, at least 1) or `stochastic` (rounded at random: expected share p)",
    "window": "one decision for this many neighbouring keys or tokens (DropAttention's w)",
}


def _places(places: list[str]) -> str:
    by_position: dict[str, list[str]] = {}
    for place in places:
        position, structure = place.split("/")
        by_position.setdefault(position, []).append(structure)
    return "; ".join(
        position + (" (every structure)" if len(found) == len(STRUCTURES) else f" ({', '.join(found)})")
        for position, found in by_position.items()
    )


def _losses() -> str:
    rows = []
    for kind in CONSISTENCY.values():
        if kind.passes == 1:
            continue
        second = "clean" if kind.second_clean else "dropped"
        trained = "no" if kind.second_detached else "yes"
        task = {"first": "P₁", "mean": "mean of both", "sum": "sum of both"}[kind.task_on_both]
        formula_words = kind.formula.replace("|", "\\|")
        rows.append((f"`{kind.name}`", formula_words, second, trained, task, f"{kind.cost_factor:g}×", kind.source))
    return _table(("kind", "loss added", "second pass", "trained", "task loss on", "step cost", "source"), rows)


def _presets() -> str:
    parts = []
    for found in PRESETS.values():
        spec = found.spec()
        lines = formula(spec).replace("\n", "\n    ")
        says = _wrapped(f"{found.sentence} {describe(spec)}") + "\n" + _wrapped(f"Source: {found.source}.")
        parts.append(f"### `{found.name}`: {found.title}\n\n{says}\n\n    {lines}")
    return "\n\n".join(parts)


def _wrapped(text: str, under: str = "") -> str:
    """Return a paragraph in lines of at most 120; under: what stands before all lines but the first."""
    return textwrap.fill(text, 120, subsequent_indent=under, break_long_words=False, break_on_hyphens=False)
