"""Adapters of a server that runs can start from: add, list, delete."""

from pathlib import Path

from .connection import Connection, Items, Json
from .datasets import Datasets, Progress


class Adapters:
    """`client.adapters`."""

    def __init__(self, connection: Connection, datasets: Datasets) -> None:
        self._connection, self._datasets = connection, datasets

    def list(self) -> Items:
        """Adapters that runs can start from there."""
        found: Items = self._connection.json("GET", "/adapters")["items"]
        return found

    def get(self, adapter_id: str) -> Json:
        """What is known of an adapter."""
        return self._connection.json("GET", f"/adapters/{adapter_id}")

    def add(
        self,
        folder: str | Path,
        *,
        model: str | None = None,
        id: str | None = None,
        title: str | None = None,
        progress: Progress | None = None,
    ) -> Json:
        """Send an adapter as PEFT saved it; `model` is the one that its config names unless given."""
        path = Path(folder)
        files = (path / "adapter_config.json", path / "adapter_model.safetensors")
        config, weights = (self._datasets.send(file, progress) for file in files)
        body = {"config_upload_id": config, "weights_upload_id": weights, "model": model, "id": id}
        return self._connection.json("POST", "/adapters", json={**body, "title": title}, timeout=120)

    def add_artifact(self, artifact_id: str, *, id: str | None = None, title: str | None = None) -> Json:
        """Start from what a run of that server left behind."""
        return self._connection.json("POST", "/adapters", json={"artifact_id": artifact_id, "id": id, "title": title})

    def delete(self, adapter_id: str) -> None:
        """Delete an adapter from which no study starts."""
        self._connection.send("DELETE", f"/adapters/{adapter_id}")
