"""A model's revision: one hash over the names and bytes of the files that decide what it computes."""

import hashlib
import json
from pathlib import Path

from backend.shared.files import sha256_of, write_atomically

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

    `cache` is a folder that may be emptied at any time.
    """
    files = files_of(folder)
    state = [[file.name, (stat := file.stat()).st_size, stat.st_mtime_ns, stat.st_ino] for file in files]
    fingerprint = hashlib.sha256(json.dumps([str(folder.resolve()), state]).encode()).hexdigest()[:32]
    known = cache / "revisions" / fingerprint
    if known.is_file():
        return known.read_text(encoding="ascii")
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.name}\0{file.stat().st_size}\0{sha256_of(file)}\n".encode())
    revision = total.hexdigest()[:40]
    write_atomically(known, revision.encode("ascii"))
    return revision
