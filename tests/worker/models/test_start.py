"""A run that starts from an adapter stands, before its first step, where the adapter's own run ended."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification

from backend.accounts.principal import Principal
from backend.adapters import service as adapters
from backend.shared.catalogue import model_location
from backend.shared.catalogue.adapters import WEIGHTS_FILE
from backend.shared.database import Database
from backend.shared.errors import InvalidInput
from backend.shared.facts import AdapterFacts
from backend.shared.settings import Settings
from backend.shared.specs import ArmKeySpec, StudySpec
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.studies.expand import expand
from tests.databases import bare_sqlite
from tests.worker.data.stored import films, store
from tests.worker.engine.tiny_pack import Told, World, make_world, start, trained
from worker import data as datasets
from worker.engine.loaded import Warm
from worker.engine.pack import run_pack
from worker.models.base import load_tokenizer

WHO = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
pytestmark = pytest.mark.slow


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with bare_sqlite(tmp_path / "test.db") as opened:
        yield opened


def add(database: Database, world: World, folder: Path) -> AdapterFacts:
    settings = Settings(home=world.home, disk_floor_bytes=0)
    files = folder / "adapter_config.json", folder / WEIGHTS_FILE
    return adapters.add(database, settings, WHO, *files, model_id=world.model.id)


def arm_from(world: World, adapter: AdapterFacts, **study: object) -> ArmKeySpec:
    """The arm that a study comes to which names nothing but the adapter."""
    asked = {
        "name": "goes on",
        "model": world.model.id,
        "dataset": world.data.id,
        "task": world.task,
        "train_rows": 12,
        "validation_rows": 6,
        "training": {"epochs": 2, "batch_size": 4, "max_length": 32, "evaluations": 2, "precision": "fp32"},
        "seeds": 1,
        "start_from": adapter.id,
        "arms": [{"method": "hiddenkey_minus", "rate": 0.1}],
        **study,
    }
    settings = Settings(home=world.home, disk_floor_bytes=0)
    return expand(settings, StudySpec.model_validate(asked)).or_raise().arms[0].spec


def first_loss(told: Told) -> float:
    """Validation loss before the first step."""
    assert not told.only("next", "failed"), told.only("next", "failed")
    first = told.only("next", "evaluation")[0]
    assert (first.step, first.epoch) == (0, 0.0)
    return float(first.values["validation/loss"])


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize(
    ("family", "task"),
    [("bert", "classification"), ("roberta", "regression"), ("gpt2", "causal_lm"), ("llama", "classification")],
)
def test_the_first_loss_is_the_last_one_of_the_adapters_run(
    database: Database, tmp_path: Path, family: str, task: str, stacked: bool
) -> None:
    world = make_world(tmp_path, family, task)  # type: ignore[arg-type]
    one = trained(world, tmp_path / "runs", {"first": world.arm("none", learning_rate=2e-2)})
    adapter = add(database, world, Path(one.artifact("first").folder))
    arm = arm_from(world, adapter)
    assert (arm.rank, arm.alpha, arm.start_from) == (4, 8.0, adapter.ref)
    two = Told()
    command = start(world, tmp_path / "next", {"next": arm}, seed=5)
    run_pack(command, Warm(world.home, torch.device("cpu"), stacked=stacked), two, lambda: ())
    recorded = one.final("first")["validation/loss_fp32"]
    assert first_loss(two) == pytest.approx(recorded, abs=1e-4)
    steps = [event.step for event in two.only("next", "evaluation")]
    assert steps == [0, 3, 6], "what was measured first is beside what is always measured"
    assert any(f"starts from the adapter {adapter.id}" in event.text for event in two.only("next", "log"))
    fresh = trained(world, tmp_path / "fresh", {"run": world.arm("none", epochs=1, evaluations=3)})
    assert abs(fresh.values("run")[0]["validation/loss"] - recorded) > 1e-3, "any adapter would have passed"


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_an_adapter_that_peft_saved_starts_with_its_own_loss(database: Database, tmp_path: Path, family: str) -> None:
    world = make_world(tmp_path, family)
    stock = AutoModelForSequenceClassification.from_pretrained(world.weights, num_labels=2)
    torch.manual_seed(3)
    config = LoraConfig(task_type="SEQ_CLS", r=3, lora_alpha=5, target_modules=list(world.targets))
    peft = get_peft_model(stock, config)
    for name, parameter in peft.named_parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
            assert parameter.abs().sum() > 0, name
    peft.save_pretrained(tmp_path / "saved")
    adapter = add(database, world, tmp_path / "saved")
    arm = arm_from(world, adapter)
    told = trained(world, tmp_path / "runs", {"next": arm})
    assert arm.alpha == 5
    assert first_loss(told) == pytest.approx(_peft_loss(world, arm, tmp_path / "saved"), abs=1e-4)
    assert any(f"the adapter {adapter.id} and its head" in event.text for event in told.only("next", "log"))


def _peft_loss(world: World, arm: ArmKeySpec, folder: Path) -> float:
    location = model_location(world.home, world.model.id)
    base = AutoModelForSequenceClassification.from_pretrained(location, num_labels=2)
    model = PeftModel.from_pretrained(base, folder).eval()
    dataset = datasets.load(arm.dataset, arm.task, world.home)
    tokens = datasets.tokenise(dataset, arm.model, load_tokenizer(location), 32, world.home)
    rows = datasets.draw(tokens, arm, 0).validation
    with torch.no_grad():
        losses = [
            cross_entropy(model(input_ids=torch.tensor(ids[None]).long()).logits, torch.tensor([label])).item()
            for ids, label in zip(rows.input_ids, rows.labels.tolist(), strict=True)
        ]
    return sum(losses) / len(losses)


def test_a_head_of_another_task_starts_anew_and_the_log_says_so(database: Database, tmp_path: Path) -> None:
    """The way from one task to the next: matrices of an adapter for two classes, a new head for three."""
    world = make_world(tmp_path)
    one = trained(world, tmp_path / "runs", {"first": world.arm("none", learning_rate=2e-2)})
    adapter = add(database, world, Path(one.artifact("first").folder))
    rows = [(split, {**row, "label": f"{i % 3}"}) for i, (split, row) in enumerate(films(12, 6))]
    other = World(
        world.home,
        world.model,
        store(world.home, "three", "classification", rows),
        "classification",
        world.targets,
        world.weights,
    )
    told = trained(other, tmp_path / "next", {"next": arm_from(other, adapter)})
    said = " ".join(event.text for event in told.only("next", "log"))
    assert "its head's classifier.weight is 2 by 32, and this task's is 3 by 32, so the head starts anew" in said
    assert first_loss(told) > 0
    taken = told.adapter("next")["base_model.model.classifier.weight"]
    assert tuple(taken.shape) == (3, 32)


@pytest.mark.parametrize(
    ("renamed", "reason"),
    [
        ({"classifier.weight": None, "classifier.bias": None}, "it holds no head"),
        ({"classifier.bias": None}, "its head (classifier.weight) has no classifier.bias"),
        (
            {"classifier.weight": "score.weight", "classifier.bias": None},
            "its head (score.weight) has no classifier.bias, which this model's head has",
        ),
    ],
)
def test_the_true_reason_is_told_where_a_head_is_not_taken(
    database: Database, tmp_path: Path, renamed: dict[str, str | None], reason: str
) -> None:
    world = make_world(tmp_path)
    one = trained(world, tmp_path / "runs", {"first": world.arm("none")})
    folder = Path(one.artifact("first").folder)
    tensors = {}
    for name, tensor in load_file(folder / WEIGHTS_FILE).items():
        own = name.removeprefix("base_model.model.")
        if renamed.get(own, own) is not None:
            tensors[f"base_model.model.{renamed.get(own, own)}"] = tensor
    save_file(tensors, folder / WEIGHTS_FILE)
    told = trained(world, tmp_path / "next", {"next": arm_from(world, add(database, world, folder))})
    assert any(f"; {reason}" in event.text for event in told.only("next", "log")), told.only("next", "log")


def test_an_adapter_that_changed_or_went_ends_the_run_with_a_sentence(database: Database, tmp_path: Path) -> None:
    world = make_world(tmp_path)
    one = trained(world, tmp_path / "runs", {"first": world.arm("none")})
    adapter = add(database, world, Path(one.artifact("first").folder))
    arm = arm_from(world, adapter)
    file = world.home / "adapters" / adapter.id / WEIGHTS_FILE
    content = file.read_bytes()
    file.write_bytes(content[:-4] + b"abcd")
    failed = trained(world, tmp_path / "next", {"next": arm}).only("next", "failed")[0]
    assert "has other content than the study was made with" in failed.message
    file.unlink()
    failed = trained(world, tmp_path / "gone", {"next": arm}).only("next", "failed")[0]
    assert "is not on this machine any more" in failed.message


def test_resuming_keeps_what_was_trained_since(database: Database, tmp_path: Path) -> None:
    """A run that goes on from its checkpoint ends as one that was never broken off, judged at its start but once."""
    world = make_world(tmp_path)
    one = trained(world, tmp_path / "runs", {"first": world.arm("none", learning_rate=2e-2)})
    arm = arm_from(world, add(database, world, Path(one.artifact("first").folder)))
    whole = trained(world, tmp_path / "whole", {"next": arm})
    checkpoint = whole.only("next", "checkpoint")[0].folder
    rest = trained(world, tmp_path / "rest", {"next": arm}, resume_from={"next": checkpoint})
    assert [event.step for event in rest.only("next", "evaluation")] == [6]
    assert all(
        torch.equal(a, b) for a, b in zip(whole.adapter("next").values(), rest.adapter("next").values(), strict=True)
    )


def test_the_arms_key_is_another_one_and_a_fresh_start_keeps_its_key(database: Database, tmp_path: Path) -> None:
    world = make_world(tmp_path)
    one = trained(world, tmp_path / "runs", {"first": world.arm("none")})
    arm = arm_from(world, add(database, world, Path(one.artifact("first").folder)))
    fresh = arm.model_copy(update={"start_from": None})
    assert arm.key() != fresh.key()
    assert "start_from" not in json.loads(fresh.model_dump_json(exclude_defaults=True))


def test_two_adapters_of_one_id_are_not_taken(database: Database, tmp_path: Path) -> None:
    world = make_world(tmp_path)
    one = trained(world, tmp_path / "runs", {"first": world.arm("none")})
    folder = Path(one.artifact("first").folder)
    first, second = add(database, world, folder), add(database, world, folder)
    assert (first.id, second.id) == ("tiny-bert-adapter", "tiny-bert-adapter-2")
    other = make_world(tmp_path / "other", "gpt2", "causal_lm")
    with pytest.raises(InvalidInput, match="has no such module: it belongs to another model"):
        add(database, World(other.home, other.model, other.data, "causal_lm", (), other.weights), folder)
