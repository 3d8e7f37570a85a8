"""Help is quick: it names every command and loads neither the database nor the network."""

import subprocess
import sys

from typer.main import get_group

from backend.cli.app import app
from backend.cli.noun import Noun

HEAVY = ("fastapi", "starlette", "sqlalchemy", "celery", "httpx", "huggingface_hub", "pyarrow", "numpy", "torch")


def every_command() -> list[list[str]]:
    """What may stand before `--help`: nothing, a command, a noun, a noun and its command."""
    found: list[list[str]] = [[]]
    for name, command in get_group(app).commands.items():
        found.append([name])
        if isinstance(command, Noun):
            command.make_context(name, ["list"])
            found += [[name, one] for one in command.commands]
    return found


def test_help_of_every_command_loads_nothing_that_only_its_work_needs() -> None:
    asked = every_command()
    assert len(asked) > 30
    code = f"""
import sys
from backend.cli.app import answer
for words in {asked}:
    assert answer([*words, "--help"]) == 0, words
    loaded = set({HEAVY}) & set(sys.modules)
    assert not loaded, (words, loaded)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Add a LoRA adapter that runs start from" in done.stdout
