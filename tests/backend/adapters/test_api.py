"""Adapters to start from, over the API: what is taken, what is refused, and what a study says of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import save

from backend.shared.catalogue import model_location
from backend.shared.catalogue.adapters import WEIGHTS_FILE
from backend.shared.catalogue.inspect_model import linear_shapes
from tests.backend.inside import inside
from tests.backend.make_adapters import CONFIG, RANK, add, tensors
from tests.backend.make_studies import API, post, study


def test_an_adapter_is_added_listed_and_deleted(client: TestClient) -> None:
    made = add(client, id="mine", title="Mine")
    assert made.status_code == 201, made.text
    facts = made.json()
    assert made.headers["Location"] == f"{API}/adapters/mine"
    assert (facts["rank"], facts["alpha"], facts["target_modules"]) == (RANK, 16.0, ["query", "value"])
    assert facts["model"]["id"] == "minilm-l6"
    assert len(facts["modules"]) == 12
    assert facts["head"]["classifier.weight"] == [2, 384]
    assert client.get(f"{API}/adapters").json()["items"] == [facts]
    assert client.get(f"{API}/adapters/mine").json() == facts
    context = inside(client)
    folder = context.settings.shared / "adapters" / "mine"
    assert str(context.settings.shared) not in made.text
    assert (folder / WEIGHTS_FILE).read_bytes() == save(tensors())
    assert list((context.settings.shared / "uploads").iterdir()) == [], "the uploads are used up"
    assert add(client, id="mine").status_code == 409
    assert client.delete(f"{API}/adapters/mine").status_code == 204
    assert not folder.exists()
    assert client.get(f"{API}/adapters/mine").status_code == 404


def test_a_study_takes_what_it_leaves_out_from_its_adapter(sqlite_client: TestClient) -> None:
    assert add(sqlite_client, id="mine").status_code == 201
    made = post(sqlite_client, start_from="mine")
    arms = sqlite_client.get(f"{API}/studies/{made['id']}").json()["arms"]
    runs = sqlite_client.get(f"{API}/studies/{made['id']}/runs").json()["items"]
    spec = sqlite_client.get(f"{API}/runs/{runs[0]['id']}").json()["spec"]["arm"]
    assert len(arms) == 2
    assert (spec["rank"], spec["alpha"], spec["target_modules"]) == (RANK, 16.0, ["query", "value"])
    assert spec["start_from"]["id"] == "mine"
    refused = sqlite_client.delete(f"{API}/adapters/mine")
    assert (refused.status_code, "starts from this adapter" in refused.json()["detail"]) == (409, True)
    longer = sqlite_client.post(f"{API}/studies/{made['id']}/extend", json={"seeds": 3})
    assert longer.status_code == 202, longer.text
    sqlite_client.post(f"{API}/studies/{made['id']}/cancel")
    assert sqlite_client.post(f"{API}/studies/{made['id']}/archive").status_code == 200
    assert sqlite_client.delete(f"{API}/adapters/mine").status_code == 204


@pytest.mark.parametrize(
    ("changes", "pointer", "sentence"),
    [
        ({"start_from": "nobody"}, "/start_from", "There is no adapter 'nobody' here"),
        ({"lora": {"rank": 8}}, "/lora/rank", "mine is of rank 4, and a run that starts from it cannot have rank 8"),
        ({"lora": {"alpha": 8}}, "/lora/alpha", "mine was trained with alpha 16; with 8"),
        ({"lora": {"target_modules": ["key"]}}, "/lora/target_modules", "mine sits on query, value"),
        ({"arms": [{"method": "none", "rank": [4, 2]}]}, "/arms/0/rank/1", "cannot have rank 2"),
        (
            {"model": "smollm2-135m", "dataset": "chatterbot", "task": "causal_lm"},
            "/start_from",
            "mine is an adapter of minilm-l6, not of smollm2-135m",
        ),
    ],
)
def test_a_study_that_does_not_fit_its_adapter_is_told_where(
    sqlite_client: TestClient, changes: dict[str, Any], pointer: str, sentence: str
) -> None:
    assert add(sqlite_client, id="mine").status_code == 201
    asked = study(**{"start_from": "mine", **changes})
    told = sqlite_client.post(f"{API}/studies/preview", json=asked).json()["problems"]
    assert [one["pointer"] for one in told if sentence in one["detail"]] == [pointer], told
    assert sqlite_client.post(f"{API}/studies", json=asked).status_code == 422


def _without(name: str) -> bytes:
    return save({key: value for key, value in tensors().items() if not key.endswith(name)})


def _and(name: str, value: np.ndarray) -> bytes:
    return save({**tensors(), name: value})


REFUSED: dict[str, tuple[Any, bytes | None, str]] = {
    "another kind": ({**CONFIG, "peft_type": "IA3"}, None, "only LORA can be trained on here"),
    "dora": ({**CONFIG, "use_dora": True}, None, "sets `use_dora`, a variant of LoRA"),
    "rslora": ({**CONFIG, "use_rslora": True}, None, "sets `use_rslora`"),
    "ranks by layer": ({**CONFIG, "rank_pattern": {"query": 2}}, None, "sets `rank_pattern`"),
    "biases": ({**CONFIG, "bias": "all"}, None, "trained biases of the base"),
    "pissa": ({**CONFIG, "init_lora_weights": "pissa"}, None, "which changes the base's weights"),
    "no rank": ({**CONFIG, "r": "many"}, None, "must be a whole number from 1 to 512"),
    "no alpha": ({**CONFIG, "lora_alpha": -1}, None, "must be a positive number"),
    "code": ({**CONFIG, "auto_map": {"x": "evil.Model"}}, None, "sets `auto_map`"),
    "not JSON": (b"{", None, "is not valid JSON"),
    "a list": (b"[]", None, "must hold a JSON object"),
    "a pickle": (CONFIG, b"\x80\x04K\x01." * 100, "is not a sound safetensors file"),
    "a huge header": (CONFIG, (9 << 20).to_bytes(8, "little") + b"{" + b" " * (9 << 20) + b"}", "its header length"),
    "cut off": (CONFIG, save(tensors())[:-10], "is not a sound safetensors file"),
    "other rank": (CONFIG, save(tensors(rank=2)), "which is not rank 4 as the adapter's config says"),
    "other width": (CONFIG, save(tensors(width=768)), "the adapter belongs to another model"),
    "half a pair": (CONFIG, _without("0.attention.self.query.lora_B.weight"), "lacks one of the two matrices"),
    "other modules": (
        CONFIG,
        _and("base_model.model.model.layers.0.q_proj.lora_A.weight", np.ones((4, 4), np.float32)),
        "has no such module: it belongs to another model",
    ),
    "more than LoRA": (CONFIG, _and("base_model.model.bert.embeddings.weight", np.ones(3, np.float32)), "is neither"),
    "odd names": (CONFIG, _and("weight", np.ones(3, np.float32)), "is not named as PEFT names"),
    "whole numbers": (CONFIG, save({k: v.astype(np.int32) for k, v in tensors().items()}), "is of the type I32"),
    "nothing": (CONFIG, save({"base_model.model.classifier.bias": np.zeros(2, np.float32)}), "holds no LoRA matrices"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_gone_on_with_is_refused_with_a_sentence(case: str, sqlite_client: TestClient) -> None:
    config, weights, sentence = REFUSED[case]
    answer = add(sqlite_client, config, weights, model="minilm-l6")
    assert answer.status_code == 422, answer.text
    assert sentence in answer.json()["detail"]
    context = inside(sqlite_client)
    assert sqlite_client.get(f"{API}/adapters").json()["items"] == []
    root = context.settings.shared / "adapters"
    assert not root.exists() or list(root.iterdir()) == []


def test_the_base_is_found_by_the_adapters_word_or_asked_for(sqlite_client: TestClient) -> None:
    nameless = add(sqlite_client, {**CONFIG, "base_model_name_or_path": "/home/me/minilm"})
    assert (nameless.status_code, nameless.json()["errors"][0]["pointer"]) == (422, "/model")
    assert (
        add(sqlite_client, {**CONFIG, "base_model_name_or_path": "/home/me/minilm"}, model="minilm-l6").status_code
        == 201
    )
    unsure = add(sqlite_client, {**CONFIG, "base_model_name_or_path": "unsloth/all-MiniLM-L6-v2"})
    assert (unsure.status_code, unsure.json()["errors"][0]["pointer"]) == (422, "/model")
    other = add(sqlite_client, model="smollm2-135m")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/model")


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("unsloth/all-MiniLM-L6-v2", "added files, whose config names unsloth/all-MiniLM-L6-v2"),
        ("/home/me/secret/minilm", "added files, whose config names a folder 'minilm'"),
        ("roberta/base", "added files, whose config names roberta/base"),
        ("Sentence-Transformers/all-MiniLM-L6-v2", "added files"),
        ("minilm-l6", "added files"),
        ("", "added files"),
    ],
)
def test_the_model_that_a_person_names_beats_the_configs(base: str, told: str, sqlite_client: TestClient) -> None:
    """The same weights go by several names; shapes are compared all the same."""
    made = add(sqlite_client, {**CONFIG, "base_model_name_or_path": base}, model="minilm-l6")
    assert made.status_code == 201, made.text
    assert (made.json()["model"]["id"], made.json()["source"]) == ("minilm-l6", told)
    assert "secret" not in made.text


@pytest.mark.parametrize("body", [{}, {"artifact_id": "a", "config_upload_id": "b"}, {"weights_upload_id": "c"}])
def test_one_way_to_say_where_it_comes_from(body: dict[str, str], sqlite_client: TestClient) -> None:
    answer = sqlite_client.post(f"{API}/adapters", json=body)
    assert answer.status_code == 422
    assert "or an artifact_id" in answer.text
    assert sqlite_client.post(f"{API}/adapters", json={"artifact_id": "artifact_none"}).status_code == 404


def test_shapes_of_the_catalogues_models_are_known(tmp_path: Path) -> None:
    for model, module, shape in (
        ("minilm-l6", "encoder.layer.0.attention.self.query", (384, 384)),
        ("smollm2-135m", "model.layers.3.self_attn.v_proj", (192, 576)),
    ):
        assert linear_shapes(model_location(tmp_path, model))[module] == shape
