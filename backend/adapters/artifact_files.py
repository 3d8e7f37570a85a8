"""The files of an artifact, found by its storage key and never outside their folder; zipped while they are sent."""

import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from backend.edge.pieces import Pieces
from backend.shared.errors import Conflict, NotFound
from backend.shared.files import sha256_of

CHUNK = 1 << 20


def folder(root: Path, storage_key: str) -> Path:
    """The folder of an artifact; NotFound where it is gone, or leads outside the root."""
    base = root.resolve()
    found = (base / storage_key).resolve()
    if not found.is_relative_to(base) or found == base or not found.is_dir():
        raise NotFound("the files of this artifact are not on this server any more")
    return found


def member(folder: Path, files: Mapping[str, Any], name: str) -> Path:
    """One file of an artifact by the name it is listed under.

    Raises:
        NotFound: no file of that name.
        Conflict: its bytes are not those that the run wrote.
    """
    if name not in files:
        raise NotFound(f"this artifact has no file '{name[:100]}'; it has {', '.join(sorted(files))}")
    path = folder / name
    if not path.resolve().is_relative_to(folder) or path.is_symlink() or not path.is_file():
        raise NotFound(f"the file '{name[:100]}' is not on this server any more")
    if sha256_of(path) != files[name]:
        raise Conflict(
            f"the file '{name[:100]}' is damaged: its bytes are not those that the run wrote, so it is not given away; "
            "bring it back from a backup, or train the run again"
        )
    return path


def zipped(folder: Path, files: Mapping[str, Any], more: Mapping[str, bytes] | None = None) -> Iterator[bytes]:
    """A zip of the files, made while it is read; weights do not get smaller, so they are stored as they are.

    `more` are further files by name, which stand for stored ones of the same name.
    """
    made = more or {}
    paths = [(name, member(folder, files, name)) for name in sorted(files) if name not in made]
    return _pieces(paths, made)


def _pieces(paths: list[tuple[str, Path]], made: Mapping[str, bytes]) -> Iterator[bytes]:
    pipe = Pieces()
    with zipfile.ZipFile(cast(IO[bytes], pipe), "w", zipfile.ZIP_STORED) as archive:
        for name, path in paths:
            with _opened(path) as source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
                while data := source.read(CHUNK):
                    target.write(data)
                    yield pipe.take()
            yield pipe.take()
        for name, content in made.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    yield pipe.take()


def _opened(path: Path) -> Any:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotFound(f"'{path.name}' is not a file")
    return os.fdopen(descriptor, "rb")
