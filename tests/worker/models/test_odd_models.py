"""Models with the oddities that people meet: each trains as its makers meant it, or is refused when it is added."""

import dataclasses
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from backend.catalogue import trial
from backend.shared.catalogue.config_keys import KEYS, NOT_READ
from backend.shared.catalogue.families import FAMILIES
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts
from tests.worker.data.stored import films, store
from tests.worker.engine.tiny_pack import REPLIES, World, trained
from tests.worker.models.tiny import WORDS, register_tiny, save_tiny
from worker.models.shown import shown

Change = Callable[[Path], None]


def added(folder: Path) -> ModelFacts:
    """What is registered of a folder, or InvalidInput."""
    naming = Naming("odd", "odd", False, "local folder", "not stated")
    return trial.tried(folder, inspect_folder(folder, naming, folder.parent / "cache"))


def keys_of(name: str) -> Callable[..., Change]:
    """Changes of the keys of a JSON file; None takes one out."""

    def asked(**changes: Any) -> Change:
        def change(folder: Path) -> None:
            file = folder / name
            about = json.loads(file.read_text()) | changes
            file.write_text(json.dumps({key: value for key, value in about.items() if value is not None}))

        return change

    return asked


config, words = keys_of("config.json"), keys_of("tokenizer_config.json")


def weights(change: Callable[[dict[str, torch.Tensor]], Any]) -> Change:
    """The tensors of the weight file, changed in place."""

    def changed(folder: Path) -> None:
        tensors = dict(load_file(folder / "model.safetensors"))
        change(tensors)
        save_file({name: tensor.clone() for name, tensor in tensors.items()}, folder / "model.safetensors")

    return changed


def tokens(count: int) -> Change:
    """Tokens that were added without resizing the embedding, which has room for as many as `WORDS` and some more."""

    def change(folder: Path) -> None:
        file = folder / "tokenizer.json"
        about = json.loads(file.read_text())
        about["added_tokens"] += [
            {"id": len(WORDS) + i, "content": f"<think{i}>", "special": False, "single_word": False, "lstrip": False}
            | {"rstrip": False, "normalized": False}
            for i in range(count)
        ]
        file.write_text(json.dumps(about))

    return change


def no_marks(folder: Path) -> None:
    """A tokenizer that names neither end nor padding."""
    words(eos_token=None, pad_token=None, bos_token=None)(folder)
    (folder / "special_tokens_map.json").unlink(missing_ok=True)


def both(*changes: Change) -> Change:
    """One after the other."""
    return lambda folder: [change(folder) for change in changes] and None


ROOM = 32 - len(WORDS)
TRAINS: dict[str, tuple[str, Change]] = {
    "phi3 with its makers' code": ("phi3", config(auto_map={"AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"})),
    "written by 4.46": ("bert", config(_attn_implementation_autoset=True)),
    "pad -1": ("llama", both(config(pad_token_id=-1), words(pad_token=None))),
    "pad beyond": ("llama", config(pad_token_id=32)),
    "no pad": ("gpt2", both(config(pad_token_id=None), words(pad_token=None))),
    "end mark in config.json only": ("llama", no_marks),
    "several end marks": ("llama", both(config(eos_token_id=[3, 2]), no_marks)),
    "end mark beyond": ("llama", config(eos_token_id=99)),
    "a dtype that there is not": ("llama", config(torch_dtype="shiny", dtype="shiny")),
    "a billion labels": ("bert", config(num_labels=10**9, problem_type="multi_label_classification")),
    "labels of its own": ("bert", config(id2label={"0": "a", "1": "b", "2": "c"}, label2id={"a": 0, "b": 1, "c": 2})),
    "keys of nobody": ("qwen2", config(text_config={"vocab_size": 10**9}, per_layer_config=[1], attn_factor=10**30)),
    "as many tokens as there is room for": ("bert", tokens(ROOM)),
    "weights of fp16": ("llama", weights(lambda found: found.update({k: v.half() for k, v in found.items()}))),
    "no pooler": ("bert", weights(lambda found: [found.pop(name) for name in list(found) if "pooler" in name])),
    "old words for the rope": ("llama", config(rope_parameters=None, rope_theta=500000.0, rope_scaling=None)),
}
REFUSED: dict[str, tuple[str, Change, str]] = {
    "tokens beyond": (
        "bert",
        tokens(ROOM + 2),
        r"2 tokens beyond the model's embedding of 32 rows \('<think.*resize_token",
    ),
    "one token beyond": ("llama", tokens(ROOM + 1), "1 token beyond the model's embedding"),
    "the layer of another": (
        "llama",
        weights(lambda found: found.pop("model.layers.1.mlp.up_proj.weight")),
        "lacks model.layers.1.mlp.up_proj.weight",
    ),
    "a shape of another": (
        "llama",
        config(intermediate_size=80),
        "lacks model.layers.0.mlp.* belong to different models",
    ),
    "wider than memory": (
        "llama",
        config(intermediate_size=1 << 20),
        "lacks model.layers.0.mlp.* belong to different models",
    ),
    "weights that nobody reads": (
        "bert",
        weights(
            lambda found: found.update({"encoder.layer.0.attention.self.distance_embedding.weight": torch.ones(9, 8)})
        ),
        "holds .*distance_embedding.weight, which the model that config.json describes does not have",
    ),
    "weights that are no numbers": (
        "llama",
        weights(lambda found: found["model.embed_tokens.weight"].fill_(float("nan"))),
        "not a finite number",
    ),
    "an activation that there is not": ("bert", config(hidden_act="shiny"), "cannot read this model .*shiny"),
    "a rope that there is not": ("llama", config(rope_parameters={"rope_type": "shiny", "rope_theta": 1.0}), "shiny"),
    "a tokenizer of nothing": (
        "bert",
        lambda folder: (folder / "tokenizer.json").write_text("{}") and None,
        "cannot read",
    ),
    "positions from no token": ("roberta", config(pad_token_id=-1), "counts its positions from it"),
    "more layers": ("llama", config(num_hidden_layers=3), "says 3 layers, and the weights hold 2"),
    "fewer layers": ("llama", config(num_hidden_layers=1), "says 1 layers, and the weights hold 2"),
    "chunks": ("bert", config(chunk_size_feed_forward=8), "set it to 0"),
    "cross-attention": ("bert", config(is_decoder=True, add_cross_attention=True), "cross-attention"),
}


