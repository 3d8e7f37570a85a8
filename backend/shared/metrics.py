"""What is known of each metric: one entry a metric, read by everything that names or shows one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """What is known of one metric. Only deterministic ones enter a digest (times and memory do not)."""

    name: str  # <split>/<metric>
    title: str
    unit: str
    lower_is_better: bool | None
    deterministic: bool = True

    @property
    def column(self) -> str:
        """Its column in the table `evaluations`."""
        return self.name.replace("/", "_")


METRICS: tuple[Metric, ...] = (
    Metric("validation/loss", "Validation loss", "nats", True),
    Metric("validation/loss_se", "Standard error of the validation loss over its examples", "nats", None),
    Metric("validation/accuracy", "Validation accuracy", "share", False),
    Metric("validation/macro_f1", "Validation macro-F1: F1 of each class, averaged over classes", "share", False),
    Metric("validation/matthews", "Validation Matthews correlation", "", False),
    Metric("validation/pearson", "Validation Pearson correlation", "", False),
    Metric("validation/spearman", "Validation Spearman correlation", "", False),
    Metric("validation/bleu", "BLEU of texts generated for validation prompts", "points", False),
    Metric("validation/chrf", "chrF of texts generated for validation prompts", "points", False),
    Metric("validation/ter", "Translation edit rate of texts generated for validation prompts", "points", True),
    Metric("validation/rouge_l", "ROUGE-L of texts generated for validation prompts", "points", False),
    Metric("test/loss", "Test loss, on rows that no choice is made on", "nats", True),
    Metric("test/loss_se", "Standard error of the test loss over its examples", "nats", None),
    Metric("test/accuracy", "Test accuracy", "share", False),
    Metric("test/macro_f1", "Test macro-F1", "share", False),
    Metric("test/matthews", "Test Matthews correlation", "", False),
    Metric("test/pearson", "Test Pearson correlation", "", False),
    Metric("test/spearman", "Test Spearman correlation", "", False),
    Metric("probe/loss", "Probe loss", "nats", True),
    Metric("probe/accuracy", "Probe accuracy", "share", False),
    Metric("probe/slice_loss_off", "Loss on the probe slice, dropout off", "nats", True),
    Metric("probe/slice_loss_on", "Loss on the probe slice, dropout on", "nats", True),
    Metric("probe/slice_kl", "Mean KL from dropout on to dropout off on the probe slice", "nats", True),
    Metric("train/loss", "Training loss since the evaluation before, dropout on", "nats", True),
    Metric("train/tokens", "Training tokens so far", "tokens", None),
    Metric("train/seconds", "Training seconds so far", "s", None, deterministic=False),
)

METRIC_BY_NAME = {metric.name: metric for metric in METRICS}
