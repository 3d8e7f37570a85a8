"""What is known of each metric: one entry a metric, read by everything that names, ranks or shows one.

An entry added here is in the statistics, words, tables, charts, files, the API and on the page; a recorded one needs a
column of `evaluations` beside it.
"""

from dataclasses import dataclass
from typing import Literal

# A share of rows in per cent, points of 100 with one decimal, or a plain number.
Shown = Literal["share", "points", "plain"]
# Arms are compared and ranked by it (a Holm family of its own); it is in the comparison; it is kept, and no more.
Role = Literal["compared", "in_comparison", "kept"]


@dataclass(frozen=True)
class Derived:
    """How a quantity follows from recorded ones: `of` as it is, or less `minus`, or e to the power of it.

    `task`: the only one in which it means anything, None for all.
    """

    of: str
    minus: str | None = None
    exponential: bool = False
    task: str | None = None


@dataclass(frozen=True)
class Metric:
    """What is known of one metric. Only deterministic ones enter a digest (times and memory do not).

    loss: it is measured in the unit of the task's loss, which is not nats in every task.  short, said: at the head of
    a column and within a sentence, where the title will not do.
    """

    name: str  # <split>/<metric>, or <quantity> where it belongs to no split
    title: str
    unit: str
    higher_is_better: bool | None
    role: Role = "kept"
    shown: Shown = "plain"
    short: str = ""
    said: str = ""
    loss: bool = False
    deterministic: bool = True
    derived: Derived | None = None

    @property
    def short_title(self) -> str:
        """Its name at the head of a column."""
        return self.short or self.title

    @property
    def words(self) -> str:
        """Its name within a sentence."""
        return self.said or self.title[0].lower() + self.title[1:]

    @property
    def lower_is_better(self) -> bool | None:
        """The other way round; None where neither is better."""
        return None if self.higher_is_better is None else not self.higher_is_better

    @property
    def column(self) -> str:
        """Its column in the table `evaluations`."""
        return self.name.replace("/", "_")


def _of_generated_texts(name: str, title: str, higher: bool, said: str = "") -> Metric:
    """A score of 0 to 100 of the texts that are generated at a run's end."""
    long = f"{said[0].upper() + said[1:] if said else title} of texts generated for validation prompts"
    return Metric(f"validation/{name}", long, "points", higher, "compared", "points", title, said or title)


def _of_half(letter: str) -> tuple[Metric, ...]:
    """What is recorded of one of the two fixed halves of the validation rows."""
    split, where = f"validation_{letter}", f"on half {letter.upper()} of the validation rows"
    return (
        Metric(f"{split}/loss", f"Loss {where}", "nats", False, loss=True),
        Metric(f"{split}/accuracy", f"Accuracy {where}", "share", True, shown="share"),
        Metric(f"{split}/macro_f1", f"Macro-F1 {where}", "share", True, shown="share"),
        Metric(f"{split}/matthews", f"Matthews correlation {where}", "", True),
        Metric(f"{split}/pearson", f"Pearson correlation {where}", "", True),
        Metric(f"{split}/spearman", f"Spearman correlation {where}", "", True),
    )


def _stopped(name: str, title: str, unit: str, higher: bool | None, shown: Shown = "plain") -> Metric:
    """What is recorded of the test rows with the adapter of a run's best evaluation."""
    return Metric(f"test_stopped/{name}", f"{title}, stopped in time", unit, higher, shown=shown, loss=name == "loss")


