"""The consistency losses as data: which passes each one runs, what is detached, and what it costs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConsistencyKind:
    """One consistency loss.

    `passes`: forward passes a step; `second_clean`: the second one runs with dropout off; `second_detached`: it runs
    without gradient; `task_on_both`: how the task loss uses the passes ('first', 'mean' or 'sum'); `cost_factor`: step
    cost over the same method without the loss, counted in FLOPs of a LoRA step (forward 1, backward 1).
    """

    name: str
    title: str
    sentence: str
    formula: str
    passes: int
    second_clean: bool
    second_detached: bool
    task_on_both: str
    cost_factor: float
    source: str


_R_DROP = "R-Drop, arXiv 2106.14448"
_PAPER = "arXiv 2403.00812"

CONSISTENCY: dict[str, ConsistencyKind] = {
    kind.name: kind
    for kind in (
        ConsistencyKind("none", "none", "", "", 1, False, False, "first", 1.0, ""),
        ConsistencyKind(
            "kl",
            "KL, one branch",
            "a symmetric KL loss towards a second dropped pass that gets no gradient",
            "½[KL(P₁‖sg P₂) + KL(sg P₂‖P₁)]",
            2,
            False,
            True,
            "first",
            1.5,
            f"HiddenKey, {_PAPER} Eq. 11",
        ),
        ConsistencyKind(
            "kl_both",
            "KL, both branches",
            "a symmetric KL loss between two dropped passes, both trained",
            "½[KL(P₁‖P₂) + KL(P₂‖P₁)]",
            2,
            False,
            False,
            "mean",
            2.0,
            _R_DROP,
        ),
        ConsistencyKind(
            "js_paper",
            "KL to the clean pass",
            "a KL loss towards the output with dropout off (what the paper calls JS)",
            "KL(P₁‖sg P̄)",
            2,
            True,
            True,
            "first",
            1.5,
            f"{_PAPER} Eq. 12",
        ),
        ConsistencyKind(
            "js",
            "Jensen-Shannon",
            "a Jensen-Shannon loss between two dropped passes, both trained",
            "½[KL(P₁‖M) + KL(P₂‖M)], M = ½(P₁ + P₂)",
            2,
            False,
            False,
            "mean",
            2.0,
            "the textbook divergence",
        ),
        ConsistencyKind(
            "js_hiddencut",
            "HiddenCut's JS",
            "HiddenCut's own loss towards a clean pass that is trained as well",
            "½[KL(M‖P₁) + KL(M‖P̄)], M = ½(P₁ + P̄)",
            2,
            True,
            False,
            "sum",
            2.0,
            "HiddenCut's code, ACL 2021",
        ),
    )
}

CONSISTENCY_KINDS = tuple(CONSISTENCY)
