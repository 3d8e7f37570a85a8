"""The adapters that runs can start from: folders below the data folder, one an id, in PEFT's format."""

import hashlib
from pathlib import Path

from backend.shared.catalogue.names import check_id, unknown
from backend.shared.errors import InvalidInput
from backend.shared.facts import AdapterFacts
from backend.shared.files import sha256_of, unsealed

CONFIG_FILE, WEIGHTS_FILE, FACTS_FILE = "adapter_config.json", "adapter_model.safetensors", "facts.json"


def adapters_root(home: Path) -> Path:
    """Folder of the added adapters."""
    return home / "adapters"


def find_adapter(home: Path, adapter_id: str) -> AdapterFacts | None:
    """What is known of an adapter, None where there is none of that id on this machine."""
    try:
        facts = adapters_root(home) / check_id(adapter_id) / FACTS_FILE
        return AdapterFacts.model_validate(unsealed(facts.read_bytes()))
    except (OSError, ValueError, InvalidInput):
        return None


def require_adapter(home: Path, adapter_id: str, pointer: str = "/start_from") -> AdapterFacts:
    """The adapter that a study names.

    Raises:
        InvalidInput: at `pointer`: no such adapter, with the nearest names.
    """
    facts = find_adapter(home, adapter_id)
    if facts is None and adapter_id in _ids(home):
        raise InvalidInput(
            f"What is known of the adapter {adapter_id} is damaged: its {FACTS_FILE} is not what was written. Bring "
            "that back from a backup, or delete the adapter and add it again.",
            pointer,
        )
    if facts is None:
        raise unknown("adapter", adapter_id, _ids(home), pointer)
    return facts


def list_adapters(home: Path) -> list[AdapterFacts]:
    """Every adapter of this machine by id."""
    found = [find_adapter(home, adapter_id) for adapter_id in _ids(home)]
    return [facts for facts in found if facts is not None]


def adapter_weights(home: Path, adapter_id: str) -> Path:
    """The weight file that a worker reads. Never shown to a person over the API."""
    return adapters_root(home) / check_id(adapter_id) / WEIGHTS_FILE


def content_hash(rank: int, alpha: float, weights: Path) -> str:
    """What tells one adapter from another: its scaling and the bytes of its weights."""
    return hashlib.sha256(f"{rank} {alpha!r} {sha256_of(weights)}".encode()).hexdigest()


def _ids(home: Path) -> list[str]:
    root = adapters_root(home)
    return sorted(folder.name for folder in root.iterdir() if (folder / FACTS_FILE).is_file()) if root.is_dir() else []
