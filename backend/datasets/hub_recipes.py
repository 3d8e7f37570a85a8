"""Data sets of the public hub whose columns, splits and usual score are known: GLUE, E2E, WebNLG.

Sources: the GLUE paper (arXiv 1804.07461), table 1, and the data cards of these data sets on the hub.
"""

from dataclasses import dataclass

from backend.shared.specs import Task


@dataclass(frozen=True)
class Recipe:
    """How the files of a hub data set become rows.

    `labels` are the names of numbered classes; `joined` is a column of texts that are put together to one; with
    `grouped`, held-out rows of the same prompt become one row with all its references.
    """

    task: Task
    mapping: dict[str, str]
    metric: str
    config: str | None = None
    validation: str = "validation"
    labels: tuple[str, ...] = ()
    joined: str | None = None
    grouped: bool = False


def _one(column: str) -> dict[str, str]:
    return {"text": column, "label": "label"}


def _two(first: str, second: str) -> dict[str, str]:
    return {"text": first, "text_pair": second, "label": "label"}


_PAIR = _two("sentence1", "sentence2")
_ENTAILS = ("entailment", "not_entailment")
GLUE: dict[str, Recipe] = {
    "cola": Recipe("classification", _one("sentence"), "matthews", "cola", labels=("unacceptable", "acceptable")),
    "sst2": Recipe("classification", _one("sentence"), "accuracy", "sst2", labels=("negative", "positive")),
    "mrpc": Recipe("classification", _PAIR, "accuracy", "mrpc", labels=("not_equivalent", "equivalent")),
    "qqp": Recipe(
        "classification", _two("question1", "question2"), "accuracy", "qqp", labels=("not_duplicate", "duplicate")
    ),
    "stsb": Recipe("regression", _PAIR, "pearson", "stsb"),
    "mnli": Recipe(
        "classification",
        _two("premise", "hypothesis"),
        "accuracy",
        "mnli",
        "validation_matched",
        ("entailment", "neutral", "contradiction"),
    ),
    "qnli": Recipe("classification", _two("question", "sentence"), "accuracy", "qnli", labels=_ENTAILS),
    "rte": Recipe("classification", _PAIR, "accuracy", "rte", labels=_ENTAILS),
    "wnli": Recipe("classification", _PAIR, "accuracy", "wnli", labels=("not_entailment", "entailment")),
}
_GEM = {"completion": "target", "references": "references"}
TEXTS: dict[str, Recipe] = {
    "gem/e2e_nlg": Recipe("causal_lm", {"prompt": "meaning_representation", **_GEM}, "bleu"),
    "gem/web_nlg": Recipe("causal_lm", {"prompt": "input", **_GEM}, "bleu", "en", joined="input"),
    "tuetschek/e2e_nlg": Recipe(
        "causal_lm",
        {"prompt": "meaning_representation", "completion": "human_reference", "references": "references"},
        "bleu",
        grouped=True,
    ),
}
_GLUE_IDS = ("glue", "nyu-mll/glue")


def find(hub_id: str, config: str | None) -> Recipe | None:
    """The recipe of a data set, None where it is not one of these."""
    if hub_id.casefold() in _GLUE_IDS:
        return GLUE.get(config or "")
    return TEXTS.get(hub_id.casefold())


def configs(hub_id: str) -> tuple[str, ...]:
    """The configurations that are known of a data set with several."""
    return tuple(GLUE) if hub_id.casefold() in _GLUE_IDS else ()
