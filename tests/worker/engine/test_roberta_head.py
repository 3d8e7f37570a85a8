"""Heads of every encoder family are stock's under the same masks, native dropout in them too: the paper's model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worker.engine.rival import Rival, step_equals
from tests.worker.engine.test_against_peft import a_place
from tests.worker.engine.tiny_pack import World, make_world

HEADS = ("bert", "roberta", "xlm-roberta", "electra", "distilbert")


@pytest.fixture(scope="module", params=HEADS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A tiny model of an encoder family; its head is one layer, or two behind a dropout of their own."""
    return make_world(Path(tmp_path_factory.mktemp(request.param)), request.param)


@pytest.mark.parametrize("method", ["none", "native_dropout", "rdrop", "output_dropout"])
def test_head_and_gradients_equal_peft(world: World, tmp_path: Path, method: str) -> None:
    place = a_place(world, tmp_path, method)
    noise = np.random.default_rng(5).standard_normal(place.slot.parameters.count) * 0.3
    place.slot.parameters.load(torch.from_numpy(noise.astype(np.float32)))  # a head that is heard
    rival = Rival(place, world)
    for step in (0, 1):  # the second step has masks of its own
        step_equals(place, rival, step)


def test_native_dropout_reaches_the_head(world: World, tmp_path: Path) -> None:
    """The layers' own dropout set to nothing, the head's alone still changes the loss."""
    place = a_place(world, tmp_path, "native_dropout")
    noise = np.random.default_rng(5).standard_normal(place.slot.parameters.count) * 0.3
    place.slot.parameters.load(torch.from_numpy(noise.astype(np.float32)))
    slot, batch = place.slot, place.data.batch(0)
    with torch.no_grad():
        features = slot.host.features(batch, slot.adapters, None)
        quiet = slot.host.logits(features, slot.head, None)
        dropped = slot.host.logits(features, slot.head, slot.drops(batch, 0, 0))
    assert not torch.allclose(quiet, dropped)
