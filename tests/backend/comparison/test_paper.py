"""The paper's numbers stand beside ours, marked as the paper's, and what it prints inconsistently is left out."""

from dataclasses import replace

import pytest
from transformer_dropout import PRESETS

from backend.comparison import build as comparison
from backend.comparison.paper import _TABLES, numbers
from tests.backend.make_records import Plan, study


def test_known_data_sets_by_id() -> None:
    assert numbers("mrpc") == numbers("glue-mrpc") == numbers("nyu-mll/glue.mrpc")
    assert numbers("sts-b") == numbers("stsb")
    assert numbers("rotten-tomatoes") is None
    assert numbers("sports") is None  # a word that only begins like one


@pytest.mark.parametrize("name", sorted(_TABLES))
def test_rows_name_methods_that_there_are(name: str) -> None:
    found = numbers(name)
    assert found is not None
    assert {row.method for row in found.rows} <= set(PRESETS)
    assert {"none", "hiddenkey"} <= {row.method for row in found.rows}
    assert "arXiv 2403.00812" in found.source


def test_averages_of_table_1_are_those_that_the_paper_prints() -> None:
    """A check of the copy: the printed averages over RTE, MRPC, STS-B and SST-2."""
    printed = {"none": 90.60, "dropkey": 91.69, "dropattention": 90.94, "hiddenkey": 92.01, "hiddencut": 91.43}
    for method, average in printed.items():
        values = [
            row.value for name in ("rte", "mrpc", "stsb", "sst2") for row in numbers(name).rows if row.method == method
        ]
        assert sum(values) / 4 == pytest.approx(average, abs=0.011)


def test_a_comparison_carries_them_apart() -> None:
    records = replace(study([Plan("none"), Plan("hiddenkey")]), dataset="mrpc")
    built = comparison.build(records)
    assert built.paper == numbers("mrpc")
    assert comparison.build(replace(records, dataset="d")).paper is None
