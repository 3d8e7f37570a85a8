"""All rows of all ledgers of a study as one table, CSV or Parquet, made while it is sent: one run at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.edge.csv_text import csv_line, text
from backend.edge.pieces import Pieces
from backend.shared.settings import Settings

from .rows import Ledger, Rows
from .service import Kept, Stored, read

COLUMNS = pa.schema(
    [
        ("arm", pa.string()),
        ("method", pa.string()),
        ("seed", pa.int32()),
        ("run", pa.string()),
        ("clock", pa.string()),
        ("split", pa.string()),
        ("row", pa.int32()),
        ("label", pa.float64()),
        ("loss", pa.float64()),
        ("predicted", pa.float64()),
        ("p_right", pa.float64()),
        ("margin", pa.float64()),
        ("units", pa.int64()),
        ("accuracy", pa.float64()),
        ("logits", pa.list_(pa.float64())),
    ]
)
_NUMBERS = ("label", "loss", "predicted", "p_right", "margin", "units", "accuracy")


def parquet(settings: Settings, found: Stored) -> Iterator[bytes]:
    """The table as Parquet, a row group a run."""
    pieces = Pieces()
    with pq.ParquetWriter(pa.PythonFile(pieces, mode="w"), COLUMNS, compression="zstd") as writer:
        for kept, ledger in _readable(settings, found):
            writer.write_table(pa.Table.from_batches(_batches(found, kept, ledger), COLUMNS))
            yield pieces.take()
    yield pieces.take()


def csv(settings: Settings, found: Stored) -> Iterator[str]:
    """The table as CSV; logits are numbers with blanks between them."""
    yield csv_line(COLUMNS.names)
    for kept, ledger in _readable(settings, found):
        arm, method, seed, run = _told(found, kept)
        for (clock, split), rows in ledger.items():
            told = [text(arm), text(method), str(seed), run, clock, split]
            yield "".join(csv_line([*told, str(int(rows.row[at])), *_cells(rows, at)]) for at in range(len(rows.row)))


def _readable(settings: Settings, found: Stored) -> Iterator[tuple[Kept, Ledger]]:
    for kept in found.kept:
        ledger = read(settings, kept)
        if ledger is not None:
            yield kept, ledger


def _told(found: Stored, kept: Kept) -> tuple[str, str, int, str]:
    arm = next(one for one in found.arms if one.id == kept.run.arm_id)
    return arm.label, arm.method, kept.run.seed, kept.run.id


def _batches(found: Stored, kept: Kept, ledger: Ledger) -> list[pa.RecordBatch]:
    arm, method, seed, run = _told(found, kept)
    batches = []
    for (clock, split), rows in ledger.items():
        n = len(rows.row)
        columns: list[Sequence[Any] | np.ndarray] = [[arm] * n, [method] * n, [seed] * n, [run] * n, [clock] * n]
        columns += [[split] * n, rows.row, *(_column(rows, name) for name in _NUMBERS)]
        columns.append([None] * n if rows.logits is None else rows.logits.tolist())
        arrays = [pa.array(column, kind) for column, kind in zip(columns, COLUMNS.types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=COLUMNS))
    return batches


def _column(rows: Rows, name: str) -> Sequence[Any] | np.ndarray:
    found = getattr(rows, name)
    return [None] * len(rows.row) if found is None else found


def _cells(rows: Rows, at: int) -> list[str]:
    values = (getattr(rows, name) for name in _NUMBERS)
    numbers = ["" if value is None else repr(value[at].item()) for value in values]
    return [*numbers, "" if rows.logits is None else " ".join(repr(one) for one in rows.logits[at].tolist())]
