"""Methods, models, data sets, workers and the person asking, as the API answers them."""

from pydantic import Field

from backend.edge.answers import JsonObject, Out
from backend.shared.facts import Absent, ModelFacts


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
