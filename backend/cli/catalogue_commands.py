"""`dropscope data add` and `dropscope model add`: into the data folder of this machine, with or without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from backend.cli.console import out
from backend.migrations.runner import migrate
from backend.services import registry
from backend.services.principal import Principal
from backend.shared.database import Database, open_database
from backend.shared.errors import InvalidInput
from backend.shared.rows.plan import ImportPlan
from backend.shared.rows.row import ColumnMapping
from backend.shared.settings import Settings
from backend.shared.specs import Task
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.stack import home

OWNER = Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")


def add_data(settings: Settings, file: Path, task: str, columns: dict[str, str | None], name: str | None) -> None:
    """Read a file into a stored data set and say what was kept."""
    known = next((one for one in get_args(Task) if one == task), None)
    if known is None:
        raise InvalidInput(f"There is no task {task!r}; it is one of {', '.join(get_args(Task))}.", "/task")
    with _database(settings) as database:
        plan = ImportPlan(task=known, mapping=ColumnMapping(**columns))
        facts = registry.add_dataset(database, settings, OWNER, file, plan, dataset_id=name)
    rows = ", ".join(f"{count} {split}" for split, count in facts.rows.items())
    out().print(f"Added {facts.id}: {rows} rows; {facts.kept} of {facts.read} rows kept.", markup=False)


def add_model(settings: Settings, folder: Path, name: str | None) -> None:
    """Register a folder; its files stay where they are."""
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder; give one with config.json, tokenizer.json and safetensors.")
    with _database(settings) as database:
        facts = registry.add_model(database, settings, OWNER, folder, name)
    out().print(
        f"Registered {facts.id}: {facts.family}, {facts.layers} layers, {facts.parameters:,} parameters.", markup=False
    )


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    home.prepare(settings)
    migrate(settings)
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
