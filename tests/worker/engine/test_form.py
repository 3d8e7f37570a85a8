"""The seam between loop and arithmetic: the least form, as the docstring shows it, is trained like any other."""

import inspect
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.shared.trainer_protocol import Examples
from tests.worker.engine.test_against_peft import a_place
from tests.worker.engine.tiny_pack import Told, World
from worker.engine import form
from worker.engine.evaluate import Judged
from worker.engine.loop import Group, train
from worker.engine.losses import Tally
from worker.engine.reporter import Reporter


def the_least_form() -> Any:
    """The class in the module's docstring."""
    lines = inspect.getdoc(form)
    assert lines is not None
    names: dict[str, Any] = {"torch": torch, "Tally": Tally, "Judged": Judged}
    exec(textwrap.dedent(lines[lines.index("    class ") :]), names)
    return names["Idle"]


@pytest.mark.parametrize("read_every", [1, 4, 100])
def test_the_least_form_is_trained(bert_world: World, tmp_path: Path, read_every: int) -> None:
    told, place = Told(), a_place(bert_world, tmp_path, "none", evaluations=2)
    place.reporter = Reporter(place.slot.run, told)
    idle = the_least_form()(place.slot)
    idle.read_every = read_every
    group = Group([place], idle, lambda ending: [lambda: ({"seen": 1.0}, Examples()) for _ in ending])
    assert train([group], list, checkpoint_s=3600)
    assert told.losses("run") == [0.7] * place.slot.steps
    assert [event.step for event in told.only("run", "evaluation")] == [3, 6]
    assert [event.step for event in told.only("run", "checkpoint")] == [3, 6]
    assert told.final("run") == {"seen": 1.0}
    assert group.ended
