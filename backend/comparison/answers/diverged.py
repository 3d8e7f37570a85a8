"""Runs whose loss was no number any more: a result of their arm, not an accident."""

from collections.abc import Sequence

from backend.comparison import schema
from backend.comparison.words import capital, several

from .card import spoken


def diverged_sentence(arms: Sequence[schema.ArmComparison]) -> str:
    """Say which arms diverged in how many of their seeds, "" where none did; begins with a space."""
    some = [arm for arm in arms if arm.counts.diverged]
    if not some:
        return ""
    told = [f"{spoken(arm)} in {arm.counts.diverged} of {several(arm.counts.total, 'seed')}" for arm in some[:3]]
    more = f"; {several(len(some) - 3, 'more arm')}" if len(some) > 3 else ""
    return f" {capital('; '.join(told))}{more} diverged: that is a result, too, and such an arm is never called better."
