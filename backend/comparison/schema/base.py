"""What the comparison is made of: its words, the names of its quantities, and the base of its parts."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from backend.shared.metrics import METRICS, in_comparison

XAxis = Literal["step", "epoch", "tokens", "seconds"]
Band = Literal["t", "seeds", "minmax", "sd"]
Decision = Literal["lower", "higher", "undecided"]
Numbers = list[float | None]


class _InTheTable:
    """Of texts, the names of those entries of `backend.shared.metrics` that the comparison tells of."""

    @staticmethod
    def __get_pydantic_core_schema__(source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_known, handler(source))

    @staticmethod
    def __get_pydantic_json_schema__(known: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {**handler(known), "enum": [metric.name for metric in in_comparison()]}


def _known(name: str) -> str:
    metric = METRICS.get(name)
    if metric is None or metric.role == "kept":
        quoted = [repr(one.name) for one in in_comparison()]
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(quoted[:-1])} or {quoted[-1]}"})
    return name


SeriesName = Annotated[str, _InTheTable]


class Part(BaseModel):
    """Frozen, JSON-safe (no NaN, no infinity)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
