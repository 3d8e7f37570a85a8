"""What a frozen share link shows is the study as it stood, to the last field."""

from dataclasses import fields, replace

import numpy as np

from backend.comparison import build
from backend.comparison.snapshot import dump, load, public
from tests.backend.make_records import Plan, study, with_halves


def test_a_snapshot_holds_all_that_a_comparison_is_made_from() -> None:
    plan = {"metric": "validation/loss", "clock": "last", "smallest": 0.02, "seeds": 3, "looks": [3]}
    records = replace(with_halves(study([Plan(), Plan("hiddenkey")], seeds=3)), draws_rows=False, plan=plan)
    found = load(dump({"name": "x"}, records)).records
    for field in fields(records):
        if field.name != "evaluations":
            assert getattr(found, field.name) == getattr(public(records), field.name), field.name
    assert found.evaluations.metrics.keys() == records.evaluations.metrics.keys()
    for name, values in records.evaluations.metrics.items():
        np.testing.assert_array_equal(found.evaluations.metrics[name], values)
    assert build.build(found).model_dump() == build.build(public(records)).model_dump()
