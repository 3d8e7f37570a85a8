"""AdamW for all slots of a stack in one go: [K, P] with each slot's own rate, decay, clipping and schedule.

The arithmetic is that of `worker.engine.optimizer.AdamW`; numbers of the step come from the host in one small copy.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from worker.engine.optimizer import BETAS, EPSILON, AdamW
from worker.engine.stacked.to_device import upload


class StackAdamW:
    """State and update of K slots over values [K, P], of which the first `decayed` columns decay.

    norm [K, 1]: of the last gradients, before clipping; None before the first.
    """

    def __init__(self, values: Tensor, decayed: int) -> None:
        self.values, self.decayed = values, decayed
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)
        self.norm: Tensor | None = None

    def update(self, grad: Tensor, slots: Sequence[AdamW | None], step: int) -> None:
        """Take update number `step` (from 0) along `grad` [K, P], which is scaled in place; None: a vacant slot.

        slots: whose rate, decay and clipping apply. A slot whose gradient is not finite stays as it is.
        """
        table = np.array([_numbers(slot, step) for slot in slots], dtype=np.float64)
        numbers = upload([table], self.values.device)[0].float()
        decay, clip, active, size, root = (numbers[:, at : at + 1] for at in range(5))
        norm = self.norm = torch.linalg.vector_norm(grad, dim=1, keepdim=True)
        moves = torch.isfinite(norm) & (active > 0)
        grad.mul_(torch.where(norm > clip, clip / (norm + 1e-6), 1.0))
        mean = torch.lerp(self.mean, grad, 1.0 - BETAS[0])
        square = (self.square * BETAS[1]).addcmul_(grad, grad, value=1.0 - BETAS[1])
        values = self.values.clone()
        values[:, : self.decayed].mul_(decay)
        values.sub_(mean / (square.sqrt() * root + EPSILON) * size)
        for old, new in ((self.mean, mean), (self.square, square), (self.values, values)):
            old.copy_(torch.where(moves, new, old))


def _numbers(slot: AdamW | None, step: int) -> tuple[float, ...]:
    """Factor of the decay, clipping norm, whether it moves, step size, and the root's factor."""
    if slot is None:
        return 1.0, 1.0, 0.0, 0.0, 1.0
    rate = slot.schedule.rate(step)
    correction1 = 1.0 - BETAS[0] ** (step + 1)
    correction2 = 1.0 - BETAS[1] ** (step + 1)
    return 1.0 - rate * slot.weight_decay, slot.clip, 1.0, rate / correction1, 1.0 / math.sqrt(correction2)
