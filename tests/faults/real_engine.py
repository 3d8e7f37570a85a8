"""What the real engine trains in fault tests: a two-layer random BERT and a hundred short rows, prepared once."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from transformer_dropout import preset

from backend.shared.facts import DatasetFacts, ModelFacts
from backend.shared.specs import ArmKeySpec, DatasetRef, TrainingSpec
from tests.worker.data.stored import films, store

TRAIN_ROWS, BATCH_SIZE = 96, 8
STEPS_AN_EPOCH = TRAIN_ROWS // BATCH_SIZE
METHODS = ("none", "hiddenkey")


@dataclass(frozen=True)
class World:
    """The model and the data set, in a folder whose records are copied into each home."""

    folder: Path

    @cached_property
    def _facts(self) -> tuple[ModelFacts, DatasetFacts]:
        from tests.worker.models.tiny import register_tiny, save_tiny  # loads torch, which only these tests need

        model = register_tiny(self.folder, save_tiny(self.folder / "weights", "bert"), "tiny-bert")
        return model, store(self.folder, "films", "classification", films(TRAIN_ROWS, 24))

    def furnish(self, home: Path) -> None:
        """Make the model and the data set known in a home folder."""
        assert self._facts
        for part in ("models", "datasets"):
            shutil.copytree(self.folder / part, home / part, dirs_exist_ok=True)

    def arms(self, epochs: int, evaluations: int, count: int, batch_size: int = BATCH_SIZE) -> list[ArmKeySpec]:
        """Arms without and with dropout in turn; a run takes 12 steps an epoch, some 15 ms each."""
        model, data = self._facts
        settings = TrainingSpec(
            epochs=epochs, batch_size=batch_size, max_length=32, evaluations=evaluations, precision="fp32"
        )
        return [
            ArmKeySpec(
                model=model.ref,
                dataset=DatasetRef(id=data.id, content_hash=data.content_hash),
                task="classification",
                train_rows=TRAIN_ROWS,
                validation_rows=24,
                probe_rows=24,
                method_name=METHODS[i % 2],
                method=preset(METHODS[i % 2]).resolve(model.layers, False).to_dict(),
                rank=4 + 4 * (i // 2),
                alpha=8 + 8 * (i // 2),
                target_modules=model.default_target_modules,
                training=settings,
            )
            for i in range(count)
        ]
