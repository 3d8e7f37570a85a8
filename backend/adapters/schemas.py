"""Adapters to start from, as the API takes and answers them."""

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from backend.edge.answers import Out
from backend.shared.facts import AdapterFacts
from backend.shared.specs import Clock, Frozen


class AdapterCreate(Frozen):
    """An adapter in PEFT's format: two uploads, or an artifact of a run of this server."""

    config_upload_id: str | None = Field(None, max_length=100, description="The upload of adapter_config.json.")
    weights_upload_id: str | None = Field(None, max_length=100, description="The upload of adapter_model.safetensors.")
    artifact_id: str | None = Field(None, max_length=100, description="An adapter that a run here left behind.")
    model: str | None = Field(
        None, min_length=1, max_length=200, description="Its base model; the one its config names where unset."
    )
    id: str | None = Field(None, min_length=1, max_length=100, description="Made from the title where unset.")
    title: str | None = Field(None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        uploads = (self.config_upload_id is not None, self.weights_upload_id is not None)
        if uploads[0] != uploads[1] or uploads[0] == (self.artifact_id is not None):
            raise ValueError("give either config_upload_id and weights_upload_id, or an artifact_id")
        return self


class AdapterList(Out):
    """Adapters that runs can start from."""

    items: list[AdapterFacts]


class ArtifactFile(Out):
    """One file of an artifact."""

    name: str
    sha256: str


class ArtifactOut(Out):
    """What a run left behind, such as its adapter in PEFT's format."""

    id: str
    run_id: str
    kind: str
    step: int | None = Field(description="Of an adapter: the step of its run; null where that was not written down.")
    clocks: list[Clock] = Field(
        description="Of an adapter: whether it is that of the run's last step, of its best evaluation, or of both."
    )
    files: list[ArtifactFile]
    bytes: int
    created_at: datetime


class ArtifactList(Out):
    """All artifacts of a run."""

    items: list[ArtifactOut]
