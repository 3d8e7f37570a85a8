"""Tokenised rows, as the engine trains on them, and the flat form they are stored in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Rows:
    """N rows, none padded. Token ids are int32 views of one store: read, never write.

    `labels` is (N,): int64 classes, float32 values, or zeros for causal LM, where `completion_start` (N,) says at
    which token of a row the completion begins; the loss counts tokens from there on. Of conversations `trained` says
    token by token what the loss counts, `completion_start` where the last answer begins and `answers` (N,) which turn
    that is. `lines` (N,) are the numbers of the rows in their split's file, from 0.
    """

    input_ids: list[Ids]
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    token_type_ids: list[Ids] | None = None
    completion_start: npt.NDArray[np.int64] | None = None
    lines: npt.NDArray[np.int64] | None = None
    trained: list[npt.NDArray[np.bool_]] | None = None
    answers: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(N,) tokens in each row."""
        return np.fromiter((len(ids) for ids in self.input_ids), dtype=np.int64, count=len(self))

    def take(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> "Rows":
        """The rows at these places, in this order."""
        return Rows(
            input_ids=[self.input_ids[i] for i in indices],
            labels=self.labels[indices],
            token_type_ids=None if self.token_type_ids is None else [self.token_type_ids[i] for i in indices],
            completion_start=None if self.completion_start is None else self.completion_start[indices],
            lines=None if self.lines is None else self.lines[indices],
            trained=None if self.trained is None else [self.trained[i] for i in indices],
            answers=None if self.answers is None else self.answers[indices],
        )


@dataclass(frozen=True)
class FlatRows:
    """All rows of a split as flat arrays: row i is `ids[offsets[i]:offsets[i + 1]]`."""

    ids: Ids
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    types: Ids | None = None
    completion_start: npt.NDArray[np.int64] | None = None
    lines: npt.NDArray[np.int64] | None = None
    trained: npt.NDArray[np.bool_] | None = None
    answers: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: npt.NDArray[np.int64]) -> Rows:
        """The rows at these places, in this order."""

        def cut(flat: Any) -> list[Any]:
            return [flat[self.offsets[i] : self.offsets[i + 1]] for i in indices]

        return Rows(
            input_ids=cut(self.ids),
            labels=self.labels[indices],
            token_type_ids=None if self.types is None else cut(self.types),
            completion_start=None if self.completion_start is None else self.completion_start[indices],
            lines=None if self.lines is None else self.lines[indices],
            trained=None if self.trained is None else cut(self.trained),
            answers=None if self.answers is None else self.answers[indices],
        )
