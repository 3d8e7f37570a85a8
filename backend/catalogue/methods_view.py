"""The framework of methods as the API answers it."""

from functools import cache

from transformer_dropout.spec import CONSISTENCY, PRESETS, catalogue, describe, formula

from .schemas import CellOut, ConsistencyOut, MethodCatalogue, MethodOut


@cache
def methods() -> MethodCatalogue:
    """The framework as the library has it."""
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
