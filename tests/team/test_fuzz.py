"""A slice of the fuzzing in every run of CI; `make fuzz` does the rest."""

import io

import pytest

from tests.team import fuzz


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_thousand_odd_requests_get_no_odd_answer() -> None:
    said = io.StringIO()
    assert fuzz.main(2000, seed=7, out=said) == 0, said.getvalue()
