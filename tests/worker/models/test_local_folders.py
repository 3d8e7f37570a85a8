"""A local folder of every supported family: registered, previewed, trained, exported; others are refused by name."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification

from backend.accounts.principal import Principal
from backend.catalogue import register as registry
from backend.shared.catalogue.families import FAMILIES
from backend.shared.database import Database
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.studies.expand import expand
from tests.databases import bare_sqlite
from tests.worker.data.stored import films, store
from tests.worker.engine.tiny_pack import World, trained
from tests.worker.models.tiny import save_tiny
from worker import data as datasets
from worker.models.base import load_tokenizer
from worker.models.merge import merge

WHO = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", disk_floor_bytes=0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with bare_sqlite(tmp_path / "test.db") as opened:
        yield opened


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_folder_to_study_to_adapter_and_merged_model(
    family: str, database: Database, settings: Settings, tmp_path: Path
) -> None:
    folder = save_tiny(tmp_path / f"tiny-{family}", family)
    model = registry.add_model(database, settings, WHO, folder)
    assert model.family == family
    data = store(settings.home, "films", "classification", films(12, 6))
    asked = StudySpec(
        name="a local folder",
        model=model.id,
        dataset="films",
        lora={"rank": 2},
        training={"epochs": 2, "batch_size": 4, "max_length": 32, "evaluations": 2, "precision": "fp32"},
        seeds=1,
        arms=[{"method": "hiddenkey_minus", "rate": 0.1}],
    )
    plan = expand(settings, asked).or_raise()
    world = World(settings.home, model, data, "classification", model.default_target_modules, folder)
    told = trained(world, tmp_path / "runs", {"run": plan.arms[0].spec})
    assert not told.only("run", "failed"), told.only("run", "failed")
    adapter = Path(told.artifact("run").folder)
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= {p.name for p in adapter.iterdir()}

    arm = plan.arms[0].spec
    dataset = datasets.load(arm.dataset, arm.task, settings.home)
    rows = datasets.draw(datasets.tokenise(dataset, arm.model, load_tokenizer(adapter), 32, settings.home), arm, 0)
    stock = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    peft = PeftModel.from_pretrained(stock, adapter).eval()
    recorded = told.final("run")["validation/loss_fp32"]
    assert _loss(peft, rows.validation) == pytest.approx(recorded, abs=1e-4)

    merge(settings.home, adapter, tmp_path / "merged", model.ref, "classification", {"0": "bad", "1": "good"})
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged").eval()
    assert merged.config.id2label == {0: "bad", 1: "good"}
    assert merged.config.label2id == {"bad": 0, "good": 1}
    assert _loss(merged, rows.validation) == pytest.approx(recorded, abs=1e-4)
    with pytest.raises(InvalidInput, match="there already"):
        merge(settings.home, adapter, tmp_path / "merged", model.ref, "classification")


def _loss(model: torch.nn.Module, rows: datasets.Rows) -> float:
    with torch.no_grad():
        losses = [
            cross_entropy(model(input_ids=torch.tensor(ids[None]).long()).logits, torch.tensor([label])).item()
            for ids, label in zip(rows.input_ids, rows.labels.tolist(), strict=True)
        ]
    return sum(losses) / len(losses)


class _Canary:
    """Unpickling it writes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.file), "w")


def test_what_is_refused_is_refused_by_name_and_runs_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(InvalidInput, match="deberta-v2 cannot be trained here: it computes its attention"):
        registry.add_model(database, settings, WHO, _changed(tmp_path, "deberta", model_type="deberta-v2"))

    pickled = save_tiny(tmp_path / "pickled", "bert")
    (pickled / "model.safetensors").unlink()
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps(_Canary(canary)))
    with pytest.raises(InvalidInput, match="pickled files, which can run code"):
        registry.add_model(database, settings, WHO, pickled)

    beside = {
        "AutoModel": "evil.Model",
        "AutoConfig": "evil.Config",
        "AutoModelForSequenceClassification": "evil.Model",
    }
    smuggling = _changed(tmp_path, "smuggling", auto_map=beside)
    (smuggling / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass Model: ...\nclass Config: ...\n")
    words = json.loads((smuggling / "tokenizer_config.json").read_text())
    (smuggling / "tokenizer_config.json").write_text(
        json.dumps({**words, "auto_map": {"AutoTokenizer": ["evil.T", None]}})
    )
    (smuggling / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/elsewhere"}))
    assert registry.add_model(database, settings, WHO, smuggling).family == "bert", "read by transformers' own class"
    assert not canary.exists()
    pickle.loads((pickled / "pytorch_model.bin").read_bytes()).close()
    assert canary.exists(), "the canary would not have sung"


def _changed(tmp_path: Path, name: str, **config: object) -> Path:
    folder = save_tiny(tmp_path / name, "bert")
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | config))
    return folder
