"""Reads Plotly figures as dicts: typed arrays back to numbers, traces by arm and role."""

import base64
from typing import Any

import numpy as np


def decoded(values: Any) -> np.ndarray:
    """Return the numbers of a typed array (or of a plain list), in its shape."""
    if not isinstance(values, dict):
        return np.array(values, float)
    flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype="<" + values["dtype"])
    return flat.reshape([int(part) for part in values["shape"].split(",")]) if "shape" in values else flat


def traces_of(figure: dict[str, Any], arm: str, role: str) -> list[dict[str, Any]]:
    """Return the traces that belong to an arm and show `role`."""
    return [t for t in figure["data"] if t["meta"].get("arm") == arm and t["meta"]["role"] == role]
