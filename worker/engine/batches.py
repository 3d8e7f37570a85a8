"""Batches as the engine uses them: packed tokens, the places whose outputs are judged, and what they are judged by."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.shared.specs import Task
from worker.data.rows import Rows
from worker.engine.packing import Packed, pack

EVALUATION_TOKENS = 1024  # tokens of one evaluation batch: large products that still fit the caches


@dataclass(frozen=True)
class Reading:
    """How a model is read: what is judged, where, and which token fills up."""

    task: Task
    at_last: bool  # a decoder's classifier reads the last token, an encoder's the first
    dummy_id: int


@dataclass(frozen=True)
class Batch:
    """Packed rows with U units to judge (rows, or completion tokens)."""

    packed: Packed
    places: Tensor  # int64 [U]: packed index whose output is judged
    labels: Tensor  # [U]: int64 classes or tokens, fp32 values for regression
    examples: np.ndarray  # [U]: the row each unit belongs to
    set_tokens: int  # real tokens of the set that the batch is part of

    @property
    def tokens(self) -> int:
        """Real tokens."""
        return self.packed.layout.real_tokens


def make_batch(data: Rows, rows: np.ndarray, reading: Reading, set_tokens: int = 0) -> Batch:
    """Pack the named rows of `data`; set_tokens: those of all rows that are kept together, where there are more."""
    packed = pack(data.input_ids, data.token_type_ids, rows, reading.dummy_id)
    layout = packed.layout
    if reading.task != "causal_lm":
        labels = torch.from_numpy(np.asarray(data.labels)[rows])
        labels = labels.float() if reading.task == "regression" else labels.long()
        return Batch(
            packed,
            layout.last if reading.at_last else layout.first,
            labels,
            np.asarray(rows),
            max(set_tokens, layout.real_tokens),
        )
    places, targets, examples = [], [], []
    starts = data.completion_start
    assert starts is not None  # causal rows always say where their completion starts
    for at, row in enumerate(rows):
        start, length = max(1, int(starts[row])), layout.lengths[at]
        first = int(layout.first[at])
        judged = np.arange(start, length) if data.trained is None else _trained(data.trained[int(row)])
        places.append(first + judged - 1)  # token t is predicted at t - 1
        targets.append(np.asarray(data.input_ids[int(row)])[judged])
        examples.append(np.full(len(judged), row))
    return Batch(
        packed,
        torch.from_numpy(np.concatenate(places)).long(),
        torch.from_numpy(np.concatenate(targets)).long(),
        np.concatenate(examples),
        max(set_tokens, layout.real_tokens),
    )


def _trained(marks: np.ndarray) -> np.ndarray:
    """Numbers of the tokens of a row that the loss counts; the first is predicted from nothing."""
    places = np.flatnonzero(marks)
    return places[places > 0]


def evaluation_batches(data: Rows, reading: Reading, rows: np.ndarray | None = None) -> list[Batch]:
    """All rows (or the named ones), sorted by length, in batches of about EVALUATION_TOKENS tokens."""
    chosen = np.arange(len(data.input_ids)) if rows is None else rows
    lengths = np.array([len(data.input_ids[int(r)]) for r in chosen])
    total = int(lengths.sum())
    order = chosen[np.argsort(lengths, kind="stable")]
    batches: list[Batch] = []
    start = tokens = 0
    for at, row in enumerate(order):
        length = len(data.input_ids[int(row)])
        if at > start and tokens + length >= EVALUATION_TOKENS:
            batches.append(make_batch(data, order[start:at], reading, total))
            start, tokens = at, 0
        tokens += length
    batches.append(make_batch(data, order[start:], reading, total))
    return batches
