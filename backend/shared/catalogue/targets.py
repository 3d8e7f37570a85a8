"""Which modules of a model an adapter sits on."""

from collections.abc import Sequence

from backend.shared.catalogue.families import matches
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts

ALL_LINEAR = ("all-linear", "all_linear", "all")  # PEFT's word, and what it is called elsewhere


def named_targets(facts: ModelFacts, target_modules: Sequence[str] | None) -> tuple[str, ...]:
    """The names that are meant: the defaults where None, those of every linear layer where one says all of them."""
    if target_modules is None:
        return facts.default_target_modules
    if any(target.casefold() in ALL_LINEAR for target in target_modules):
        return module_suffixes(facts)
    return tuple(target_modules)


def matching_modules(
    facts: ModelFacts, target_modules: Sequence[str] | None, pointer: str = "/lora/target_modules"
) -> tuple[str, ...]:
    """Names of the model's linear modules that the targets name, in the checkpoint's order; the defaults where None.

    Raises:
        InvalidInput: at `pointer`: a target that names no module, with the names that there are.
    """
    targets = named_targets(facts, target_modules)
    for target in targets or ("",):
        if not any(matches(module, target) for module in facts.linear_modules):
            raise InvalidInput(
                f"The target module {target!r} names nothing in {facts.id}. "
                f"It has: {', '.join(module_suffixes(facts))}. Default: {', '.join(facts.default_target_modules)}; "
                "all-linear stands for all of them.",
                pointer,
            )
    return tuple(m for m in facts.linear_modules if any(matches(m, target) for target in targets))


def module_suffixes(facts: ModelFacts) -> tuple[str, ...]:
    """The shortest target names that a person would choose from: query, value, dense, ..."""
    return tuple(dict.fromkeys(module.rpartition(".")[2] for module in facts.linear_modules))