@pytest.mark.parametrize("case", TRAINS)
def test_it_is_added_and_trains(case: str, tmp_path: Path) -> None:
    family, change = TRAINS[case]
    folder = save_tiny(tmp_path / "odd", family)
    change(folder)
    facts = added(folder)
    assert facts.tasks == FAMILIES[family].tasks
    register_tiny(tmp_path, folder, facts.id)
    for task in facts.tasks:
        if task == "regression":
            continue
        rows = REPLIES if task == "causal_lm" else films(12, 6)
        world = World(tmp_path, facts, store(tmp_path, task, task, rows), task, facts.default_target_modules, folder)
        told = trained(world, tmp_path / task, {"run": world.arm("hiddenkey_minus", 0.1)})
        assert not told.only("run", "failed"), told.only("run", "failed")


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_when_it_is_added(case: str, tmp_path: Path) -> None:
    family, change, sentence = REFUSED[case]
    folder = save_tiny(tmp_path / "odd", family)
    change(folder)
    with pytest.raises(InvalidInput, match=sentence):
        added(folder)


def test_a_model_without_an_end_mark_is_for_classes_and_values(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "odd", "llama")
    both(no_marks, config(eos_token_id=None))(folder)
    facts = added(folder)
    assert facts.tasks == ("classification", "regression")
    assert "cannot be trained for causal lm here: Neither the tokenizer nor config.json names an end mark" in str(facts)


def test_the_end_mark_that_was_taken_is_told(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "odd", "llama")
    no_marks(folder)
    assert added(folder).warnings == ("The tokenizer names no end mark; '[SEP]', number 3 of config.json, is taken.",)


def test_a_large_model_is_compared_by_name_and_shape_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from worker import model_trial

    monkeypatch.setattr(model_trial, "READ_PARAMETERS", 0)
    folder = save_tiny(tmp_path / "odd", "llama")
    assert added(folder).tasks == FAMILIES["llama"].tasks
    config(intermediate_size=1 << 20)(folder)
    with pytest.raises(InvalidInput, match="belong to different models"):
        added(folder)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(KEYS)),
    st.sampled_from([0, 1, 2, 3, 7, 64, 0.5, 1e-9, True, False, "gelu", "", [1], {}, -1]),
    st.sampled_from(["bert", "llama", "gpt2"]),
)
def test_any_key_is_read_or_refused_and_never_left_to_a_run(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any, family: str
) -> None:
    folder = save_tiny(tmp_path_factory.mktemp("odd") / "odd", family)
    config(**{key: value})(folder)
    with suppress(InvalidInput):
        assert added(folder).tasks


def test_the_keys_that_are_read_are_those_of_the_installed_release() -> None:
    for family in FAMILIES:
        kind = CONFIG_MAPPING[family]
        known = {one.name for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
        assert known - set(KEYS) <= NOT_READ, family


def test_a_loader_is_shown_weights_words_and_known_keys(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "odd", "bert")
    config(auto_map={"AutoModel": "evil.Model"}, attn_implementation="sdpa", shiny=1)(folder)
    words(auto_map={"AutoTokenizer": ["evil.T", None]}, tokenizer_file="/etc/passwd")(folder)
    for name in ("evil.py", "adapter_config.json", "consolidated.safetensors", "pytorch_model.bin"):
        (folder / name).write_text("{}")
    with shown(folder) as seen:
        names = {path.name for path in seen.iterdir()}
        assert names <= {"config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"} | {
            "special_tokens_map.json"
        }
        assert not {"auto_map", "attn_implementation", "shiny"} & set(json.loads((seen / "config.json").read_text()))
        assert not {"auto_map", "tokenizer_file"} & set(json.loads((seen / "tokenizer_config.json").read_text()))
    assert not seen.exists()
