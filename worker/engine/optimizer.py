"""AdamW for one slot over one flat vector, with its own clipping, weight decay and schedule.

Decoupled weight decay as in arXiv 1711.05101 and torch.optim.AdamW; the learning rate is that of the step about to be
taken, counted from 0.
"""

import math

import torch
from torch import Tensor

from backend.shared.schedule import Schedule

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class AdamW:
    """State and update of one slot. Values [n] are fp32; the first `decayed` of them decay.

    norm: of the last gradient, before clipping; None before the first.
    """

    def __init__(self, values: Tensor, decayed: int, weight_decay: float, clip: float, schedule: Schedule) -> None:
        self.values = values
        self.mean = torch.zeros_like(values)
        self.square = torch.zeros_like(values)
        self.decayed, self.weight_decay, self.clip, self.schedule = decayed, weight_decay, clip, schedule
        self.norm: float | None = None
        self._buffer = torch.empty_like(values)

    def update(self, grad: Tensor, step: int) -> None:
        """Take update number `step` (from 0) along `grad` [n], which is scaled in place to the clipping norm.

        A gradient that is not finite leaves values and state as they are.
        """
        norm = self.norm = float(torch.linalg.vector_norm(grad))
        if not math.isfinite(norm):
            return
        if norm > self.clip:
            grad.mul_(self.clip / (norm + 1e-6))
        rate = self.schedule.rate(step)
        if self.weight_decay:
            self.values[: self.decayed].mul_(1.0 - rate * self.weight_decay)
        beta1, beta2 = BETAS
        self.mean.lerp_(grad, 1.0 - beta1)
        self.square.mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
        correction1 = 1.0 - beta1 ** (step + 1)
        correction2 = 1.0 - beta2 ** (step + 1)
        torch.sqrt(self.square, out=self._buffer)
        self._buffer.mul_(1.0 / math.sqrt(correction2)).add_(EPSILON)
        self.values.addcdiv_(self.mean, self._buffer, value=-rate / correction1)
