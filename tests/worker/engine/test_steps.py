"""A few whole steps, loss to update, stay with stock PEFT and AdamW: what one step leaves, the next one meets."""

from pathlib import Path

import pytest
import torch

from tests.worker.engine.rival import Rival
from tests.worker.engine.test_against_peft import a_place
from tests.worker.engine.tiny_pack import World

STEPS = 8


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_eight_steps_stay_with_peft(bert_world: World, llama_world: World, tmp_path: Path, kind: str) -> None:
    """With clipping, weight decay and warm-up that all bite; afterwards every tensor is where PEFT's is."""
    world = bert_world if kind == "bert" else llama_world
    training = {"epochs": 3, "learning_rate": 1e-2, "weight_decay": 2.0, "gradient_clip": 0.05, "warmup_ratio": 0.4}
    place = a_place(world, tmp_path, "hiddenkey", **training)
    begun = place.slot.parameters.tensors()
    rival = Rival(place, world)
    for step in range(STEPS):
        batch = place.data.batch(step)
        assert place.slot.train_step(batch) == pytest.approx(rival.step(batch), rel=1e-4), step
    for name, found in place.slot.parameters.tensors().items():
        torch.testing.assert_close(found, rival.parameter(name).detach(), atol=2e-4, rtol=1e-3, msg=name)
        assert not torch.allclose(found, begun[name], atol=1e-3), name
