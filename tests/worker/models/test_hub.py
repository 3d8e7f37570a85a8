"""Models from the hub, against a stand-in on loopback that speaks its protocol: pinned, checked, never run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from backend.accounts.principal import Principal
from backend.catalogue import hub
from backend.catalogue import register as registry
from backend.shared.catalogue import find_model, require_model
from backend.shared.database import Database
from backend.shared.errors import InvalidInput, Unavailable
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.studies.expand import expand
from tests.databases import bare_sqlite
from tests.hub_server import COMMIT, Hub, point_at, serving
from tests.worker.data.stored import films, store
from tests.worker.models.tiny import save_tiny

WHO = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", disk_floor_bytes=0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with bare_sqlite(tmp_path / "test.db") as opened:
        yield opened


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    sound = save_tiny(tmp_path / "sound", "roberta")
    (sound / "pytorch_model.bin").write_bytes(b"never fetched")
    smuggling = save_tiny(tmp_path / "smuggling", "bert")
    config = json.loads((smuggling / "config.json").read_text()) | {"attn_implementation": "evil/kernel"}
    (smuggling / "config.json").write_text(json.dumps(config))
    pickled = save_tiny(tmp_path / "pickled", "bert")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    several = tiny_in_shards(tmp_path / "several")
    (several / "consolidated.safetensors").write_bytes(b"the same weights once more, for another program")
    (several / "model.fp16.safetensors").write_bytes(b"and in another precision")
    folders = {"some/roberta": sound, "some/smuggling": smuggling, "some/pickled": pickled, "some/several": several}
    with serving(folders, monkeypatch) as server:
        yield server


def test_a_model_is_looked_at_pinned_fetched_and_registered(
    served: Hub, database: Database, settings: Settings
) -> None:
    offer = hub.look("some/roberta")
    assert (offer.commit, offer.licence) == (COMMIT, "mit")
    assert "pytorch_model.bin" not in offer.files
    assert not any("/resolve/" in path for path in served.asked), "looking must not fetch"
    told: list[tuple[str, int, int]] = []
    facts = hub.fetch(database, settings, WHO, offer, lambda *news: told.append(news))
    assert (facts.id, facts.hub_id, facts.licence, facts.family) == ("some-roberta", "some/roberta", "mit", "roberta")
    assert COMMIT in facts.source
    assert find_model(settings.home, "some-roberta") == facts
    assert told[-1][1] == told[-1][2] == offer.bytes
    assert not any("pytorch_model.bin" in path for path in served.asked)
    assert all(COMMIT in path for path in served.asked if "/resolve/" in path)
    assert require_model(settings.home, "some/roberta") == facts
    folder = next((settings.home / "hub").iterdir())
    registry.add_model(database, settings, WHO, folder, "second", hub_id="some/roberta", commit=COMMIT)
    with pytest.raises(InvalidInput, match="is here as second and some-roberta; use the id of one"):
        require_model(settings.home, "some/roberta")


def tiny_in_shards(folder: Path) -> Path:
    save_tiny(folder, "mistral")
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    return folder


def test_one_set_of_weights_is_fetched_where_there_are_several(
    served: Hub, database: Database, settings: Settings
) -> None:
    """Mistral's repositories hold all weights twice: 28 GiB in place of 14."""
    offer = hub.look("some/several")
    weights = [name for name in offer.files if name.endswith(".safetensors")]
    assert len(weights) > 1
    assert all(name.startswith("model-") for name in weights)
    facts = hub.fetch(database, settings, WHO, offer)
    assert facts.bytes == sum(offer.files[name] for name in weights)
    assert not any("consolidated" in path or "fp16" in path for path in served.asked if "/resolve/" in path)


SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
INDEX = "model.safetensors.index.json"


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["model.safetensors", "consolidated.safetensors"], ["model.safetensors"]),
        (["model.safetensors", "model.fp16.safetensors", "onnx/model.safetensors"], ["model.safetensors"]),
        ([*SHARDS, INDEX, "consolidated.safetensors"], [*SHARDS, INDEX]),
        ([*SHARDS, INDEX, "model.safetensors", "adapter_model.safetensors"], [*SHARDS, INDEX]),
        (["layer-a.safetensors", "layer-b.safetensors", INDEX], ["layer-a.safetensors", "layer-b.safetensors", INDEX]),
        (["consolidated.safetensors"], "for another program"),
        (["adapter_model.safetensors"], "for another program"),
        (["unet/model.safetensors"], "no safetensors weights"),
        ([], "no safetensors weights"),
    ],
)
def test_which_weights_are_taken(names: list[str], taken: list[str] | str) -> None:
    if isinstance(taken, str):
        with pytest.raises(InvalidInput, match=taken):
            hub.weights_of("some/model", names)
    else:
        assert hub.weights_of("some/model", names) == taken


def test_settings_are_checked_before_weights_are_asked_for(served: Hub, database: Database, settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="sets `attn_implementation`"):
        hub.fetch(database, settings, WHO, hub.look("some/smuggling"))
    assert not any("safetensors" in path for path in served.asked)
    assert list((settings.home / "hub").iterdir()) == []
    with pytest.raises(InvalidInput, match="no safetensors weights"):
        hub.look("some/pickled")


@pytest.mark.parametrize(
    ("hub_id", "revision", "sentence"),
    [
        ("closed/model", None, "is gated: accept its terms"),
        ("some/nothing", None, "The hub has no model"),
        ("a/b/c", None, "The hub has no model"),
        ("some/roberta", "moved", "has no revision 'moved'"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence(served: Hub, hub_id: str, revision: str | None, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        hub.look(hub_id, revision)


def test_without_the_hub_everything_else_works(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    point_at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="hub cannot be reached from here"):
        hub.look("some/roberta")
    with pytest.raises(InvalidInput, match="dropscope model fetch some/roberta"):
        require_model(settings.home, "some/roberta")


def test_a_study_of_a_hub_model_is_told_the_command_and_pinned_to_what_was_fetched(
    served: Hub, database: Database, settings: Settings
) -> None:
    store(settings.home, "films", "classification", films(12, 6))
    asked = StudySpec(
        name="x", model="some/roberta", dataset="films", training={"max_length": 32}, arms=[{"method": "none"}]
    )
    problem = expand(settings, asked).problems[0]
    assert problem.pointer == "/model"
    assert "`dropscope model fetch some/roberta`" in problem.message
    assert served.asked == []
    facts = hub.fetch(database, settings, WHO, hub.look("some/roberta", COMMIT))
    plan = expand(settings, asked).or_raise()
    assert (plan.study.model, plan.arms[0].spec.model) == ("some-roberta", facts.ref)
