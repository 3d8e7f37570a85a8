"""A terminal that lacks letters gets a ? for each, from every command; never a traceback."""

import io
import sys
from collections.abc import Iterator, Sequence

import click
import pytest
import typer.main

from backend.cli.app import answer, app
from backend.cli.console import say_in_any_letters
from backend.shared.settings import Settings


def _commands(command: click.Command, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield above
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*above, name))


EVERY = list(_commands(typer.main.get_command(app)))
DOING = [("doctor",), ("demo", "--yaml"), ("data", "list"), ("version",), ("study", "list")]


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch, sqlite_settings: Settings) -> None:
    monkeypatch.setenv("DROPSCOPE_HOME", str(sqlite_settings.home))


def said(command: Sequence[str], *codes: int) -> str:
    """What a command prints to streams as a program with an old locale has them."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict") for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        say_in_any_letters()
        assert answer(command) in codes, command
    found = ""
    for stream in streams:
        stream.flush()
        found += stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]  # a BytesIO
    return found


def test_the_help_of_every_command_is_printed() -> None:
    for command in EVERY:
        assert "went wrong" not in said([*command, "--help"], 0)


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("command", DOING, ids=" ".join)
def test_commands_speak(command: tuple[str, ...]) -> None:
    found = said(command, 0, 1)
    assert found
    assert "went wrong" not in found


@pytest.mark.usefixtures("at_home")
def test_names_in_any_script_are_printed() -> None:
    command = ["data", "add", "/tmp/レビュー\udce9.csv", "--text", "a", "--label", "b"]
    assert "There is no file /tmp/????\\udce9.csv" in said(command, 2)  # half of a pair is written out
