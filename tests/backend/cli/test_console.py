"""Other people's texts cannot steer the terminal of who reads them."""

import io
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from backend.cli import failures
from backend.cli.console import err, harmless, out
from backend.shared.errors import InvalidInput

HOSTILE = (
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[31m",
    "\x9b31m",
    "\x1b]8;;http://evil\x1b\\",
    "\u202egpj.exe",
    "a\rb",
    "\x7f\x08",
    "\u2028",
    "\ud800",
    "[red]:+1:[/]",
)
FAIR = ("Größe", "レビュー", "فیلم\u200cها", "👩\u200d💻", "a\tb", "naïve", "[bold]", ":smile:")
STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """So that colours would be written."""
        return True


def shown(text: str) -> str:
    """A text in every place where one of other people's stands, as a file gets it."""
    place = io.StringIO()
    console = out()
    console.file = place
    table = Table(text, "b", title=Text(text))
    table.add_row(text, Text(text))
    console.print(table)
    console.print(f"Note: {text}", markup=False)
    console.print(text)
    with Progress(TextColumn("{task.description}", markup=False), console=console) as progress:
        progress.add_task(text, total=1)
    return place.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_reaches_a_file_or_a_pipe(text: str) -> None:
    assert not STEERS.search(shown(text))


@given(st.text(alphabet=st.characters(exclude_characters="\n")))
def test_no_text_steers(text: str) -> None:
    assert not STEERS.search(harmless(text))
    assert json.loads(f'"{harmless(json.dumps(text, ensure_ascii=False)[1:-1])}"') == text


@pytest.mark.parametrize("text", FAIR)
def test_texts_of_every_script_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text
    assert text.split("\t")[0] in shown(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_errors_and_json_are_harmless_and_json_reads_back(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, results = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", results)
    failures.say(InvalidInput(f"The column {text!s} is not there."))
    err().print(text)
    own = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())  # the colour of errors is ours
    assert not STEERS.search(own)
    console = out()
    console.print_json(data={"name": text})
    written = results.getvalue()
    assert not STEERS.search(re.sub(r"\x1b\[[0-9;]*m", "", written))
    assert json.loads(re.sub(r"\x1b\[[0-9;]*m", "", written)) == {"name": text}
