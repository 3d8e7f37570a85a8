"""The work of a run, in tokens that are trained: what training, evaluations and the end of a run cost beside a step."""

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from transformer_dropout.spec import CONSISTENCY

from backend.shared.catalogue import dataset_folder
from backend.shared.schedule import evaluation_steps, total_steps
from backend.shared.specs import ArmKeySpec

SAMPLED_ROWS = 200
CHARACTERS_PER_TOKEN = 4.2  # English text in WordPiece and BPE vocabularies
SPECIAL_TOKENS = 2
FORWARD = 0.5  # of a training step's cost: frozen weights need a way forward and back, and no gradients of their own
FP32 = 2.0  # times the cost of the same pass in the run's own precision
ONE_BY_ONE = 3.0  # times a pass over the same tokens: a generated token waits for the one before it


@dataclass
class Lengths:
    """Tokens a row of stored data sets, from their first rows; each file is read once."""

    home: Path
    _known: dict[tuple[str, str, int], float | None] = field(default_factory=dict)

    def of(self, dataset_id: str, split: str, max_length: int) -> float | None:
        """Tokens of an average row, cut to max_length; None where the set is not there (any more)."""
        key = (dataset_id, split, max_length)
        if key not in self._known:
            self._known[key] = self._read(*key)
        return self._known[key]

    def _read(self, dataset_id: str, split: str, max_length: int) -> float | None:
        try:
            with (dataset_folder(self.home, dataset_id) / f"{split}.jsonl").open("rb") as lines:
                sizes = [
                    min(len(line) / CHARACTERS_PER_TOKEN + SPECIAL_TOKENS, max_length)
                    for line in islice(lines, SAMPLED_ROWS)
                ]
        except OSError:
            return None
        return sum(sizes) / len(sizes) if sizes else float(max_length)


@dataclass(frozen=True)
class Work:
    """Tokens of one run, each weighed by what it costs beside a trained one.

    per_row: tokens of an average training row.  elsewhere: on further data sets.
    """

    trained: float
    judged: float
    elsewhere: float
    per_row: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.trained + self.judged + self.elsewhere


def work_of(spec: ArmKeySpec, lengths: Lengths) -> Work | None:
    """Return the work of a run of this arm; None where its data set is not there (any more)."""
    training = spec.training
    per_row = lengths.of(spec.dataset.id, "train", training.max_length)
    if per_row is None:
        return None
    steps = total_steps(spec.train_rows, training.batch_size, training.epochs)
    looks = len(evaluation_steps(steps, training.evaluations))
    kind = str((spec.method.get("consistency") or {}).get("kind", "none"))
    trained = spec.train_rows * training.epochs * per_row * CONSISTENCY[kind].cost_factor
    rows: float = looks * (spec.validation_rows + spec.probe_rows + min(training.dropout_on_rows, spec.probe_rows))
    rows += spec.test_rows * (2 if training.keep != "last" else 1)
    rows += spec.validation_rows * FP32 if training.fp32_loss else 0
    generated = 0.0
    if spec.generation is not None:
        generated = spec.generation.rows * spec.generation.max_new_tokens * spec.generation.beams * ONE_BY_ONE
    one_look = sum(
        also.rows * (lengths.of(also.dataset.id, also.split, training.max_length) or per_row)
        for also in spec.also_measure
    )
    elsewhere = (looks + 1) * one_look * FORWARD  # and one look before the first step
    return Work(trained, (rows * per_row + generated) * FORWARD, elsewhere, per_row)
