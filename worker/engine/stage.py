"""What the hooks in the base model read during one forward pass: whose adapter, which layout, what is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.engine.drops import Drops
    from worker.engine.lora import Adapter
    from worker.engine.packing import Layout


@dataclass
class Stage:
    """Set by the host before a pass; one base model has one stage."""

    layout: Layout | None = None
    adapters: Sequence[Adapter | None] | None = None
    drops: Drops | None = None  # None: evaluation
