"""A noun of the command line, `dropscope NOUN …`: its commands are read once somebody asks for one of them."""

from importlib import import_module
from typing import Any

from typer.core import TyperGroup
from typer.main import get_group


class Noun(TyperGroup):
    """A group whose commands are in the file, and in the variable, of its name; to list the nouns reads no file."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Called where the noun was typed, and only there."""
        file = import_module(f"backend.cli.commands.{self.name}")
        self.commands = get_group(getattr(file, str(self.name))).commands
        return super().make_context(*given, **more)
