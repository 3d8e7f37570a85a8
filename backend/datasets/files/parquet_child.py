"""The process that reads a Parquet file: `python -m backend.datasets.files.parquet_child FILE` writes JSON lines.

First an object with the `columns`, the types of those `left_out`, and the class `names` that the metadata tells; then
an object a row; a JSON string is a sentence about what went wrong.
"""

import json
import math
import resource
import sys
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MEMORY_BYTES = 1 << 30
PROCESSOR_S = 1800
MAX_COLUMNS = 256
MOST_TYPE = 80  # characters of a type's name
MOST_NAMES = 1000
BATCH_ROWS = 256  # of cells of 1 MiB: half the memory
TOO_LARGE = (
    "The Parquet file needs more than 1 GiB of memory to be read; write it with smaller row groups "
    "(for example `row_group_size=10_000`)."
)


def main(path: str) -> None:
    """Write the file's rows to standard output."""
    _limit_memory()
    try:
        _write(path)
    except BrokenPipeError:  # whoever reads has seen enough
        return
    except (pa.ArrowMemoryError, MemoryError):
        _say(TOO_LARGE)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        _say(f"The Parquet file cannot be read ({reason}); write it again, or save it as CSV or JSONL.")


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))  # its parent may be gone


def _write(path: str) -> None:
    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
        schema = file.schema_arrow
        if len(schema) > MAX_COLUMNS:
            _say(f"The file has {len(schema)} columns; {MAX_COLUMNS} are the most that are read.")
            return
        names = [column.name for column in schema if _is_read(column.type)]
        twice = next((name for name in names if names.count(name) > 1), None)
        left_out = {column.name: str(column.type)[:MOST_TYPE] for column in schema if not _is_read(column.type)}
        if twice is not None or not names:
            found = ", ".join(f"{name[:60]!r} ({kind})" for name, kind in left_out.items())[:1000]
            useless = f"No column holds text or numbers. The file has: {found or 'none'}."
            _say(f"The column name {twice[:100]!r} occurs twice." if twice else useless)
            return
        _say({"columns": names, "left_out": left_out, "names": _class_names(schema.metadata or {})})
        for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
            for row in batch.to_pylist():
                _say({key: _plain(value) for key, value in row.items()})
    sys.stdout.flush()


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Column → names of its numbered classes, as `datasets` writes them beside the schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            column: feature["names"]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and _are_names(feature["names"])
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # anybody may write there what they like
        return {}


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and len(names) <= MOST_NAMES and all(isinstance(name, str) for name in names)


def _is_read(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_text(kind.value_type) or _is_turn(kind.value_type)
    return bool(
        _is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def _is_turn(kind: Any) -> bool:
    """Whether it is a struct that says who speaks, and what: one turn of a conversation."""
    if not pa.types.is_struct(kind):
        return False
    fields = {kind.field(place).name for place in range(kind.num_fields)}
    return {"role", "content"} <= fields or {"from", "value"} <= fields


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | list):
        return value
    return str(value)  # a decimal


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message, default=str) + "\n")  # a turn may hold times


if __name__ == "__main__":
    main(sys.argv[1])
    sys.stdout.flush()
