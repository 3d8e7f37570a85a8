"""What a study stands on, checked against the catalogue: model, data, task, rows, lengths, targets, start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from backend.shared.catalogue import matching_modules, named_targets, require_dataset, require_model
from backend.shared.catalogue.adapters import require_adapter
from backend.shared.errors import InvalidInput, Problem
from backend.shared.facts import AdapterFacts, DatasetFacts, ModelFacts
from backend.shared.schedule import evaluation_steps, total_steps
from backend.shared.settings import Settings
from backend.shared.specs import AlsoSpec, LoraSpec, StudySpec

from . import chat, elsewhere
from .axes import MOST_EPOCHS, Point

Found = TypeVar("Found")
UNSMOOTHED = "a regression has no other answers to smooth its label over; leave label_smoothing out"


@dataclass(frozen=True)
class Surroundings:
    """A study with what it left out filled in, and what it names, None where there is no such thing."""

    study: StudySpec
    model: ModelFacts | None
    dataset: DatasetFacts | None
    adapter: AdapterFacts | None
    also: tuple[AlsoSpec, ...] = ()
    warnings: tuple[Problem, ...] = ()


def surroundings(settings: Settings, study: StudySpec) -> tuple[Surroundings, list[Problem]]:
    """What a study stands on: its task is the data's where it was left out, its adapters the one's it starts from."""
    problems: list[Problem] = []
    model = _or_none(lambda: require_model(settings.shared, study.model), problems)
    dataset = _or_none(lambda: require_dataset(settings.shared, study.dataset), problems)
    adapter, start = None, study.start_from
    if start is not None:
        adapter = _or_none(lambda: require_adapter(settings.shared, start), problems)
    adapter = _fits(adapter, model, problems) if adapter is not None else None
    if adapter is not None:
        study = _as_adapter(study, adapter)
    named = {"model": model.id if model else study.model, "dataset": dataset.id if dataset else study.dataset}
    study = study.model_copy(update=named)  # what was named as on the hub is from now on what was fetched
    if dataset is not None:
        if "task" not in study.model_fields_set:
            study = study.model_copy(update={"task": dataset.task})
        problems += _data(study, dataset) + _stopping(study, dataset)
    also, refused, warnings = elsewhere.resolved(settings.shared, study, dataset)
    problems += refused
    if also and not refused:
        study = study.model_copy(update={"also_measure": tuple(one.dataset.id for one in also)})
    if model is not None:
        problems += _model(study, model)
        targets = study.lora.target_modules
        modules = _or_none(lambda: matching_modules(model, targets), problems)
        if targets is not None:  # arms of the same modules are the same arms, however they were named
            lora = study.lora.model_copy(update={"target_modules": named_targets(model, targets)})
            study = study.model_copy(update={"lora": lora})
        if adapter is not None and modules is not None:
            problems += _targets(study, adapter, modules)
    if model is not None and dataset is not None:
        study, refused = chat.settled(settings.shared, study, model, dataset)
        problems += refused
        if not problems:
            refused, fresh = chat.tried(settings.shared, study, model, dataset)
            problems += refused
            warnings += fresh
    return Surroundings(study, model, dataset, adapter, also, tuple(warnings)), problems


def starts(adapter: AdapterFacts, rank: int, alpha: float, pointers: dict[str, str]) -> list[Problem]:
    """What keeps an arm of this rank and alpha from starting from an adapter; `pointers`: where the arm sets them."""
    found = []
    if rank != adapter.rank:
        words = f"{adapter.id} is of rank {adapter.rank}, and a run that starts from it cannot have rank {rank}"
        found.append(Problem(pointers.get("rank", "/lora/rank"), words))
    elif alpha != adapter.alpha:
        words = (
            f"{adapter.id} was trained with alpha {adapter.alpha:g}; with {alpha:g} it would not be the same adapter"
        )
        found.append(Problem(pointers.get("alpha", "/lora/alpha"), words))
    return found


def _as_adapter(study: StudySpec, adapter: AdapterFacts) -> StudySpec:
    own = {"rank": adapter.rank, "alpha": adapter.alpha, "target_modules": adapter.target_modules}
    asked = study.lora.model_dump(exclude_unset=True)
    return study.model_copy(update={"lora": LoraSpec(**{**own, **asked})})


def _fits(adapter: AdapterFacts, model: ModelFacts | None, problems: list[Problem]) -> AdapterFacts | None:
    """The adapter, None where it is another model's."""
    if model is None or adapter.model == model.ref:
        return adapter
    words = (
        f"{adapter.id} was added for other files of {model.id} than are here now; add it again"
        if adapter.model.id == model.id
        else f"{adapter.id} is an adapter of {adapter.model.id}, not of {model.id}"
    )
    problems.append(Problem("/start_from", words))
    return None


