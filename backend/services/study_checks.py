"""What a study stands on, checked against the catalogue: model, data, task, rows, lengths, target modules."""

from collections.abc import Callable
from typing import TypeVar

from backend.shared.catalogue import matching_modules, require_dataset, require_model
from backend.shared.errors import InvalidInput, Problem
from backend.shared.facts import DatasetFacts, ModelFacts
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec

Found = TypeVar("Found")


def surroundings(
    settings: Settings, study: StudySpec
) -> tuple[StudySpec, ModelFacts | None, DatasetFacts | None, list[Problem]]:
    """The study with its task filled in from the data where it was left out, what it names, and every problem."""
    problems: list[Problem] = []
    model = _or_none(lambda: require_model(settings.shared, study.model), problems)
    dataset = _or_none(lambda: require_dataset(settings.shared, study.dataset), problems)
    if dataset is not None:
        if "task" not in study.model_fields_set:
            study = study.model_copy(update={"task": dataset.task})
        problems += _data(study, dataset)
    if model is not None:
        problems += _model(study, model)
        targets = study.lora.target_modules
        _or_none(lambda: matching_modules(model, targets), problems)
    return study, model, dataset, problems


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
