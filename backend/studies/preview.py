"""What a study would come to before it is queued: its expansion, how long it may take, and the memory it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from backend.shared.catalogue import list_models
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.store import workers

from .estimate.packs import Pack, device_class, measured
from .estimate.predict import Asked, Range, predict
from .estimate.work import Lengths, work_of
from .expand import Expansion, expand
from .plan.power import Power, power
from .plan.words import sentence


@dataclass(frozen=True)
class Estimate:
    """Seconds to the end and the sentence that says what they rest on; None where nothing was measured yet."""

    seconds: Range | None
    memory_bytes: int | None
    basis: str


@dataclass(frozen=True)
class PlanPreview:
    """A plan in words, and what it can find at spreads that are assumed."""

    sentence: str
    power: tuple[Power, ...]


@dataclass(frozen=True)
class Preview:
    """An expansion with its estimate, the study as a file, and its plan where it has one."""

    expansion: Expansion
    estimate: Estimate
    yaml: str
    plan: PlanPreview | None


def preview(session: Session, settings: Settings, asked: StudySpec) -> Preview:
    """Expand a study and estimate its cost; stores nothing and raises nothing for a study with problems."""
    expansion = expand(settings, asked)
    packs = measured(session, Lengths(settings.shared))
    there = workers.devices(session, settings.lease_s)
    told = estimate(settings.shared, expansion, packs, there, settings.pack_size)
    return Preview(expansion, told, as_yaml(asked), planned(expansion))


def planned(expansion: Expansion) -> PlanPreview | None:
    """What the study's plan says and can find; None where it has none, or problems stand in the way."""
    plan = expansion.study.plan
    if plan is None or plan.looks is None or plan.smallest is None or plan.baseline is None or expansion.problems:
        return None
    arms = len(plan.arms) if plan.arms is not None else len(expansion.arms) - len(plan.baselines or "1")
    return PlanPreview(sentence(plan, arms, plan.baseline), power(plan.looks, plan.smallest, arms))


def as_yaml(study: StudySpec) -> str:
    """The study as a file for the command line, with the keys that were given."""
    return yaml.safe_dump(study.model_dump(mode="json", exclude_unset=True), sort_keys=False, allow_unicode=True)


def estimate(
    home: Path, expansion: Expansion, measured: Sequence[Pack], there: Sequence[str], pack_size: int
) -> Estimate:
    """How long the study takes, by the packs that were measured; `there` are the devices of the workers alive."""
    memory = _memory(expansion)
    if not expansion.arms or expansion.dataset is None or expansion.model is None:
        return Estimate(None, memory, "there is nothing to estimate until the problems are solved")
    lengths = Lengths(home)
    works = [work for arm in expansion.arms if (work := work_of(arm.spec, lengths)) is not None]
    seeds, hands = expansion.study.seeds, max(len(there), 1)
    if len(works) < len(expansion.arms):
        return Estimate(None, memory, "the rows of the data set cannot be read")
    asked = Asked(
        model=expansion.model.id,
        work=seeds * sum(work.total for work in works),
        per_row=works[0].per_row,
        packs=seeds * ceil(len(works) / min(pack_size, max(1, ceil(len(works) / hands)))),
    )
    models = {} if any(one.model == asked.model for one in measured) else _parameters(home, expansion)
    devices = frozenset(map(device_class, there))
    found = predict(asked, measured, models, hands, devices)
    if found is None:
        return Estimate(
            None, memory, "no worker has trained anything like it yet; after the first pack the speed is known"
        )
    share = sum(work.elsewhere for work in works) / sum(work.total for work in works)
    basis = found.basis + (f"; {share:.0%} of it for measuring on further data sets" if share else "")
    if any(arm.spec.training.patience is not None for arm in expansion.arms):
        basis += "; less where runs stop early"
    return Estimate(found, memory, basis)


def _parameters(home: Path, expansion: Expansion) -> dict[str, int]:
    own = {} if expansion.model is None else {expansion.model.id: expansion.model.parameters}
    return {**{one.id: one.parameters for one in list_models(home)}, **own}


def _memory(expansion: Expansion) -> int | None:
    if expansion.model is None:
        return None
    return expansion.model.parameters * (2 if expansion.study.training.precision == "bf16" else 4)
