"""Routes of what can be asked for: methods and models."""

from fastapi import APIRouter

from backend.edge.context import App
from backend.shared.catalogue import absent_models, list_models

from . import methods_view
from .schemas import MethodCatalogue, ModelList

router = APIRouter()


@router.get("/methods", operation_id="methods_list", tags=["methods"])
def methods() -> MethodCatalogue:
    """Presets, every cell of the framework with the reason where it is not legal, and the consistency losses."""
    return methods_view.methods()


@router.get("/models", operation_id="models_list", tags=["models"])
def models(app: App) -> ModelList:
    """Base models that can be trained on here."""
    return ModelList(items=list_models(app.settings.shared), missing=absent_models())
