"""What a study would come to before it is queued: its expansion, how long it may take, and the memory it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml
from sqlalchemy.orm import Session
from transformer_dropout.spec import CONSISTENCY

from backend.shared.catalogue import dataset_folder
from backend.shared.schedule import evaluation_steps
from backend.shared.settings import Settings
from backend.shared.specs import AlsoSpec, StudySpec
from backend.shared.store import workers

from .expand import Expansion, expand, steps
from .plan.power import Power, power
from .plan.words import sentence

SAMPLED_ROWS = 200
CHARACTERS_PER_TOKEN = 4.2  # English text in WordPiece and BPE vocabularies
SPECIAL_TOKENS = 2
FORWARD = 0.5  # of a training step's cost: frozen weights need a way forward and back, and no gradients of their own


@dataclass(frozen=True)
class Estimate:
    """Seconds to the end and the sentence that says what they rest on; None where nothing was measured yet."""

    seconds: float | None
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
    paces, alive = workers.paces(session, settings.lease_s)
    return Preview(expansion, estimate(settings.shared, expansion, paces, alive), as_yaml(asked), planned(expansion))


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


def estimate(home: Path, expansion: Expansion, paces: list[float], alive: int) -> Estimate:
    """Training tokens of all runs over the measured tokens a second of the workers.

    `paces` are training tokens a second of workers that have measured, `alive` how many workers there are.
    """
    memory = _memory(expansion)
    if not expansion.arms or expansion.dataset is None:
        return Estimate(None, memory, "there is nothing to estimate until the problems are solved")
    if not paces:
        words = "no worker has trained anything yet; after the first pack the speed is known"
        return Estimate(None, memory, words)
    workers = max(alive, 1)
    pace = sum(paces) / len(paces) * workers
    per_row = _tokens_per_row(home, expansion.dataset.id, expansion.study.training.max_length)
    tokens = also = 0.0
    one_look = _also_tokens(home, expansion.arms[0].spec.also_measure, expansion.study.training.max_length)
    for arm in expansion.arms:
        training = arm.spec.training
        factor = CONSISTENCY[arm.dropout.consistency.kind].cost_factor
        tokens += arm.spec.train_rows * training.epochs * per_row * factor * expansion.study.seeds
        looks = len(evaluation_steps(steps(arm.spec), training.evaluations)) + 1  # and one before the first step
        also += looks * expansion.study.seeds * one_look
    elsewhere = f"; {also * FORWARD / pace:,.0f} s of it for measuring on further data sets" if also else ""
    basis = (
        f"{tokens:,.0f} training tokens (about {per_row:.0f} a row, consistency losses counted) at {pace:,.0f} a "
        f"second, as measured last with {workers} {'worker' if workers == 1 else 'workers'}{elsewhere}; "
        "evaluations come on top"
    )
    return Estimate((tokens + also * FORWARD) / pace, memory, basis)


def _memory(expansion: Expansion) -> int | None:
    if expansion.model is None:
        return None
    return expansion.model.parameters * (2 if expansion.study.training.precision == "bf16" else 4)


def _also_tokens(home: Path, further: Sequence[AlsoSpec], max_length: int) -> float:
    """Tokens of one look at all further data sets."""
    return sum(also.rows * _tokens_per_row(home, also.dataset.id, max_length, also.split) for also in further)


def _tokens_per_row(home: Path, dataset_id: str, max_length: int, split: str = "train") -> float:
    with (dataset_folder(home, dataset_id) / f"{split}.jsonl").open("rb") as lines:
        sizes = [
            min(len(line) / CHARACTERS_PER_TOKEN + SPECIAL_TOKENS, max_length) for line in islice(lines, SAMPLED_ROWS)
        ]
    return sum(sizes) / len(sizes) if sizes else float(max_length)
