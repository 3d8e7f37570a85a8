"""How numbers and verdicts are put into words, and the methods section of a report."""

from dataclasses import replace

import pytest

from backend.comparison import build as comparison
from backend.comparison.statistics.records import ArmRecord
from backend.comparison.words import amount, decimals, p_value, plain, plus_minus, several, times
from backend.reports.methods_text import methods_text
from backend.shared.specs import ArmKeySpec, DatasetRef, ModelRef, TrainingSpec
from tests.backend.make_records import HIDDENKEY, NONE, Plan, study, with_run


@pytest.mark.parametrize(
    ("scale", "places"), [(0.0613, 2), (0.0132, 3), (0.012, 3), (0.2, 2), (3.0, 2), (0.0004, 4), (0.0, 2), (None, 2)]
)
def test_digits_follow_the_uncertainty(scale: float | None, places: int) -> None:
    assert decimals(scale) == places


def test_numbers() -> None:
    assert amount(-0.2134, 0.0613, "gap") == "0.21 ± 0.06"
    assert amount(0.0123, 0.004, "validation/accuracy") == "1.2 ± 0.4 percentage points"
    assert plain(-0.0001, 0.05) == "0.00"
    assert plain(-1.25, 0.013) == "−1.250"
    assert (plus_minus(0.5724, 0.031), plus_minus(0.5724, 0.031, 3)) == ("0.57 ± 0.03", "0.572 ± 0.031")
    assert (plus_minus(0.25, None, sign=True), plus_minus(-0.25, 0.1, 1, sign=True)) == ("+0.250", "−0.2 ± 0.1")
    assert (plus_minus(-0.0001, None, 3), plus_minus(-0.0001, None, 3, sign=True)) == ("−0.000", "0.000")
    assert (plus_minus(None, None), p_value(0.254, 3), p_value(0.0004, 3)) == ("–", "p = 0.254", "p < 0.001")
    assert (p_value(0.0004), p_value(0.0123), p_value(0.25), p_value(None)) == (
        "p < 0.001",
        "p = 0.012",
        "p = 0.25",
        "p not known",
    )
    assert (times(1.04), times(12.0), several(1, "seed"), several(1200, "arm")) == (
        "1.0×",
        "12×",
        "1 seed",
        "1,200 arms",
    )


def test_a_verdict_tells_correction_from_luck() -> None:
    """The same two seeds: clear taken alone, not so among many arms."""
    built = comparison.build(study([Plan("none"), Plan("dropkey", rise=0.2), Plan("hiddenkey", rise=0.0)], seeds=5))
    said = built.arms[2].differences["gap"].meaning
    assert "clear of seed noise after correcting for 2 arms (p < 0.001)" in said
    assert "n = 5 is too small for the sign-flip test: its smallest reachable p is 0.0625." in said
    enough = comparison.build(study([Plan("none"), Plan("hiddenkey", rise=0.0)], seeds=8))
    assert "too small" not in enough.arms[1].differences["gap"].meaning


def arm(position: int, label: str, method: str, dropout: dict[str, object], rank: int) -> ArmRecord:
    spec = ArmKeySpec(
        model=ModelRef(id="minilm-l6", revision="abc"),
        dataset=DatasetRef(id="rotten-tomatoes", content_hash="f" * 64),
        task="classification",
        train_rows=256,
        validation_rows=512,
        probe_rows=256,
        method=dropout,
        rank=rank,
        alpha=2.0 * rank,
        target_modules=("query", "value"),
        training=TrainingSpec(),
    ).model_dump(mode="json")
    return ArmRecord.from_spec(
        id=f"arm-{position}", key=str(position), label=label, method=method, position=position, spec=spec
    )


def test_the_methods_section_states_the_exact_set_up() -> None:
    records = replace(
        study([Plan("none"), Plan("hiddenkey", rise=0.1)]),
        arms=(arm(0, "No dropout", "none", NONE, 8), arm(1, "<b>*mine*</b>", "hiddenkey", HIDDENKEY, 32)),
    )
    records = with_run(records, 3, status="failed", failure_code="loss_nan")
    text = methods_text(records, comparison.build(records))
    for fact in (
        "rank 8 and 32 and alpha 16 and 64 on query and value",
        "minilm-l6 (revision abc)",
        "rotten-tomatoes (content ffffffffffffffff)",
        "256 training rows",
        "512 validation rows",
        "learning rate 0.002",
        "weight decay 0.1",
        "8 epochs",
        "2 arms were trained with 5 seeds each",
    ):
        assert fact in text.setup
    assert "Each run drew 256 training rows by its seed" in text.setup
    shared = methods_text(replace(records, draws_rows=False), comparison.build(records)).setup
    assert "All seeds trained on the same 256 rows" in shared
    assert "a seed fixes probe, data order" in shared
    assert "10 % of the keys" in text.methods[1].sentence
    assert "baseline (No dropout)" in text.statistics
    assert "1 run that did not end well" in text.statistics
    markdown = text.markdown()
    assert "<b>" not in markdown
    assert "\\*mine\\*" in markdown
    assert "### Statistics" in markdown
