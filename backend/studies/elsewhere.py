"""The further data sets that a study's runs are measured on, checked: which rows of them, and why one cannot be."""

from pathlib import Path

from backend.shared.catalogue import require_dataset
from backend.shared.errors import InvalidInput, Problem
from backend.shared.facts import DatasetFacts
from backend.shared.specs import AlsoSpec, StudySpec

MOST_NAMES = 10  # classes that a sentence lists


def resolved(
    home: Path, study: StudySpec, dataset: DatasetFacts | None
) -> tuple[tuple[AlsoSpec, ...], list[Problem], list[Problem]]:
    """What a study asks to be measured on, all that stands in the way, and what should be known first."""
    found: list[AlsoSpec] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for i, named in enumerate(study.also_measure):
        at = f"/also_measure/{i}"
        try:
            other = require_dataset(home, named, at)
        except InvalidInput as error:
            problems.extend(error.problems)
            continue
        words = _refused(study, dataset, other, [also.dataset.id for also in found])
        if words is not None:
            problems.append(Problem(at, words))
            continue
        split = "validation" if other.rows["validation"] else "train"
        there = other.rows[split]
        if split == "train":
            warnings.append(Problem(at, f"{other.id} has no validation rows, so its training rows are measured"))
        if there < study.also_rows and "also_rows" in study.model_fields_set:
            words = f"{other.id} has {there:,} {split} rows, and all of them are measured"
            warnings.append(Problem(at, words))
        rows = min(study.also_rows, there)
        found.append(AlsoSpec(dataset=other.ref, task=other.task, split=split, rows=rows))
    return tuple(found), problems, warnings


def _refused(study: StudySpec, own: DatasetFacts | None, other: DatasetFacts, before: list[str]) -> str | None:
    """Why runs of the study cannot be measured on a data set; None where they can be."""
    if own is not None and other.id == own.id:
        return f"{other.id} is the study's own data set, whose validation rows are measured anyway; leave it out"
    if other.id in before:
        return f"{other.id} is named twice; name each data set once"
    if study.task == "causal_lm":
        return None
    if other.task != study.task:
        return (
            f"{other.id} is for {other.task}, and runs for {study.task} can be measured on data sets for {study.task} "
            "only"
        )
    if own is not None and sorted(other.label_names) != sorted(own.label_names):
        return (
            f"a classifier answers with the classes it has learned: those of {own.id} are {_listed(own)}, those of "
            f"{other.id} are {_listed(other)}; name a data set whose classes are called the same"
        )
    return None


def _listed(dataset: DatasetFacts) -> str:
    names = dataset.label_names
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
