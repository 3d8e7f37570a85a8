"""A run of a fraction of an epoch takes as many steps, over as many rows, as transformers' Trainer takes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments

from backend.shared.schedule import total_steps
from worker.data.order import batches


class Counting(nn.Module):
    """The least model; it remembers how many rows each step had."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.rows: list[int] = []

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        self.rows.append(len(x))
        return {"loss": (self.weight * x - labels).square().mean()}


@pytest.mark.parametrize(
    ("rows", "size", "epochs"), [(10, 4, 0.1), (10, 4, 1.1), (10, 4, 1.5), (12, 4, 2), (12, 4, 2.0001), (7, 8, 2.5)]
)
def test_steps_are_those_of_trainer(tmp_path: Path, rows: int, size: int, epochs: float) -> None:
    model = Counting()
    arguments = TrainingArguments(
        str(tmp_path),
        num_train_epochs=epochs,
        per_device_train_batch_size=size,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    data = [{"x": torch.ones(1), "labels": torch.zeros(1)} for _ in range(rows)]
    trainer = Trainer(model=model, args=arguments, train_dataset=data)  # type: ignore[arg-type]  # a list will do
    trainer.train()
    assert total_steps(rows, size, epochs) == trainer.state.global_step == trainer.state.max_steps
    assert [len(step) for step in batches(rows, 0, size, epochs)] == model.rows
