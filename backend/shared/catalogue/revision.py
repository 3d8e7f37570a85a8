"""A model's revision: one hash over the names and bytes of the files that decide what it computes."""

import hashlib
import json
from pathlib import Path

from backend.shared.files import sealed, sha256_of, unsealed, write_atomically

_PARTS = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)


def files_of(folder: Path) -> list[Path]:
    """The files that make up a model in safetensors or GGUF form, sorted by name."""
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.gguf"), *folder.glob("*.safetensors.index.json")]
    return sorted(weights + [folder / name for name in _PARTS if (folder / name).is_file()])


def revision_of(folder: Path, cache: Path) -> str:
    """40 hex digits over names, sizes and SHA-256 of the model's files; hashed again only when a file changed.

    Whether one changed is told by its size, its time of writing and its number on the disk: reading 16 GB for every run
    would cost more than the run. A disk that alters bytes under a file that nobody wrote to is not noticed here.

    `cache` is a folder that may be emptied at any time.
    """
    files = files_of(folder)
    state = [[file.name, (stat := file.stat()).st_size, stat.st_mtime_ns, stat.st_ino] for file in files]
    fingerprint = hashlib.sha256(json.dumps([str(folder.resolve()), state]).encode()).hexdigest()[:32]
    known = cache / "revisions" / fingerprint
    try:
        told = unsealed(known.read_bytes())
        if told["of"] == fingerprint and isinstance(told["revision"], str):
            return told["revision"]
    except (OSError, ValueError, KeyError):
        pass  # not hashed yet, or what was kept of it is harmed
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.name}\0{file.stat().st_size}\0{sha256_of(file)}\n".encode())
    revision = total.hexdigest()[:40]
    write_atomically(known, sealed({"of": fingerprint, "revision": revision}))
    return revision
