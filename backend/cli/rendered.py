"""What a model reads of a data set, in a terminal."""

from typing import Any

from backend.cli.console import out
from backend.cli.validated import validated
from backend.cli.which_server import remote
from backend.datasets.rendered import rendered
from backend.datasets.rendered_schemas import Asked, Piece, Rendered
from backend.shared.settings import Settings


def of(settings: Settings, dataset: str, asked: dict[str, Any]) -> Rendered:
    """What is read, found out here or by the server of the settings. Raises InvalidInput."""
    wanted = validated(Asked, asked)
    if settings.url is None:
        return rendered(settings, dataset, wanted)
    with remote(settings) as client:
        return Rendered.model_validate(client.datasets.rendered(dataset, **asked))


def say(found: Rendered) -> None:
    """Print the rows, how long they are, and what to know of them."""
    console = out()
    for row in found.rows:
        console.rule(f"row {row.number}: {row.tokens:,} tokens, {row.trained:,} learned", style="dim")
        console.print("".join(map(_marked, row.pieces)), markup=False, highlight=False)
        for note in row.notes:
            console.print(note, markup=False, style="yellow")
    all_of = found.measured
    console.rule(style="dim")
    console.print(
        f"Written as {found.template}, learned: {found.loss_on}. Of {all_of.rows:,} rows the median has "
        f"{all_of.median:,.0f} tokens, {all_of.median_trained:,.0f} of them learned; the longest {all_of.longest:,}, "
        f"and {found.max_length:,} are read. {all_of.cut:,} rows are cut, {all_of.unlearned:,} left out.",
        markup=False,
    )
    for warning in found.warnings:
        console.print(warning, markup=False, style="yellow")


def _marked(piece: Piece) -> str:
    if piece.cut:
        return f"~{piece.text}~"
    return f"[{piece.text}]" if piece.trained else piece.text
