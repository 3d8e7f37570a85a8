"""What the hooks in the base model read during one pass of all lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.engine.stacked.drops import StackDrops
    from worker.engine.stacked.layout import LaneLayout
    from worker.engine.stacked.lora import LaneAdapters


@dataclass
class StackStage:
    """Set by the host before a pass; one base model has one stage."""

    layout: LaneLayout | None = None
    adapters: Sequence[LaneAdapters] | None = None
    drops: StackDrops | None = None  # None: evaluation
