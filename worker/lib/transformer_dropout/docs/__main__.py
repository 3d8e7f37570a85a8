"""Write docs/methods.md and docs/images/*.svg: `python -m transformer_dropout.docs docs`."""

import argparse
from pathlib import Path

from . import block_picture, methods_page, structures_picture


def files() -> dict[str, str]:
    """Return what is written, by path below the docs folder."""
    return {
        "methods.md": methods_page(),
        "images/positions.svg": block_picture(),
        "images/structures.svg": structures_picture(),
    }


def main() -> None:
    """Write every file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the docs folder")
    folder = parser.parse_args().folder
    for name, text in files().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
