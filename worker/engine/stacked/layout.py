"""A batch on the device as the stack reads it: indices of tokens, length groups, and what is judged."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.packing import Rounding, make_layout
from worker.engine.stacked.to_device import upload

# Few shapes, whose products fill a GPU's tiles; a group is a handful of kernels in every layer.
COARSE = Rounding(tokens=128, length=32, group_cost=40_000, groups=2)


@dataclass(frozen=True)
class LaneGroup:
    """Rows of similar length as attention sees them, [R, L] places, the same in every lane."""

    rows: int
    length: int
    tokens: Tensor  # int64 [R·L]: packed index of each place, a dummy's where there is no token
    real: Tensor  # bool [R, L]
    sizes: Tensor  # int64 [R]: real tokens of each row
    pair_starts: Tensor  # int64 [R]: Σ n² over the rows of the batch before it


@dataclass(frozen=True)
class LaneLayout:
    """Where the tokens of a batch lie in each lane: N packed tokens with dummies, n real ones first, B rows."""

    tokens: int  # N
    real_tokens: int  # n
    pairs: int  # Σ n² over rows
    groups: tuple[LaneGroup, ...]
    to_packed: Tensor  # int64 [N]: index of each token in the groups' places, laid one behind the other
    row_of: Tensor  # int64 [N]: row of each token; of a dummy, the last
    place_of: Tensor  # int64 [N]: place within the row
    sizes: Tensor  # int64 [B]: real tokens of each row
    cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def rows(self) -> int:
        """B, the rows."""
        return int(self.sizes.shape[0])


@dataclass(frozen=True)
class LaneBatch:
    """What every lane reads. U units are judged in each lane."""

    batch: Batch
    layout: LaneLayout
    input_ids: Tensor  # int64 [N]
    token_type_ids: Tensor | None  # int64 [N]
    places: Tensor  # int64 [U]
    labels: Tensor  # [U]: int64, or fp32 for regression


def lane_batch(batch: Batch, device: torch.device, dummy_id: int, rounding: Rounding = COARSE) -> LaneBatch:
    """Bring a batch to the device, laid out in the stack's few shapes."""
    packed = batch.packed
    layout = make_layout(packed.layout.lengths, rounding)
    real = layout.real_tokens
    lengths = np.array(layout.lengths, dtype=np.int64)
    squares = np.concatenate(([0], np.cumsum(lengths * lengths)[:-1]))
    row_of = np.full(layout.tokens, len(lengths) - 1, dtype=np.int64)
    row_of[:real] = np.repeat(np.arange(len(lengths)), lengths)
    fixed = [layout.to_packed, layout.positions, batch.places]
    arrays = [
        *(tensor.numpy() for tensor in fixed),
        row_of,
        lengths,
        _extended(packed.input_ids, real, layout.tokens, dummy_id),
    ]
    types = packed.token_type_ids
    if types is not None:
        arrays.append(_extended(types, real, layout.tokens, 0))
    whole_labels = not batch.labels.is_floating_point()
    if whole_labels:
        arrays.append(batch.labels.numpy())
    for group in layout.groups:
        rows = np.array(group.rows)
        places = layout.to_padded.numpy()[group.start : group.stop]
        arrays += [places, group.visible.numpy()[:, 0, 0, :].astype(np.int64), lengths[rows], squares[rows]]
    found = upload(arrays, device)
    to_packed, place_of, places_, rows_, sizes, ids = found[:6]
    rest = found[6:]
    segments = rest.pop(0) if types is not None else None
    labels = rest.pop(0) if whole_labels else upload([batch.labels.numpy().astype(np.float64)], device)[0].float()
    groups = tuple(
        LaneGroup(len(group.rows), group.length, rest[4 * at], rest[4 * at + 1].bool(), *rest[4 * at + 2 : 4 * at + 4])
        for at, group in enumerate(layout.groups)
    )
    about = LaneLayout(layout.tokens, real, int((lengths * lengths).sum()), groups, to_packed, rows_, place_of, sizes)
    return LaneBatch(batch, about, ids, segments, places_, labels)


def _extended(ids: Tensor, real: int, size: int, filler: int) -> np.ndarray:
    longer = np.full(size, filler, dtype=np.int64)
    longer[:real] = ids.numpy()[0, :real]
    return longer
