"""Which modules of a model an adapter sits on."""

from collections.abc import Sequence

from backend.shared.catalogue.families import matches
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts


def matching_modules(
    facts: ModelFacts, target_modules: Sequence[str] | None, pointer: str = "/lora/target_modules"
) -> tuple[str, ...]:
    """Names of the model's linear modules that the targets name, in the checkpoint's order; the defaults where None.

    Raises:
        InvalidInput: at `pointer`: a target that names no module, with the names that there are.
    """
    targets = tuple(target_modules) if target_modules is not None else facts.default_target_modules
    for target in targets or ("",):
        if not any(matches(module, target) for module in facts.linear_modules):
            raise InvalidInput(
                f"The target module {target!r} names nothing in {facts.id}. "
                f"It has: {', '.join(module_suffixes(facts))}. Default: {', '.join(facts.default_target_modules)}.",
                pointer,
            )
    return tuple(m for m in facts.linear_modules if any(matches(m, target) for target in targets))


def module_suffixes(facts: ModelFacts) -> tuple[str, ...]:
    """The shortest target names that a person would choose from: query, value, dense, ..."""
    return tuple(dict.fromkeys(module.rpartition(".")[2] for module in facts.linear_modules))
