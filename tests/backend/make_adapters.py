"""A small adapter of MiniLM as PEFT writes it, made without torch."""

import json
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from safetensors.numpy import save

from backend.shared.catalogue.adapters import CONFIG_FILE, WEIGHTS_FILE
from tests.backend.make_studies import API

RANK = 4
LAYERS = [f"encoder.layer.{i}.attention.self" for i in range(6)]
HUB = "sentence-transformers/all-MiniLM-L6-v2"
CONFIG: dict[str, Any] = {
    "peft_type": "LORA",
    "task_type": "SEQ_CLS",
    "base_model_name_or_path": HUB,
    "r": RANK,
    "lora_alpha": 16,
    "target_modules": ["query", "value"],
    "bias": "none",
    "init_lora_weights": True,
    "use_dora": False,
    "rank_pattern": {},
}


def tensors(rank: int = RANK, width: int = 384) -> dict[str, np.ndarray]:
    """An adapter of MiniLM as PEFT names it, with a head of two classes."""
    found: dict[str, np.ndarray] = {}
    for layer in LAYERS:
        for part in ("query", "value"):
            found[f"base_model.model.bert.{layer}.{part}.lora_A.weight"] = np.ones((rank, width), np.float32)
            found[f"base_model.model.bert.{layer}.{part}.lora_B.weight"] = np.zeros((width, rank), np.float32)
    found["base_model.model.classifier.weight"] = np.zeros((2, width), np.float32)
    found["base_model.model.classifier.bias"] = np.zeros(2, np.float32)
    return found


def send(client: TestClient, name: str, content: bytes) -> str:
    upload: str = client.post(f"{API}/uploads", json={"name": name}).json()["id"]
    assert client.put(f"{API}/uploads/{upload}/content", content=content).status_code == 200
    return upload


def add(client: TestClient, config: Any = CONFIG, weights: bytes | None = None, **more: Any) -> Any:
    """Send both files and ask for an adapter of them; the answer."""
    body = config if isinstance(config, bytes) else json.dumps(config).encode()
    files = {
        "config_upload_id": send(client, CONFIG_FILE, body),
        "weights_upload_id": send(client, WEIGHTS_FILE, save(tensors()) if weights is None else weights),
    }
    return client.post(f"{API}/adapters", json={**files, **more})
