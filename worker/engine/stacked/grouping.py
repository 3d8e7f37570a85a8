"""Which runs of a pack are trained in one stack, and in which shape."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.engine.place import Place
from worker.engine.stacked.shape import StackShape


@dataclass(frozen=True)
class Seating:
    """The runs of one stack, and those that wait: numbers among the given places."""

    now: tuple[int, ...]
    later: tuple[tuple[int, ...], ...]
    shape: StackShape
    note: str = ""  # what the runs' logs should say


def seat(places: Sequence[Place], most: int) -> Seating:
    """Choose those that share batches, step and recorded shape with the first, at most `most`.

    A run that goes on from a checkpoint keeps the shape it was trained in, with vacant slots where its mates are gone,
    unless memory does not allow that any more.
    """
    groups: dict[object, list[int]] = {}
    for at, place in enumerate(places):
        recorded = place.slot.progress.stack
        key = (id(place.data), place.step, None if recorded is None else tuple(sorted(recorded.items())))
        groups.setdefault(key, []).append(at)
    first, *others = groups.values()
    now, rest = first[:most], first[most:]
    # Neighbours of one method are handled together.
    now.sort(key=lambda at: (str(places[at].slot.method.to_dict()), at))
    own = StackShape.of([places[at].slot for at in now])
    shape, note = own, ""
    recorded = places[now[0]].slot.progress.stack
    if recorded is not None:
        before = StackShape(**recorded)
        if before.fits(own) and before.slots <= most:
            shape = before
        else:
            note = (
                f"From here on the run is trained in a stack of {own.slots} instead of {before.slots}: "
                "the last digits of its numbers may differ from those of a run in the larger one."
            )
    later = ([rest] if rest else []) + others
    return Seating(tuple(now), tuple(tuple(group) for group in later), shape, note)
