"""The result of a study in a terminal: the verdict first, the report's own table, and the answers of the page."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli.console import out
from backend.shared.errors import Unavailable

if TYPE_CHECKING:
    from backend.comparison.schema import Comparison
    from backend.reports.table import ReportTable

DIGITS = 3  # of every number: one below the other, they are compared by eye
WIDEST_NAME = 28
_FRAME = 3  # beside each cell: a line and a space on either side


def print_result(comparison: dict[str, Any], *, as_json: bool) -> None:
    """Print verdict, table and answers, or all of the comparison as JSON."""
    console = out()
    if as_json:
        console.print_json(data=comparison)
        return
    # Statistics and their libraries are loaded for this alone.
    from backend.comparison.plan.told import lines
    from backend.reports.elsewhere_table import elsewhere_table
    from backend.reports.table import in_time_table, result_table, selection_table

    found = _read(comparison)
    console.print(Text(found.verdict.headline, style="bold"))
    for one in found.verdict.lines:
        console.print(f"{one.title}: {one.text}", markup=False)
    print_table(console, f"{found.study_name}: {found.model} on {found.dataset}", result_table(found, DIGITS))
    in_time = in_time_table(found, DIGITS)
    if in_time is not None:
        print_table(console, "Stopped in time", in_time)
    if found.selection:
        print_table(console, "Each method at its best, on test rows", selection_table(found.selection, DIGITS))
        console.print(found.selection.sentence, markup=False)
    elsewhere = elsewhere_table(found, DIGITS)
    if elsewhere is not None:
        print_table(console, "What it cost elsewhere", elsewhere)
    if found.elsewhere is not None:
        console.print(found.elsewhere.sentence, markup=False)
    for line in lines(found):
        console.print(line, markup=False)
    for answer in found.answers[1:]:  # the first one is the verdict
        first = "" if answer.text.startswith(answer.headline) else f"{answer.headline}. "
        console.print(f"{answer.question} {first}{answer.text}", markup=False)
    for note in found.notes:
        console.print(f"Note: {note}", markup=False)


def print_table(console: Console, title: str, table: "ReportTable") -> None:
    """Print a table of texts; one that is too wide in parts below each other, each with the names of its rows."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    narrow = [_width(column, first=i == 0) for i, column in enumerate(columns)]
    for number, part in enumerate(_parts(narrow, console.width)):
        widths = [max(narrow[i], cell_len(columns[i][0])) for i in part]  # every title on one line
        if _total(widths) > console.width:
            widths = [narrow[i] for i in part]
        shown = Table(title=Text(title) if number == 0 else None)
        for i, width in zip(part, widths, strict=True):
            shown.add_column(Text(columns[i][0]), justify="right" if i else "left", overflow="fold", width=width)
        for cells in zip(*(columns[i][1:] for i in part), strict=True):
            shown.add_row(*map(Text, cells))
        console.print(shown)


def _read(comparison: dict[str, Any]) -> "Comparison":
    """What a server answered, of a newer version too; Unavailable where it says too little."""
    from pydantic import ValidationError

    from backend.comparison.schema import Comparison

    try:
        return Comparison.model_validate(comparison, extra="ignore")
    except ValidationError as error:
        raise Unavailable(
            "the server answers as another version of Dropscope does; install that one here, or print its answer as "
            "it is with --json"
        ) from error


def _width(column: tuple[str, ...], *, first: bool) -> int:
    """What a column needs: its cells on one line each, its title word by word; long names may be folded."""
    title, *cells = column
    needed = max(map(cell_len, [*title.split(), *cells]))
    return min(needed, WIDEST_NAME) if first else needed


def _parts(widths: list[int], room: int) -> Iterator[list[int]]:
    """Places of the columns of each part, the first one in all, so that every part has room where that is possible."""
    part = [0]
    for i in range(1, len(widths)):
        if len(part) > 1 and _total(widths[j] for j in [*part, i]) > room:
            yield part
            part = [0]
        part.append(i)
    yield part


def _total(widths: Iterable[int]) -> int:
    return 1 + sum(width + _FRAME for width in widths)
