"""The page of `make studies` reads what the service answers: whole studies, and one that was cut short."""

import json
from dataclasses import replace
from pathlib import Path

from backend.comparison import build
from tests.backend.comparison.test_selection import tuned
from tests.studies.page import write_page

PLAN = {"baseline": "No dropout", "metric": "test/loss", "smallest": 0.02, "seeds": 5, "looks": [5], "clock": "last"}


def test_tables_and_figure_are_written_from_answers(tmp_path: Path) -> None:
    records = tuned()
    plain = next(arm for arm in records.arms if arm.method == "none")
    table = records.evaluations
    halves = {
        f"validation_{half}/{name}": table.metrics[f"validation/{name}"] + apart
        for half, apart in (("a", 0.001), ("b", -0.001))
        for name in ("loss", "accuracy")
    }
    kept = {f"test_stopped/{name}": table.metrics[f"test/{name}"] for name in ("loss", "accuracy")}
    evaluations = replace(table, metrics={**table.metrics, **halves, **kept})
    records = replace(records, evaluations=evaluations, plan={**PLAN, "baseline": plain.label})
    found: dict[str, object] = {"seconds": 60.0}
    for clock in ("last", "stopped"):
        for name, metric in (("loss", "validation/loss"), ("score", "validation/accuracy")):
            made = build.build(records, metric=metric, clock=clock)  # type: ignore[arg-type]
            found[f"{name}_{clock}"] = made.model_dump(mode="json")
    (tmp_path / "sst2.json").write_text(json.dumps(found))
    write_page(tmp_path)
    page, figure = ((tmp_path / name).read_text() for name in ("studies.md", "studies.svg"))
    assert "**SST-2, 256 rows** (60 s)." in page
    assert "Verdicts of the plan: " in page
    assert "stopped in time, chosen by validation loss | test loss" in page
    assert "at the last step, chosen by validation loss | test loss" in page
    assert figure.count("<circle") >= 2
    assert "MRPC" not in page + figure
