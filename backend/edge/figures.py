"""A chart as Plotly draws it."""

from pydantic import ConfigDict

from .answers import JsonObject, Out


class Figure(Out):
    """A Plotly figure; numbers are typed arrays ({"dtype", "bdata"}), which plotly.js reads as they are."""

    model_config = ConfigDict(extra="allow")

    data: list[JsonObject]
    layout: JsonObject
