"""Routes of what can be asked for: methods and models."""

from functools import cache

from fastapi import APIRouter
from transformer_dropout.spec import CONSISTENCY, PRESETS, catalogue, describe, formula

from backend.edge.context import App
from backend.shared.catalogue import absent_models, list_models

from .schemas import CellOut, ConsistencyOut, MethodCatalogue, MethodOut, ModelList

router = APIRouter()


@router.get("/methods", operation_id="methods_list", tags=["methods"])
def methods() -> MethodCatalogue:
    """Presets, every cell of the framework with the reason where it is not legal, and the consistency losses."""
    return _catalogue()


@router.get("/models", operation_id="models_list", tags=["models"])
def models(app: App) -> ModelList:
    """Base models that can be trained on here."""
    return ModelList(items=list_models(app.settings.shared), missing=absent_models())


@cache
def _catalogue() -> MethodCatalogue:
    presets = []
    for preset in PRESETS.values():
        spec = preset.spec()
        presets.append(
            MethodOut(
                name=preset.name,
                title=preset.title,
                sentence=preset.sentence,
                description=describe(spec),
                formula=formula(spec),
                source=preset.source,
                default_rate=preset.default_rate,
                native=preset.native,
                consistency=preset.consistency,
                cost_factor=CONSISTENCY[preset.consistency].cost_factor,
                spec=spec.to_dict(),
            )
        )
    return MethodCatalogue(
        presets=presets,
        cells=[CellOut.model_validate(cell) for cell in catalogue()],
        consistencies=[ConsistencyOut.model_validate(kind) for kind in CONSISTENCY.values()],
    )
