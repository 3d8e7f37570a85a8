"""What becomes of an error: a sentence on standard error and an exit code, never a traceback."""

import contextlib
import traceback

from pydantic import ValidationError

from backend.cli.console import err
from backend.client import ApiError, ServerUnreachable
from backend.shared import logs
from backend.shared.errors import DropscopeError, InvalidInput
from backend.shared.settings import Settings


def say(error: Exception) -> int:
    """Say what went wrong; return the exit code."""
    sentences, code = _told(error)
    console = err()
    for sentence in sentences:
        console.print(f"dropscope: {sentence}", markup=False, style="red" if console.is_terminal else None)
    return code


def _told(error: Exception) -> tuple[list[str], int]:
    match error:
        case InvalidInput():
            return [f"{_where(p.pointer)}{p.message}" for p in error.problems], 2
        case ApiError():
            sentences = [f"{_where(item.pointer)}{item.detail}" for item in error.items] or [error.detail]
            return sentences, 2 if error.status < 500 else 1
        case ValidationError():
            return [f"DROPSCOPE_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()], 1
        case DropscopeError() | ServerUnreachable():
            return [str(error)], 1
    return [f"something went wrong that should not ({type(error).__name__}: {error}){_kept(error)}"], 1


def _kept(error: Exception) -> str:
    """Keep the traceback of an error of ours in a file; a person gets a sentence."""
    with contextlib.suppress(OSError, ValidationError):
        file = Settings().home / "logs" / "errors.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            logs.cut(file)
        with file.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.writelines(traceback.format_exception(error))
        return f"; {file} has the details"
    return ""


def _where(pointer: str) -> str:
    return f"{pointer.lstrip('/').replace('/', '.')}: " if pointer else ""
