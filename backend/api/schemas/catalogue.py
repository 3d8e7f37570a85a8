"""Methods, models, data sets, workers and the person asking, as the API answers them."""

from datetime import datetime

from pydantic import Field

from backend.api.schemas.common import JsonObject, Out
from backend.shared.facts import Absent, DatasetFacts, ModelFacts


class MethodOut(Out):
    """A preset: a named method of dropout."""

    name: str
    title: str
    sentence: str
    description: str
    formula: str
    source: str
    default_rate: float | None = Field(description="null where the method has no rate to set.")
    native: bool
    consistency: str
    cost_factor: float = Field(description="Cost of a step relative to plain LoRA, from the consistency loss.")
    spec: JsonObject = Field(description="The method's cells spelled out at its default rate.")


class CellOut(Out):
    """One cell of the framework: a structure at a position, or why it does not exist."""

    position: str
    structure: str
    valid: bool
    reason: str = Field(description="Why the cell is not legal; '' where it is.")
    rescales: list[str]
    default_rescale: str
    options: list[str]
    source: str
    cost: str


class ConsistencyOut(Out):
    """A consistency loss between two passes."""

    name: str
    title: str
    sentence: str
    formula: str
    passes: int
    cost_factor: float
    source: str


class MethodCatalogue(Out):
    """Everything that can be asked for as a method."""

    presets: list[MethodOut]
    cells: list[CellOut]
    consistencies: list[ConsistencyOut]


class ModelList(Out):
    """All models that can be trained on here, and built-in ones that this machine does not have."""

    items: list[ModelFacts]
    missing: list[Absent]


class DatasetList(Out):
    """All data sets that can be trained on here, and built-in ones that this machine does not have."""

    items: list[DatasetFacts]
    missing: list[Absent]


class WorkerOut(Out):
    """A process that trains."""

    id: str
    host: str
    device: str
    version: str
    alive: bool
    busy: bool
    draining: bool
    runs: list[str] = Field(description="Ids of the runs it trains now.")
    tokens_per_second: float | None = Field(description="Training tokens a second, measured on its last pack.")
    started_at: datetime
    heartbeat_at: datetime


class WorkerList(Out):
    """Workers that are alive or were lately."""

    items: list[WorkerOut]
    queued_runs: int


class Health(Out):
    """Whether this process is up, and what it can reach."""

    status: str
    version: str
    checks: dict[str, str] = Field(description="Part → 'ok' or what is wrong with it.")
