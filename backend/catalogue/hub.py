"""Models from the public hub: looked at before anything large is fetched, pinned to a commit, then registered.

Only the settings, the tokenizer and safetensors weights are ever fetched; nothing from the hub is run.
"""

import re
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from backend.accounts.principal import Principal
from backend.shared.catalogue.config_checks import CHECKED_FILES, check_family, check_folder
from backend.shared.catalogue.config_values import check_values
from backend.shared.catalogue.names import slug
from backend.shared.database import Database
from backend.shared.errors import InvalidInput, Unavailable
from backend.shared.facts import ModelFacts
from backend.shared.files import new_folder
from backend.shared.settings import Settings

from . import register

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_ONE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
T = TypeVar("T")
_NETWORK = ("httpx", "httpx2", "httpcore", "httpcore2", "requests")  # what the hub's library has been built on
UNREACHABLE = {
    "model": "The model hub cannot be reached from here. Models of this machine work as ever; to use another one, "
    "fetch it where there is a network and register its folder with `dropscope model add FOLDER`.",
    "data set": "The hub cannot be reached from here. Data sets of this machine work as ever; to use another one, "
    "fetch its files where there is a network and add them with `dropscope data add FILE`.",
}


@dataclass(frozen=True)
class Offer:
    """A model on the hub, before it is fetched: the commit its name stands for now, its licence and its size."""

    hub_id: str
    commit: str
    licence: str
    files: dict[str, int]  # those that would be fetched, with their bytes

    @property
    def bytes(self) -> int:
        """Bytes that would be fetched."""
        return sum(self.files.values())


def look(hub_id: str, revision: str | None = None) -> Offer:
    """What the hub has under this id.

    Raises:
        InvalidInput: no such model or revision, a gated one without a token, or one without safetensors weights.
        Unavailable: the hub cannot be reached.
    """
    from huggingface_hub import HfApi

    info = asked(hub_id, revision, lambda: HfApi().model_info(hub_id, revision=revision, files_metadata=True))
    sizes = {one.rfilename: one.size or 0 for one in info.siblings or []}
    wanted = [*weights_of(hub_id, sizes), *CHECKED_FILES, *_TOKENIZER]
    card = info.card_data.to_dict() if info.card_data else {}  # type: ignore[no-untyped-call]  # shipped untyped
    files = {name: sizes[name] for name in dict.fromkeys(wanted) if name in sizes}
    return Offer(hub_id, str(info.sha), str(card.get("license") or register.UNKNOWN_LICENCE), files)


def weights_of(hub_id: str, names: Collection[str]) -> list[str]:
    """The one set of weights that transformers reads: shards with their index, or the one file; no other form of them.

    A repository may hold the same weights as `consolidated.safetensors`, in fp16 beside fp32, or in folders, too.

    Raises:
        InvalidInput: there is none.
    """
    found = sorted(name for name in names if name.endswith(".safetensors") and "/" not in name)
    if _INDEX in names:
        shards = [name for name in found if _SHARD.fullmatch(name)]
        others = [name for name in found if not name.startswith(("consolidated", "adapter_model")) and name != _ONE]
        return [*(shards or others), _INDEX]
    if _ONE in found:
        return [_ONE]
    if found:
        raise InvalidInput(
            f"{hub_id} holds safetensors weights for another program ({', '.join(found[:3])[:200]}), and none that "
            f"transformers reads ({_ONE}, or shards with their index)."
        )
    raise InvalidInput(
        f"{hub_id} holds no safetensors weights; pickled files can run code when they are loaded and are not taken."
    )


def fetch(
    database: Database,
    settings: Settings,
    who: Principal,
    offer: Offer,
    tell: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> ModelFacts:
    """Fetch a model at its commit and register it; its settings are checked before its weights are asked for.

    `tell` is told each file's name, and the bytes fetched so far and in all.

    Raises:
        InvalidInput: it cannot or must not be used; the sentence says why.
        Unavailable: the hub cannot be reached, or there is no room.
    """
    name = slug(offer.hub_id.replace("/", "-"))
    folder = settings.shared / "hub" / f"{name}-{offer.commit[:12]}"
    if not folder.is_dir():
        settings.shared.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(settings.shared).free - offer.bytes < settings.disk_floor_bytes:
            raise Unavailable(f"There is no room for the {offer.bytes:,} bytes of {offer.hub_id}; free some space.")
        with new_folder(folder) as building:
            _fill(building, offer, tell)
    return register.add_model(
        database, settings, who, folder, name, offer.licence, hub_id=offer.hub_id, commit=offer.commit
    )


def _fill(folder: Path, offer: Offer, tell: Callable[[str, int, int], None]) -> None:
    from huggingface_hub import hf_hub_download

    done = 0
    small_first = sorted(offer.files, key=lambda name: (name.endswith(".safetensors"), name))
    for name in small_first:
        if name.endswith(".safetensors"):
            _check(folder)
        asked(
            offer.hub_id,
            offer.commit,
            lambda name=name: hf_hub_download(  # type: ignore[misc]  # called at once
                offer.hub_id, name, revision=offer.commit, local_dir=folder
            ),
        )
        done += offer.files[name]
        tell(name, done, offer.bytes)
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _check(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise InvalidInput("The model has no config.json; it is not a transformers model.")
    config = check_folder(folder)
    check_family(config)
    check_values(config)


def asked(hub_id: str, revision: str | None, ask: Callable[[], T], noun: str = "model") -> T:
    """The answer of the hub, its errors as sentences; `noun` is what is asked for."""
    from huggingface_hub import errors

    try:
        return ask()
    except errors.GatedRepoError as error:
        raise InvalidInput(
            f"{hub_id} is gated: accept its terms on the hub, then set HF_TOKEN to a token of that account."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InvalidInput(
            f"{hub_id} has no revision {str(revision)[:100]!r}; it may have moved. Leave it out for the newest."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise InvalidInput(
            f"The hub has no {noun} {hub_id[:100]!r}, or it is private and HF_TOKEN is not set."
        ) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        raise Unavailable(UNREACHABLE[noun]) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in _NETWORK:
            raise
        raise Unavailable(UNREACHABLE[noun]) from error
