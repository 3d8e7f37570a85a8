"""Files that are either whole or absent: written beside their place, made durable, then renamed; and private ones."""

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

SEALS = "seals.json"
_SEAL = "seal"


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def sealed(body: dict[str, Any]) -> bytes:
    """A JSON object with a hash over all that it says: disks flip bits, and a number would be wrong without a word."""
    return json.dumps({**body, _SEAL: _seal_of(body)}, indent=1, ensure_ascii=False).encode()


def unsealed(data: bytes) -> dict[str, Any]:
    """What `sealed` wrote; one of before, without a seal, is taken as it is. Raises ValueError where it was altered."""
    body = json.loads(data)
    if not isinstance(body, dict):
        raise ValueError("it is no JSON object")
    seal = body.pop(_SEAL, None)
    if seal is not None and seal != _seal_of(body):
        raise ValueError("it is not what was written")
    return body


def seal_folder(folder: Path) -> None:
    """Write down what every file of a folder is, as the last step of making it."""
    files = {file.name: sha256_of(file) for file in sorted(folder.iterdir()) if file.is_file()}
    (folder / SEALS).write_bytes(sealed({"files": files}))


def is_sound(folder: Path) -> bool:
    """Whether a folder that was sealed holds what it held then; every file is read."""
    try:
        files = unsealed((folder / SEALS).read_bytes())["files"]
        return all(sha256_of(folder / name) == sha for name, sha in files.items())
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def _seal_of(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@contextmanager
def new_folder(path: Path, *, first_stands: bool = True) -> Iterator[Path]:
    """A folder to fill, which takes its place at `path` only if the block ends well.

    Where another process was faster, its folder stands and this one is thrown away: right for caches, whose folders
    are made from the same input.

    Raises:
        FileExistsError: another process was faster, and `first_stands` is False.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    beside.mkdir()
    try:
        yield beside
        try:
            beside.rename(path)
        except OSError as error:
            if not path.is_dir():
                raise
            if not first_stands:
                raise FileExistsError(f"{path.name} is there already") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, so that costly work is done by one process while others wait for its result.

    The system lets go of the lock when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def only_ours(path: Path) -> bool:
    """Let nobody else on this machine at a file or folder, whatever the umask was; False where it is not ours to say.

    A folder is left to its owner to be entered, a file to be read and written.
    """
    try:
        found = path.stat()
        if found.st_mode & 0o077:
            path.chmod(0o700 if stat.S_ISDIR(found.st_mode) else 0o600)
    except FileNotFoundError:
        return True
    except PermissionError:
        return False
    return True


def is_everybodys(folder: Path) -> bool:
    """Whether a folder is one that many use, such as /tmp: to shut it would shut them out."""
    try:
        return folder.resolve() == Path(folder.anchor) or bool(folder.stat().st_mode & stat.S_ISVTX)
    except FileNotFoundError:
        return False
