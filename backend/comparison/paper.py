"""What the paper printed for a data set, to be shown beside a study's own numbers and never mixed with them.

Source: arXiv 2403.00812 v2, Tables 1 to 4. Rows that the paper prints inconsistently (HiddenKey− with input or output
dropout, whose scores do not give the printed average) and spreads that could not be read are left out.
"""

from .schema import PaperNumbers, PaperRow

_GLUE = "RoBERTa-large, median of 5 seeds ± standard deviation, dev set, after a search over rates and weights"
_METHODS = {
    "none": "no dropout (the paper's baseline)",
    "hiddencut": "HiddenCut, element",
    "dropkey": "DropKey, column",
    "dropattention": "DropAttention, column",
    "hiddenkey_minus": "HiddenKey−",
    "hiddenkey": "HiddenKey (KL)",
}
_Row = tuple[str, float, float | None]

_TABLES: dict[str, tuple[str, str, str, tuple[_Row, ...]]] = {
    "rte": (
        "Table 1",
        "accuracy, per cent",
        _GLUE,
        (
            ("none", 84.48, 0.98),
            ("hiddencut", 87.00, 1.14),
            ("dropkey", 87.36, 1.70),
            ("dropattention", 85.56, 1.80),
            ("hiddenkey_minus", 87.70, None),
            ("hiddenkey", 88.10, None),
        ),
    ),
    "mrpc": (
        "Table 1",
        "accuracy, per cent",
        _GLUE,
        (
            ("none", 89.95, 0.50),
            ("hiddencut", 90.69, 0.42),
            ("dropkey", 90.93, 0.40),
            ("dropattention", 90.20, 0.71),
            ("hiddenkey_minus", 90.90, 0.72),
            ("hiddenkey", 91.20, 0.90),
        ),
    ),
    "stsb": (
        "Table 1",
        "Pearson correlation, times 100",
        _GLUE,
        (
            ("none", 91.96, 0.48),
            ("hiddencut", 91.94, 0.28),
            ("dropkey", 92.25, 0.13),
            ("dropattention", 92.11, 0.28),
            ("hiddenkey_minus", 92.28, 0.19),
            ("hiddenkey", 92.30, 0.11),
        ),
    ),
    "sst2": (
        "Table 1",
        "accuracy, per cent",
        _GLUE,
        (
            ("none", 95.99, 0.25),
            ("hiddencut", 96.10, 0.42),
            ("dropkey", 96.22, 0.24),
            ("dropattention", 95.87, 0.21),
            ("hiddenkey_minus", 96.22, 0.20),
            ("hiddenkey", 96.44, None),
        ),
    ),
    "cola": (
        "Table 4",
        "Matthews correlation, times 100",
        _GLUE,
        (("none", 67.96, 0.25), ("hiddenkey", 69.91, 0.52)),
    ),
    "qnli": ("Table 4", "accuracy, per cent", _GLUE, (("none", 94.23, 0.17), ("hiddenkey", 95.04, 0.11))),
    "e2e": (
        "Table 2",
        "BLEU",
        "GPT-2 medium, mean of 3 runs ± standard deviation, beam 10",
        (
            ("none", 68.50, 0.90),
            ("hiddencut", 69.22, 0.44),
            ("dropkey", 68.78, 0.75),
            ("hiddenkey_minus", 69.35, 0.48),
            ("hiddenkey", 69.76, 0.51),
        ),
    ),
    "webnlg": (
        "Table 3",
        "BLEU, all categories",
        "GPT-2 medium, mean of 3 runs ± standard deviation, beam 10",
        (
            ("none", 54.78, 0.16),
            ("hiddencut", 55.06, 0.18),
            ("dropkey", 55.22, 0.34),
            ("hiddenkey_minus", 55.26, 0.20),
            ("hiddenkey", 55.27, 0.21),
        ),
    ),
}
_ALIASES = {"sts-b": "stsb", "sst-2": "sst2"}


def numbers(dataset: str) -> PaperNumbers | None:
    """The paper's numbers for a data set by its id (`mrpc`, `glue-mrpc`, `my-mrpc-2` ...); None where it has none."""
    lower = dataset.lower()
    for alias, name in _ALIASES.items():
        lower = lower.replace(alias, name)
    words = {word for part in lower.split("/") for word in part.replace("_", "-").replace(".", "-").split("-")}
    found = next((name for name in _TABLES if name in words), None)
    if found is None:
        return None
    table, metric, setting, rows = _TABLES[found]
    return PaperNumbers(
        source=f"LoRA Meets Dropout under a Unified Framework, arXiv 2403.00812 v2, {table}",
        setting=setting,
        metric=metric,
        rows=[
            PaperRow(method=method, title=_METHODS[method], value=value, spread=spread)
            for method, value, spread in rows
        ],
    )
