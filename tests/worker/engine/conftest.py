"""Worlds that several tests train in, made once."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.worker.data.stored import store, turned
from tests.worker.engine.tiny_pack import World, make_world, minilm_world


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def bert_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An encoder that takes the hand-written path."""
    return make_world(Path(tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="session")
def turning_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same encoder on data where its validation loss falls at first and climbs then; with test rows."""
    world = make_world(Path(tmp_path_factory.mktemp("turning")))
    return replace(world, data=store(world.home, "turned", "classification", turned(12, 12)))


@pytest.fixture(scope="session")
def llama_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A decoder with grouped keys that learns completions."""
    return make_world(Path(tmp_path_factory.mktemp("llama")), "llama", "causal_lm")


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> World:
    """MiniLM with its real weights."""
    return minilm_world(Path(tmp_path_factory.mktemp("minilm")))
