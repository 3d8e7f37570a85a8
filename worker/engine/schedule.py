"""When a run evaluates, and how far it is."""

from backend.shared.specs import TrainingSpec


def evaluation_steps(total: int, evaluations: int) -> frozenset[int]:
    """Steps after which to evaluate: evenly spaced, the last one at the end; fewer where there are fewer steps."""
    return frozenset(max(1, round(total * k / evaluations)) for k in range(1, evaluations + 1))


def epoch_of(step: int, rows: int, training: TrainingSpec) -> float:
    """Passes over the training rows after `step` steps."""
    return step / max(1, -(-rows // training.batch_size))