# In the order of the columns of every file; tables and lists follow it.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("validation/loss", "Validation loss", "nats", False, "compared", loss=True),
        Metric("validation/loss_se", "Standard error of the validation loss over its examples", "nats", None),
        Metric(
            "gap",
            "Generalization gap",
            "nats",
            False,
            "compared",
            short="Gap",
            loss=True,
            derived=Derived("validation/loss", minus="probe/loss"),
        ),
        Metric("validation/accuracy", "Validation accuracy", "share", True, "compared", "share", "Accuracy"),
        Metric(
            "validation/macro_f1",
            "Validation macro-F1: F1 of each class, averaged over classes",
            "share",
            True,
            "compared",
            short="Macro-F1",
            said="validation macro-F1",
        ),
        Metric("validation/matthews", "Validation Matthews correlation", "", True, "compared", short="Matthews"),
        Metric("validation/pearson", "Validation Pearson correlation", "", True, "compared", short="Pearson"),
        Metric("validation/spearman", "Validation Spearman correlation", "", True, "compared", short="Spearman"),
        Metric(  # the loss in other words, so nothing that arms are compared by
            "validation/perplexity",
            "Validation perplexity",
            "",
            False,
            "in_comparison",
            short="Perplexity",
            derived=Derived("validation/loss", exponential=True, task="causal_lm"),
        ),
        _of_generated_texts("bleu", "BLEU", True),
        _of_generated_texts("chrf", "chrF", True),
        _of_generated_texts("ter", "TER", False, "translation edit rate"),
        _of_generated_texts("rouge_l", "ROUGE-L", True),
        Metric(
            "test/loss",
            "Test loss, on rows that no choice is made on",
            "nats",
            False,
            "compared",
            short="Test loss",
            said="test loss",
            loss=True,
        ),
        Metric("test/loss_se", "Standard error of the test loss over its examples", "nats", None),
        Metric("test/accuracy", "Test accuracy", "share", True, "compared", "share"),
        Metric("test/macro_f1", "Test macro-F1", "share", True, "compared"),
        Metric("test/matthews", "Test Matthews correlation", "", True, "compared", short="Test Matthews"),
        Metric("test/pearson", "Test Pearson correlation", "", True, "compared", short="Test Pearson"),
        Metric("test/spearman", "Test Spearman correlation", "", True, "compared", short="Test Spearman"),
        _stopped("loss", "Test loss", "nats", False),
        _stopped("loss_se", "Standard error of the test loss over its examples", "nats", None),
        _stopped("accuracy", "Test accuracy", "share", True, "share"),
        _stopped("macro_f1", "Test macro-F1", "share", True, "share"),
        _stopped("matthews", "Test Matthews correlation", "", True),
        _stopped("pearson", "Test Pearson correlation", "", True),
        _stopped("spearman", "Test Spearman correlation", "", True),
        Metric("stopped_step", "Step of the best evaluation on the validation rows", "steps", None),
        *_of_half("a"),
        *_of_half("b"),
        Metric("probe/loss", "Probe loss", "nats", False, "in_comparison", loss=True),
        Metric("probe/accuracy", "Probe accuracy", "share", True, shown="share"),
        Metric("probe/slice_loss_off", "Loss on the probe slice, dropout off", "nats", False, loss=True),
        Metric("probe/slice_loss_on", "Loss on the probe slice, dropout on", "nats", False, loss=True),
        Metric("probe/slice_kl", "Mean KL from dropout on to dropout off on the probe slice", "nats", False),
        Metric(
            "train/loss",
            "Training loss since the evaluation before, dropout on",
            "nats",
            False,
            "in_comparison",
            short="Training loss",
            said="training loss",
            loss=True,
        ),
        Metric("train/tokens", "Training tokens so far", "tokens", None),
        Metric("train/seconds", "Training seconds so far", "s", None, deterministic=False),
        Metric(
            "train_inference_gap",
            "Train/inference gap",
            "nats",
            False,
            "in_comparison",
            loss=True,
            derived=Derived("probe/slice_loss_on", minus="probe/slice_loss_off"),
        ),
        Metric(
            "slice_kl",
            "KL between dropout on and off",
            "nats",
            False,
            "in_comparison",
            said="KL between dropout on and off",
            derived=Derived("probe/slice_kl"),
        ),
    )
}


def recorded() -> tuple[Metric, ...]:
    """What a run writes down at an evaluation, in the order of the files' columns."""
    return tuple(metric for metric in METRICS.values() if metric.derived is None)


def in_comparison() -> tuple[Metric, ...]:
    """What the comparison tells of every arm, the probe first: what is learned, then what is held out."""
    found = [metric for metric in METRICS.values() if metric.role != "kept"]
    return tuple(sorted(found, key=lambda metric: not metric.name.startswith("probe/")))


ALSO = "also/"  # what the values of further data sets begin with: no table can name those


def also_named(dataset_id: str, quantity: str) -> str:
    """The name of a quantity, `loss` or `accuracy`, of a further data set: also/<data set>/<quantity>."""
    return f"{ALSO}{dataset_id}/{quantity}"


def also(name: str) -> Metric | None:
    """What is known of a value by its name; None where it is not one of a further data set."""
    dataset_id, _, quantity = name.removeprefix(ALSO).rpartition("/")
    if not name.startswith(ALSO) or not dataset_id:
        return None
    if quantity == "loss":
        return Metric(name, f"Loss on {dataset_id}", "nats", False, short="Loss", loss=True)
    if quantity == "accuracy":
        return Metric(name, f"Accuracy on {dataset_id}", "share", True, shown="share", short="Accuracy")
    return None
