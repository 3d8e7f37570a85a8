"""By which metrics a study of a task can be judged, and which difference in each is the smallest that matters."""

from backend.shared.metrics import METRICS
from backend.shared.specs import StudySpec, Task

_SCORES: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "macro_f1", "matthews"),
    "regression": ("pearson", "spearman"),
    "causal_lm": (),
}
OF_TEXTS = ("bleu", "chrf", "ter", "rouge_l")

# A loss of 0.02 nats: the right answer is 2 % less likely in the geometric mean. A point of accuracy: 5 rows of 512.
# Why these: docs/decisions/0011-plans-and-looks.md.
_SMALLEST = {"loss": 0.02, "accuracy": 0.01, "macro_f1": 0.01, "matthews": 0.02, "pearson": 0.01, "spearman": 0.01}
_OF_TEXTS_SMALLEST = 1.0


def offered(study: StudySpec) -> list[str]:
    """What a plan of this study may name, the one that it has where it names none first."""
    first = ("pearson", "loss", "spearman") if study.task == "regression" else ("loss", *_SCORES[study.task])
    splits = ("test", "validation") if study.test_rows else ("validation",)
    found = [f"{split}/{name}" for split in splits for name in first]
    if study.task == "causal_lm" and (study.generation is None or study.generation.rows):
        found += [f"validation/{name}" for name in OF_TEXTS]
    return [name for name in found if name in METRICS]


def smallest(metric: str, task: Task) -> float | None:
    """The smallest difference that matters unless a plan says another; None for a squared error, whose unit is the
    labels'.
    """
    name = metric.partition("/")[2]
    if name in OF_TEXTS:
        return _OF_TEXTS_SMALLEST
    return None if (task, name) == ("regression", "loss") else _SMALLEST[name]
