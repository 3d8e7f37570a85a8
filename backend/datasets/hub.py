"""Data sets from the public hub: looked at first, pinned to a commit, fetched as plain files, then added like any file.

Only CSV, TSV, JSONL and Parquet are fetched; a loading script of a data set is never run. Where a data set has nothing
but a script, the hub's own conversion to Parquet (the branch `refs/convert/parquet`) is taken.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backend.accounts.principal import Principal
from backend.catalogue import register as registry
from backend.catalogue.hub import asked
from backend.shared.catalogue.names import slug
from backend.shared.database import Database
from backend.shared.errors import InvalidInput, TooLarge, Unavailable
from backend.shared.facts import DatasetFacts
from backend.shared.rows.budget import Budget
from backend.shared.rows.row import ColumnMapping
from backend.shared.settings import Settings

from . import add, hub_recipes
from .files.importing import open_table
from .files.plan import VALIDATION_NAMES, ImportPlan
from .files.table import bare, ending, source_of
from .hub_recipes import Recipe

CONVERTED = "refs/convert/parquet"
_SHARD = re.compile(  # train-00000-of-00002-b42a775f407cee45.parquet, train_0.jsonl.gz, train.csv
    r"(?P<split>[A-Za-z][A-Za-z_]*?)([-_.]\d{1,6}([-_]of[-_]\d{1,6})?)?([-_.](?=[a-f]*\d)[0-9a-f]{8,64})?"
)
_JOINED = " ; "
Files = dict[str, dict[str, dict[str, int]]]  # configuration → split → file → bytes


@dataclass(frozen=True)
class DataOffer:
    """A data set on the hub, before it is fetched: its commit, its licence, and the files of two splits with bytes."""

    hub_id: str
    config: str
    commit: str
    licence: str
    train: dict[str, int]
    validation: dict[str, int]
    recipe: Recipe | None

    @property
    def bytes(self) -> int:
        """Bytes that would be fetched."""
        return sum(self.train.values()) + sum(self.validation.values())

    @property
    def name(self) -> str:
        """Its name with the configuration, where that is not the only one."""
        return self.hub_id if self.config == "default" else f"{self.hub_id}:{self.config}"


def look(
    hub_id: str,
    config: str | None = None,
    revision: str | None = None,
    train: str = "train",
    validation: str | None = None,
) -> DataOffer:
    """What the hub has under this id; splits by their names there.

    Raises:
        InvalidInput: no such data set, revision, configuration or split, or none of its files is of a kind read here.
        Unavailable: the hub cannot be reached.
    """
    recipe = hub_recipes.find(hub_id, config)
    info = _info(hub_id, revision)
    files, commit = _files(info), str(info.sha)
    if not files and revision is None:
        told = _info(hub_id, CONVERTED)
        files, commit = _files(told), str(told.sha)
    if not files:
        raise InvalidInput(f"{hub_id} holds no CSV, TSV, JSONL or Parquet files; a loading script is never run here.")
    chosen = _config(hub_id, files, config or (recipe.config if recipe else None))
    splits = files[chosen]
    held = validation or (recipe.validation if recipe else None)
    if held is None:
        held = next((name for name in splits if name in VALIDATION_NAMES), None)
    for split in (train, held):
        if split is not None and split not in splits:
            raise InvalidInput(f"{hub_id} has no split {split[:60]!r} in {chosen}; it has {', '.join(splits)}.")
    card = info.card_data.to_dict() if info.card_data else {}
    licence = card.get("license") or registry.UNKNOWN_LICENCE
    said = ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence)
    return DataOffer(hub_id, chosen, commit, said[:200], splits[train], splits[held] if held else {}, recipe)


def fetch(
    database: Database,
    settings: Settings,
    who: Principal,
    offer: DataOffer,
    plan: ImportPlan | None = None,
    name: str | None = None,
    tell: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> DatasetFacts:
    """Fetch the files of an offer at its commit and make a data set of them.

    `plan` says the task and the columns; the recipe's where it is None. `tell` is told each file's name, and the bytes
    fetched so far and in all.

    Raises:
        InvalidInput: the files cannot be trusted or used, or nothing says what the columns are.
        TooLarge: over the cap of uploads.
        Unavailable: the hub cannot be reached, or there is no room.
    """
    recipe = offer.recipe if plan is None else None
    if plan is None:
        if recipe is None:
            raise InvalidInput(f"What {offer.name} is for is not known here; say --task and the columns.", "/task")
        plan = ImportPlan(task=recipe.task, mapping=ColumnMapping(**recipe.mapping))
    if offer.bytes > settings.max_upload_bytes:
        most = settings.max_upload_bytes
        raise TooLarge(f"{offer.name} has {offer.bytes:,} bytes; {most:,} are the most that are taken.")
    settings.shared.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.shared).free - 4 * offer.bytes < settings.disk_floor_bytes:
        raise Unavailable(f"There is no room for the {offer.bytes:,} bytes of {offer.name}; free some space.")
    with TemporaryDirectory(dir=settings.shared, prefix=".hub-") as made:
        folder, done = Path(made), 0
        for file, size in {**offer.train, **offer.validation}.items():
            _download(offer, file, folder)
            done += size
            tell(file, done, offer.bytes)
        named = plan.task == "classification" and not (recipe and recipe.labels)
        budget = Budget(settings.shared, offer.bytes, settings.max_upload_bytes, settings.disk_floor_bytes)
        told = (recipe, named, budget)
        train = _lines(folder, "train", offer.train, *told, grouped=False)
        held = offer.validation and _lines(folder, "validation", offer.validation, *told, grouped=True)
        return add.add_dataset(
            database,
            settings,
            who,
            train,
            plan.model_copy(update={"format": "jsonl"}),
            validation=held or None,
            title=offer.name,
            dataset_id=name,
            licence=offer.licence,
            name=slug(offer.config if offer.config != "default" else offer.hub_id.rpartition("/")[2]) + ".jsonl",
            told={
                "source": f"the public hub, commit {offer.commit}",
                "hub_id": offer.name,
                "metric": offer.recipe.metric if offer.recipe else None,
            },
        )


def _info(hub_id: str, revision: str | None) -> Any:
    from huggingface_hub import HfApi

    return asked(
        hub_id,
        revision,
        lambda: HfApi().dataset_info(hub_id, revision=revision, files_metadata=True),
        "data set",
    )


def _files(info: Any) -> Files:
    found: Files = {}
    for one in info.siblings or []:
        path = Path(one.rfilename)
        if ending(path.name) is None:
            continue
        parts, stem = path.parts[:-1], Path(bare(path.name)).stem
        if re.fullmatch(r"\d{4,}", stem) and parts:  # CONFIG/SPLIT/0000.parquet
            config, split = (parts[-2] if len(parts) > 1 else "default"), parts[-1]
        elif shard := _SHARD.fullmatch(stem):  # CONFIG/SPLIT-00000-of-00001.parquet, SPLIT.jsonl, data/SPLIT.csv
            config, split = (parts[-1] if parts and parts[-1] != "data" else "default"), shard["split"]
        else:
            continue
        found.setdefault(config, {}).setdefault(split, {})[str(one.rfilename)] = one.size or 0
    return found


def _config(hub_id: str, files: Files, asked_for: str | None) -> str:
    names = sorted(files)
    if asked_for is not None and asked_for not in files:
        raise InvalidInput(f"{hub_id} has no configuration {asked_for[:60]!r}; it has {', '.join(names[:40])}.")
    chosen = asked_for or ("default" if "default" in files else names[0] if len(names) == 1 else None)
    if chosen is None:
        raise InvalidInput(f"{hub_id} has several configurations: {', '.join(names[:40])}; name one with --config.")
    return chosen


def _download(offer: DataOffer, file: str, folder: Path) -> None:
    from huggingface_hub import hf_hub_download

    asked(
        offer.hub_id,
        offer.commit,
        lambda: hf_hub_download(
            offer.hub_id, file, revision=offer.commit, repo_type="dataset", local_dir=folder / "fetched"
        ),
        "data set",
    )


def _lines(
    folder: Path,
    split: str,
    files: dict[str, int],
    recipe: Recipe | None,
    named: bool,
    budget: Budget,
    *,
    grouped: bool,
) -> Path:
    """All rows of a split as one file of JSON lines."""
    out = folder / f"{split}.jsonl"
    rows: Iterator[dict[str, Any]] = (
        _row(values, recipe) for file in sorted(files) for values in _values(folder / "fetched" / file, named, budget)
    )
    if recipe is not None and recipe.grouped:
        rows = _grouped(rows, recipe) if grouped else (_alone(row, recipe) for row in rows)
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = json.dumps(row) + "\n"
            budget.row(len(line))
            file.write(line)
    return out


def _values(file: Path, named: bool, budget: Budget) -> Iterator[dict[str, Any]]:
    """The rows of a file, numbered classes by the names that it tells where they are asked for."""
    table = open_table(source_of(file, watch=budget.read))
    names = table.names if named else {}
    for _, values in table.rows:
        for column, known in names.items():
            number = values.get(column)
            if isinstance(number, int) and 0 <= number < len(known):
                values[column] = known[number]
        yield values


def _row(values: dict[str, Any], recipe: Recipe | None) -> dict[str, Any]:
    if recipe is None:
        return values
    changed = dict(values)
    label = values.get("label")
    if recipe.labels and isinstance(label, int) and 0 <= label < len(recipe.labels):
        changed["label"] = recipe.labels[label]
    if recipe.joined is not None and isinstance(values.get(recipe.joined), list):
        changed[recipe.joined] = _JOINED.join(map(str, values[recipe.joined]))
    return changed


def _alone(row: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    return {**row, "references": [row.get(recipe.mapping["completion"])]}


def _grouped(rows: Iterator[dict[str, Any]], recipe: Recipe) -> Iterator[dict[str, Any]]:
    """One row a prompt, in the order of their first rows, with all of its completions as references."""
    prompt, completion = recipe.mapping["prompt"], recipe.mapping["completion"]
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        first = found.setdefault(row.get(prompt), {**row, "references": []})
        first["references"].append(row.get(completion))
    yield from found.values()
