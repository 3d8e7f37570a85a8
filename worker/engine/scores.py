"""Scores of a task over all examples of a set, from what was predicted and what is right.

Macro-F1 and Matthews' correlation are those of scikit-learn (`f1_score(average="macro", zero_division=0)`,
`matthews_corrcoef`), Pearson's and Spearman's SciPy's own.
"""

import warnings

import numpy as np
import numpy.typing as npt

from backend.shared.specs import Task

Values = npt.NDArray[np.float64] | npt.NDArray[np.int64]


def scores(task: Task, predicted: Values, right: Values) -> dict[str, float]:
    """Scores by name, of N predictions and N right answers; none for causal LM, whose tokens have losses only."""
    if task == "classification":
        table = confusion(predicted, right)
        return {
            "accuracy": float(np.trace(table) / table.sum()),
            "macro_f1": macro_f1(table),
            "matthews": matthews(table),
        }
    if task == "regression":
        return correlations(predicted, right)
    return {}


def confusion(predicted: Values, right: Values) -> npt.NDArray[np.float64]:
    """Counts [C, C] by (right, predicted) class, over the classes that occur on either side."""
    classes, at = np.unique(np.concatenate([right, predicted]), return_inverse=True)
    n = len(classes)
    counts = np.bincount(at[: len(right)] * n + at[len(right) :], minlength=n * n)
    return counts.reshape(n, n).astype(np.float64)


def macro_f1(table: npt.NDArray[np.float64]) -> float:
    """F1 of each class of a confusion table, averaged; a class that is never hit has 0."""
    return float(np.mean(2 * np.diag(table) / (table.sum(0) + table.sum(1))))


def matthews(table: npt.NDArray[np.float64]) -> float:
    """Matthews' correlation of a confusion table, for any number of classes; 0 where one side never varies."""
    hits, total = np.trace(table), table.sum()
    right, predicted = table.sum(1), table.sum(0)
    spread = (total**2 - predicted @ predicted) * (total**2 - right @ right)
    return 0.0 if spread == 0 else float((hits * total - right @ predicted) / np.sqrt(spread))


def correlations(predicted: Values, right: Values) -> dict[str, float]:
    """Pearson's and Spearman's correlation; NaN where one side never varies, as that of a single row."""
    if len(right) < 2:
        return {"pearson": float("nan"), "spearman": float("nan")}
    from scipy import stats  # half a second to import, which other tasks need not wait for

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant side is told by the NaN
        return {
            "pearson": float(stats.pearsonr(predicted, right).statistic),
            "spearman": float(stats.spearmanr(predicted, right).statistic),
        }