def _targets(study: StudySpec, adapter: AdapterFacts, modules: tuple[str, ...]) -> list[Problem]:
    targets = study.lora.target_modules
    if set(targets or ()) == set(adapter.target_modules) or set(modules) == set(adapter.modules):
        return []
    words = f"{adapter.id} sits on {', '.join(adapter.target_modules[:8])}; leave target_modules out, or name those"
    return [Problem("/lora/target_modules", words)]


def _data(study: StudySpec, dataset: DatasetFacts) -> list[Problem]:
    found = []
    if study.task != dataset.task:
        found.append(Problem("/task", f"the data set {dataset.id} is for {dataset.task}; set task to that"))
    for field, split in (("train_rows", "train"), ("validation_rows", "validation")):
        asked, there = getattr(study, field), dataset.rows[split]
        if asked is not None and asked > there:
            name = "training" if split == "train" else split
            words = f"{dataset.id} has {there:,} {name} rows; ask for that many at most, or leave {field} out for all"
            found.append(Problem(f"/{field}", words))
    held, asked = dataset.rows["validation"], study.test_rows or 0
    if asked and (study.validation_rows or 2) + asked > held:
        words = (
            f"{dataset.id} has {held:,} held-out rows, and validation and test rows are different ones; "
            "ask for fewer of either"
        )
        found.append(Problem("/test_rows", words))
    if study.generation is not None and dataset.task != "causal_lm":
        words = f"a run for {dataset.task} generates no text; leave generation out"
        found.append(Problem("/generation", words))
    if dataset.task == "classification":
        present = sum(1 for count in dataset.label_counts.get("train", ()) if count)
        if present < 2:
            words = f"the training rows of {dataset.id} are all of one class; a classifier needs two at least"
            found.append(Problem("/dataset", words))
    if study.training.label_smoothing and dataset.task == "regression":
        found.append(Problem("/training/label_smoothing", UNSMOOTHED))
    return found


def _stopping(study: StudySpec, dataset: DatasetFacts) -> list[Problem]:
    """What keeps early stopping from ever meaning anything."""
    training, found = study.training, []
    if training.patience is None and training.min_delta > 0:
        words = "min_delta says what patience counts as an improvement; set patience, or leave min_delta out"
        found.append(Problem("/training/min_delta", words))
    if training.keep_by == "score" and training.min_delta >= 1:
        words = "kept by the score, which is 1 at most, no evaluation improves by that much; 0.01 is one point of 100"
        found.append(Problem("/training/min_delta", words))
    return found + _too_patient(study, dataset, training.epochs, "/training/patience")


def _too_patient(study: StudySpec, dataset: DatasetFacts, epochs: float, pointer: str) -> list[Problem]:
    """Whether runs of so many epochs could never stop before their end."""
    training = study.training
    steps = total_steps(study.train_rows or dataset.rows["train"], training.batch_size, epochs)
    looks = len(evaluation_steps(steps, training.evaluations))
    if training.patience is None or training.patience <= looks - 2:
        return []
    longest = f"lower patience to {looks - 2}" if looks > 2 else "leave patience out"
    words = (
        f"a run of {steps:,} steps is evaluated {looks} times, and to stop before its end it needs patience + 2 "
        f"evaluations ({training.patience + 2}) at least; {longest}, or raise training.evaluations"
    )
    return [Problem(pointer, words)]


def trains(study: StudySpec, dataset: DatasetFacts | None, point: Point) -> list[Problem]:
    """What of an arm's own training settings does not go with the study."""
    found, epochs = [], point.values["epochs"]
    if epochs is not None and 0 < epochs <= MOST_EPOCHS and dataset is not None:
        found += _too_patient(study, dataset, epochs, point.pointers["epochs"])
    if point.values["label_smoothing"] and study.task == "regression":
        found.append(Problem(point.pointers["label_smoothing"], UNSMOOTHED))
    return found


def _model(study: StudySpec, model: ModelFacts) -> list[Problem]:
    found = []
    if study.task not in model.tasks:
        can = " and ".join(model.tasks)
        found.append(Problem("/task", f"{model.id} can be trained for {can} here, not for {study.task}"))
    if study.training.max_length > model.context_length:
        words = f"{model.id} reads {model.context_length:,} tokens at most; set max_length to that or less"
        found.append(Problem("/training/max_length", words))
    return found


def _or_none(look: Callable[[], Found], problems: list[Problem]) -> Found | None:
    try:
        return look()
    except InvalidInput as error:
        problems.extend(error.problems)
        return None
