"""One answer, and how its sentences name arms."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from backend.comparison import schema
from backend.comparison.words import several

LONGEST_NAME = 60
LISTED = 3  # names, then how many more
WAITING = "Not known yet"
EARLY = "Too early to tell"
Key = Literal["use", "overfits", "gap", "loss"]
State = Literal["holds", "undecided", "waiting", "plain"]
_QUESTIONS: dict[Key, tuple[str, str]] = {
    "use": ("What should I do?", "ranking"),
    "overfits": ("Does it overfit?", "losses"),
    "gap": ("Which has the smallest gap?", "gap"),
    "loss": ("Which has the lowest loss?", "ranking"),
}


def card(
    key: Key, headline: str, text: str, state: State, arm: schema.ArmComparison | None, advice: str | None = None
) -> schema.Answer:
    """Return an answer with its question and the chart that shows it."""
    question, figure = _QUESTIONS[key]
    return schema.Answer(
        id=key,
        question=question,
        headline=headline,
        advice=advice,
        text=text,
        state=state,
        arm_id=None if arm is None else arm.id,
        figure=figure,
    )


def spoken(arm: schema.ArmComparison) -> str:
    """Write an arm's name inside a sentence: "no dropout", but "HiddenKey"."""
    name = arm.name if len(arm.name) <= LONGEST_NAME else arm.name[: LONGEST_NAME - 1] + "…"
    by_method = arm.name == arm.method_title or arm.name.startswith(f"{arm.method_title} ")
    if by_method and arm.name.split(" ", 1)[0][1:].islower():
        name = name[0].lower() + name[1:]
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in name):
        return f"\u2068{name}\u2069"  # isolated, so that it does not turn the sentence around
    return name


def listed(arms: Sequence[schema.ArmComparison]) -> str:
    """Write names in a sentence: "DropKey, HiddenCut and HiddenKey"; more than three are counted."""
    names = [spoken(arm) for arm in arms[:LISTED]]
    if len(arms) > LISTED:
        return ", ".join(names) + f" and {several(len(arms) - LISTED, 'other')}"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def either(arms: Sequence[schema.ArmComparison]) -> str:
    """Write a choice in a sentence: "HiddenKey or DropKey"; more than three are counted."""
    names = [spoken(arm) for arm in arms[:LISTED]]
    if len(arms) > LISTED:
        return ", ".join(names) + f" or {several(len(arms) - LISTED, 'other')}"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def pending(arms: Sequence[schema.ArmComparison]) -> bool:
    """Whether runs of these arms are still to end."""
    return any(arm.counts.queued + arm.counts.running > 0 for arm in arms)
