"""What would train as if it were not there: sites that reach nothing, native dropout that is none, two equal passes."""

from pathlib import Path

from transformer_dropout.spec import CONSISTENCY, DropoutSpec, Site
from transformer_dropout.spec.rates import largest

from backend.shared.catalogue import matching_modules
from backend.shared.catalogue.own_dropout import OwnDropout, own_dropout
from backend.shared.errors import InvalidInput, Problem
from backend.shared.facts import ModelFacts
from backend.shared.specs import ArmSpec, StudySpec

from .axes import Point

_ADAPTER = ("adapter_input", "adapter_rank")
_LEAST = 0.5 / (1 << 16)  # rates are rounded to sixteen bits


class Effects:
    """What the methods of a study do to its model. `home`: the shared folder, where the model's config is."""

    def __init__(self, home: Path, study: StudySpec, model: ModelFacts) -> None:
        self._model = model
        self._own: OwnDropout | None = own_dropout(home, model, study.task != "causal_lm")
        try:
            modules = matching_modules(model, study.lora.target_modules)
        except InvalidInput:  # told by the checks of the study
            modules = ()
        self._adapted = {_layer(name) for name in modules}

    def problems(self, arm: ArmSpec, point: Point, pointer: str, dropout: DropoutSpec) -> list[Problem]:
        """Why an arm would not be what it is called; `dropout`: its method at this point, resolved for the model."""
        found = []
        for i, site in enumerate(dropout.sites):
            if site.active and (words := self._nothing_at(site)):
                found.append(Problem(f"{pointer}/sites/{i}" if arm.sites is not None else _rate(point, pointer), words))
        drops = dropout.noise_alpha > 0 or any(site.active for site in dropout.sites)
        tied = dropout.consistency.kind != "none"
        if dropout.native and (words := self._not_native(drops, tied)):
            found.append(Problem(f"{pointer}/{'method' if arm.native is None else 'native'}", words))
        elif tied and not drops and not dropout.native:
            words = (
                "every rate of this arm is 0, so the two passes of its consistency loss are equal and the loss is "
                "exactly 0; take a rate above 0, or leave the consistency loss out"
            )
            found.append(Problem(_rate(point, pointer), words))
        return found

    def warnings(self, arm: ArmSpec, point: Point, pointer: str, dropout: DropoutSpec) -> list[Problem]:
        """What an arm that may be trained asks for in vain, a rate or weight of 0: a control, or a slip.

        The same that its runs will say in their logs; `dropout`: its method at this point, resolved for the model.
        """
        found = []
        idle = [i for i, site in enumerate(dropout.sites) if not site.active]
        drops = dropout.native or dropout.noise_alpha > 0 or len(idle) < len(dropout.sites)
        if idle and not drops:
            words = "every rate of this arm is 0: nothing is dropped, and it trains as plain LoRA does"
            found.append(Problem(_rate(point, pointer), words))
        for i in idle if drops else ():
            name = _name(dropout.sites[i])
            at = f"{pointer}/sites/{i}" if arm.sites is not None else _rate(point, pointer)
            found.append(Problem(at, f"{name} has a rate of 0: nothing is dropped there"))
        tie = dropout.consistency
        if tie.kind != "none" and tie.weight == 0 and CONSISTENCY[tie.kind].task_on_both == "first":
            words = "the consistency loss weighs 0: its second pass costs time and changes nothing"
            found.append(Problem(point.pointers["consistency/weight"], words))
        return found

    def _nothing_at(self, site: Site) -> str:
        """Why a site that is to drop reaches nothing, or nothing."""
        name = _name(site)
        reached = {layer for layer in site.layers or () if isinstance(layer, int) and site.rate_at(layer) > 0}
        if not reached:
            return f"{name} has a rate of 0 in each of its layers, so it drops nothing; change its layers or its rates"
        if site.position in _ADAPTER and self._adapted and not reached & self._adapted:
            there = ", ".join(str(layer) for layer in sorted(self._adapted)[:12])
            return f"{name} is in layers without an adapter, so it drops nothing; the adapters are in layers {there}"
        if site.structure != "span" and largest(site.rate) < _LEAST:
            return f"{name} drops nothing at so low a rate: rates are rounded to 1/65,536; take a higher one, or 0"
        return ""

    def _not_native(self, drops: bool, tied: bool) -> str:
        """Why native dropout cannot be kept on in this model, or nothing."""
        own, title = self._own, self._model.id
        if own is None:
            return ""
        if own.by_function:
            return (
                f"native dropout of {title} cannot be kept on: its {' and '.join(own.by_function)} is applied by a "
                "function, not by a module; leave native dropout out for this model"
            )
        if own.rates:
            return ""
        words = (
            f"{title} has no dropout of its own (every rate of its configuration is 0), so native dropout adds nothing"
        )
        if drops:
            return f"{words}; leave it out for this model"
        equal = " and the two passes of the consistency loss are equal" if tied else ""
        return f"{words}{equal}; give the arm sites, or leave the arm out for this model"


def _name(site: Site) -> str:
    return f"{site.position.replace('_', ' ')} by {site.structure}"


def _rate(point: Point, pointer: str) -> str:
    return pointer if point.values["rate"] is None else point.pointers["rate"]


def _layer(module: str) -> int:
    """Number of the layer that a module belongs to, from its name; 0 outside the layers."""
    return next((int(part) for part in module.split(".") if part.isdigit()), 0)
