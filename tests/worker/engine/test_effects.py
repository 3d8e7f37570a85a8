"""Every method changes what every family trains, or is refused with a sentence: never silently nothing."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformer_dropout import PRESETS, Consistency, DropoutSpec, Site, preset

from backend.shared.catalogue.families import FAMILIES
from backend.shared.catalogue.own_dropout import own_dropout
from backend.shared.errors import TrainingError
from backend.shared.specs import Task
from tests.worker.engine.stacked.stacks import HEADS, a_batch, a_slot, reading_of, some_targets, tiny_model
from tests.worker.engine.tiny_pack import World, trained
from tests.worker.models.tiny import DECODERS, register_tiny, save_tiny, tiny_config
from worker.engine.run_record import hook_report, idle_notes
from worker.engine.single.passes import Host
from worker.engine.single.step import SingleSlot

METHODS = {name: preset(name, 0.3 if about.default_rate else None) for name, about in PRESETS.items()} | {
    "the inner activation": DropoutSpec((Site("hidden", "element", 0.3, place="ffn_inner", layers="all"),)),
    "windows": DropoutSpec((Site("attention_logits", "column", 0.3, window=3, layers="all"),)),
    "spans a query": DropoutSpec((Site("attention_weights", "span", 0.3, per_row=True, layers="all"),)),
    "one layer": DropoutSpec((Site("hidden", "column", 0.3, layers=(1,)),)),
}
SILENT = ("gpt_neox", "llama", "mistral", "qwen2", "qwen3", "smollm3", "phi3")


def task_of(family: str) -> Task:
    return "causal_lm" if family in DECODERS else "classification"


def host_of(family: str, **settings: float) -> Host:
    """A model of the family, whose config may say otherwise than its class."""
    task = task_of(family)
    model = tiny_model(family, task) if not settings else _with(family, task, settings)
    head = [] if task == "causal_lm" else [n for n, _ in model.named_parameters() if n.startswith(HEADS)]
    return Host(model, reading_of(task, family), some_targets(model), head, by_hand=False)


def _with(family: str, task: Task, settings: dict[str, float]) -> torch.nn.Module:
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    config = tiny_config(family)
    for name, value in settings.items():
        setattr(config, name, value)
    kind = AutoModelForCausalLM if task == "causal_lm" else AutoModelForSequenceClassification
    model: torch.nn.Module = kind.from_config(config, dtype=torch.float32)
    return model


def refusal(slot: SingleSlot) -> str:
    """Why a run is not begun, or nothing."""
    try:
        hook_report(slot)
    except TrainingError as error:
        return str(error)
    return ""


@torch.no_grad()
def loss(slot: SingleSlot) -> Tensor:
    return slot.loss(a_batch(slot.host.reading), 3).detach()


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_method_changes_the_loss_or_is_refused(family: str) -> None:
    host = host_of(family)
    plain = loss(a_slot(host, preset("none")))
    refused = set()
    for name, method in METHODS.items():
        slot = a_slot(host, method)
        if words := refusal(slot):
            refused.add(name)
            assert "native dropout" in words.lower(), name
            continue
        assert idle_notes(slot) == [], name
        assert (name == "none") == torch.equal(loss(slot), plain), name
    own = {"native_dropout", "rdrop"}
    assert refused == (own if family in (*SILENT, "opt") else set())


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_catalogue_knows_what_a_model_drops_by_itself(family: str, tmp_path: Path) -> None:
    """From its config alone what the engine finds in it: as the family has it, switched off, and one at a time."""
    facts = register_tiny(tmp_path, save_tiny(tmp_path / "weights", family), "tiny")
    told = own_dropout(tmp_path, facts, task_of(family) != "causal_lm")
    assert told is not None
    hooked = host_of(family).hooked
    assert bool(told.rates) == (hooked.native_dropouts > 0)
    assert bool(told.by_function) == bool(hooked.native_elsewhere)
    names = list(told.rates | told.by_function) or ["attention_dropout"]
    names += ["classifier_dropout"] if family in ("bert", "roberta", "xlm-roberta", "electra") else []
    for on in [None, *names]:
        settings = {name: 0.25 if name == on else 0.0 for name in names}
        config = tiny_config(family)
        for name, value in settings.items():
            setattr(config, name, value)
        config.save_pretrained(tmp_path / "weights")
        told = own_dropout(tmp_path, facts, task_of(family) != "causal_lm")
        assert told is not None
        hooked = host_of(family, **settings).hooked
        assert bool(told.rates) == (hooked.native_dropouts > 0), settings
        assert bool(told.by_function) == bool(hooked.native_elsewhere), settings


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (preset("native_dropout"), "native dropout drops nothing. Give the arm sites"),
        (preset("rdrop"), "the two passes of the consistency loss are equal"),
        (DropoutSpec((Site("hidden", "element", 0.0),), Consistency("kl")), "Every rate of this arm is 0"),
        (DropoutSpec((Site("hidden", "element", 0.0),), Consistency("kl"), native=True), "passes of the consistency"),
        (DropoutSpec((Site("adapter_rank", "element", 0.2, layers=(0,)),)), "reaches no module"),
    ],
)
def test_nothing_under_another_name_is_trained(method: DropoutSpec, words: str) -> None:
    model = tiny_model("llama", "causal_lm")
    targets = some_targets(model, ["1.self_attn.q_proj"])
    host = Host(model, reading_of("causal_lm", "llama"), targets, ())
    with pytest.raises(TrainingError, match=words):
        hook_report(a_slot(host, method))


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (DropoutSpec((Site("hidden", "element", 0.0),)), "trains as plain LoRA"),
        (DropoutSpec((Site("hidden", "element", 0.2),), native=True), "native dropout changes nothing"),
        (DropoutSpec((Site("hidden", "element", 0.2),), Consistency("kl", 0.0)), "changes nothing"),
    ],
)
def test_what_changes_nothing_beside_something_is_told(method: DropoutSpec, words: str) -> None:
    slot = a_slot(host_of("llama"), method)
    hook_report(slot)
    ((level, text),) = idle_notes(slot)
    assert level == "warning"
    assert words in text


def test_a_weight_of_nothing_still_trains_both_passes_where_the_task_loss_does() -> None:
    both = DropoutSpec((Site("hidden", "element", 0.2),), Consistency("kl_both", 0.0))
    assert idle_notes(a_slot(host_of("llama"), both)) == []


def test_a_run_says_it_and_its_mates_go_on(llama_world: World, tmp_path: Path) -> None:
    told = trained(llama_world, tmp_path, {"rdrop": llama_world.arm("rdrop"), "none": llama_world.arm()})
    failed = told.only("rdrop", "failed")[0]
    assert failed.code == "bad_input"
    assert "native dropout drops nothing and the two passes of the consistency loss are equal" in failed.message
    assert told.only("none", "finished")
