"""Series of numbers: fewer points of a long one, none of its peaks lost, and what a number is that is not finite."""

import math
from collections.abc import Sequence


def keep(values: Sequence[float], points: int) -> list[int]:
    """Indices to keep, ascending, about `points` of them: first and last, each bucket's smallest and largest.

    `values` may hold NaN and infinities: the first of each bucket is kept as well, so that a break stays a break.
    """
    count = len(values)
    if count <= points:
        return list(range(count))
    buckets = max(1, (points - 2) // 2)
    kept = {0, count - 1}
    for bucket in range(buckets):
        span = range(bucket * count // buckets, (bucket + 1) * count // buckets)
        finite = [i for i in span if math.isfinite(values[i])]
        if finite:
            kept.add(min(finite, key=values.__getitem__))
            kept.add(max(finite, key=values.__getitem__))
        if len(finite) < len(span):
            kept.add(next(i for i in span if not math.isfinite(values[i])))
    return sorted(kept)


def kind_of(value: float) -> str | None:
    """'nan', 'inf' or '-inf'; None for an ordinary number."""
    if math.isfinite(value):
        return None
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
