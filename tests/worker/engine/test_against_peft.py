"""E1: in fp32 the engine trains what stock transformers + PEFT train when the library drops the same things there."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformer_dropout import PRESETS
from transformers import AutoModelForSequenceClassification

from tests.worker.engine.rival import Rival, step_equals
from tests.worker.engine.tiny_pack import World, start, trained
from worker.engine.loaded import Warm
from worker.engine.place import Place

METHODS = list(PRESETS)
NATIVE = [name for name, preset in PRESETS.items() if preset.native]  # which a llama has none of: refused
STEPS = 50


def a_place(world: World, folder: Path, method: str, **training: object) -> Place:
    """A slot with its data, not yet trained."""
    from worker.engine.pack import prepare

    arm = world.arm(method, 0.15 if PRESETS[method].default_rate else None, **training)
    failures: list[object] = []
    places = prepare(start(world, folder, {"run": arm}).runs, Warm(world.home, torch.device("cpu")), failures.append)
    assert len(places) == 1, failures
    return places[0]


@pytest.mark.parametrize(
    ("kind", "method"),
    [(kind, name) for kind in ("bert", "llama") for name in METHODS if kind == "bert" or name not in NATIVE],
)
def test_first_step_equals_peft(bert_world: World, llama_world: World, tmp_path: Path, kind: str, method: str) -> None:
    world = bert_world if kind == "bert" else llama_world
    place = a_place(world, tmp_path, method)
    noise = np.random.default_rng(5).standard_normal(place.slot.parameters.count) * 0.05
    place.slot.parameters.load(torch.from_numpy(noise.astype(np.float32)))  # B = 0 would hide half of the gradients
    step_equals(place, Rival(place, world), 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "method"),
    [(kind, name) for kind in ("minilm", "llama_world") for name in METHODS if kind == "minilm" or name not in NATIVE],
)
def test_fifty_steps_stay_with_peft(request: pytest.FixtureRequest, tmp_path: Path, kind: str, method: str) -> None:
    world: World = request.getfixturevalue(kind)
    rate = {"minilm": 2e-3, "llama_world": 1e-2}[kind]
    place = a_place(world, tmp_path, method, epochs=17, learning_rate=rate)
    rival = Rival(place, world)
    for step in range(STEPS):
        batch = place.data.batch(step)
        ours, theirs = place.slot.train_step(batch), rival.step(batch)
        assert ours == pytest.approx(theirs, rel=1e-5 if step == 0 else 1e-3), step


def test_the_exported_adapter_gives_the_recorded_loss(bert_world: World, tmp_path: Path) -> None:
    from peft import PeftModel

    told = trained(bert_world, tmp_path, {"run": bert_world.arm("hiddenkey", precision="bf16", learning_rate=5e-2)})
    folder = told.artifact("run").folder
    assert set(load_file(Path(folder) / "adapter_model.safetensors"))
    base = AutoModelForSequenceClassification.from_pretrained(bert_world.weights, dtype=torch.float32, num_labels=2)
    model = PeftModel.from_pretrained(base, folder).eval()
    place = a_place(bert_world, tmp_path / "again", "none")
    losses = []
    with torch.no_grad():
        for batch in place.data.validation:
            layout, flat = batch.packed.layout, batch.packed.input_ids[0]
            for row, length in enumerate(layout.lengths):
                ids = flat[layout.first[row] : layout.first[row] + length][None]
                losses.append(
                    float(nn.functional.cross_entropy(model(input_ids=ids).logits, batch.labels[row : row + 1]))
                )
    assert told.final("run")["validation/loss_fp32"] == pytest.approx(float(np.mean(losses)), abs=1e-5)
