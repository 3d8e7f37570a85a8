"""Writes the OpenAPI schema: `python -m backend.openapi docs/openapi.json`."""

import json
import sys
from pathlib import Path

from backend.main import assemble
from backend.shared.settings import Settings


def schema_text() -> str:
    """The schema as it is committed: sorted, indented, with a newline at its end."""
    return json.dumps(assemble(Settings()).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schema to the file named, or to standard output."""
    if arguments:
        Path(arguments[0]).write_text(schema_text(), encoding="utf-8")
    else:
        sys.stdout.write(schema_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
