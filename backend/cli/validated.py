"""What was asked on the command line or in a file, held against its model before any server is asked."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backend.edge import validation_errors
from backend.shared.errors import InvalidInput, Problem

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], asked: Mapping[str, Any]) -> M:
    """What was asked as the model; InvalidInput says each place in the server's words."""
    try:
        return model.model_validate(asked)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        items = validation_errors.items(found, asked)
        raise InvalidInput.of([Problem(one.pointer, one.detail) for one in items]) from error
