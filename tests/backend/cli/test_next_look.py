"""Where `dropscope study extend` goes when nobody says how many seeds: to the plan's next look, never past the last."""

import pytest

from backend.cli.commands.study import next_look
from backend.shared.errors import InvalidInput


def test_it_is_the_plans() -> None:
    """The seeds of the next look."""
    assert next_look({"plan": {"next_look": 12, "seeds": 20}}) == 12


@pytest.mark.parametrize(
    ("plan", "words"),
    [(None, "no plan that says how many seeds are next"), ({"next_look": None, "seeds": 8}, "the last one at 8 seeds")],
)
def test_without_one_the_number_is_asked_for(plan: dict[str, object] | None, words: str) -> None:
    """A study without a plan, and one whose looks are all drawn."""
    with pytest.raises(InvalidInput, match=words):
        next_look({"plan": plan})
