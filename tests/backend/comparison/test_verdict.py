"""The verdict of a study: one sentence that says what to do, and lines that say why, how sure, and at what cost."""

from dataclasses import replace

import numpy as np
import pytest

from backend.comparison import build as comparison
from backend.comparison import snapshot
from backend.comparison.schema import StudyVerdict
from backend.comparison.statistics.records import StudyRecords
from tests.backend.comparison.test_answers import by, ended, wide
from tests.backend.make_records import DEMO, Plan, study, with_halves, with_run


def verdict(records: StudyRecords) -> StudyVerdict:
    return comparison.build(records).verdict


def line(found: StudyVerdict, about: str) -> str:
    return next((one.text for one in found.lines if one.about == about), "")


def sure(records: StudyRecords, error: dict[str, float], scaled: dict[str, float]) -> StudyRecords:
    """The study with what ledgers would say: errors and losses after one temperature by arm, a little apart by seed."""
    rng = np.random.default_rng(3)
    told = {}
    for run in records.runs:
        noise = float(rng.normal(0, 0.004))
        at = {"brier": 0.2, "error": error[run.arm_id], "temperature": 2.0, "scaled": scaled[run.arm_id] + noise}
        loss = next(
            float(records.evaluations.metrics["validation/loss"][i])
            for i in np.flatnonzero(records.evaluations.step == records.evaluations.step.max())
            if records.runs[records.evaluations.run[i]] is run
        )
        told[run.id] = {clock: {**at, "loss": loss} for clock in ("last", "stopped")}
    return replace(records, confidence=told)


def test_the_demo_says_what_to_do_why_how_sure_and_at_what_cost() -> None:
    records = with_halves(study(DEMO), noise=0.02)
    found = verdict(records)
    assert found.headline.startswith("Stop near step 48; then no method is shown to beat no dropout.")
    assert (found.arm_id, found.clock, found.step, found.to_the_end) == ("arm-0", "stopped", 48, ["arm-7"])
    assert [one.about for one in found.lines] == ["why", "score", "sure", "cost"]
    assert "stopped at its best evaluation, step 48, has a validation loss of" in line(found, "why")
    assert "Trained to the end, HiddenKey is 0." in line(found, "why")
    assert line(found, "cost").startswith(
        "Stopping near step 48 of 128 saves 62 % of the training. HiddenKey trains 1."
    )
    assert "5 seeds" in line(found, "sure")
    assert "No plan was declared" in line(found, "sure")
    assert comparison.build(records).answers[0].text == "\n".join(one.text for one in found.lines)


def test_a_lower_loss_is_told_apart_from_overconfidence() -> None:
    """B2: one temperature took the whole effect away, and the page said nothing of it."""
    records = ended({"none": by(0.1), "hiddencut": by(0.0, 0.5)})
    same, off = {"arm-0": 0.6, "arm-1": 0.6}, {"arm-0": 0.184, "arm-1": 0.131}
    found = line(verdict(sure(records, off, same)), "confidence")
    assert found.startswith("Confidence is off by 0.18 with no dropout at its last step, 0.13 with HiddenCut there")
    assert "expected calibration error" in found
    assert "what it lowers is overconfidence, which one number undoes as well" in found
    better = line(verdict(sure(records, off, {"arm-0": 0.6, "arm-1": 0.5})), "confidence")
    assert "not all of it is confidence" in better
    assert line(verdict(records), "confidence") == "", "without ledgers nothing is said"


def test_confidence_stays_with_a_study_that_is_frozen() -> None:
    records = sure(study([Plan("none"), Plan("dropkey")]), {"arm-0": 0.2, "arm-1": 0.1}, {"arm-0": 0.6, "arm-1": 0.6})
    kept = snapshot.load(snapshot.dump({}, records)).records
    assert line(verdict(kept), "confidence") == line(verdict(records), "confidence") != ""


def test_what_lies_within_what_matters_is_said_so() -> None:
    """B15: "undecided" covered both "no difference" and "too few seeds"."""
    losses = {"none": by(0.0, 0.05), "hiddenkey": by(0.001, 0.08), "dropkey": by(-0.001, -0.03)}
    plan = {"baseline": "none", "metric": "validation/loss", "smallest": 0.05, "seeds": 5, "looks": [5]}
    found = verdict(replace(ended(losses), plan=plan))
    assert found.headline.startswith("Keep no dropout: no method differs by 0.05 nats or more.")
    assert found.state == "holds"
    narrow = verdict(replace(ended(losses), plan={**plan, "smallest": 0.0005}))
    assert narrow.headline.startswith("Keep no dropout: no method is shown to beat it.")
    assert narrow.state == "undecided"


def test_all_that_hold_are_named_together() -> None:
    """B4, B10: who is not told apart from the leader stands beside it."""
    gone = {"none": by(0.4), "dropkey": by(0.0, 0.5), "hiddencut": by(0.0002, 1.3), "native_dropout": wide(0.3)}
    found = verdict(ended(gone))
    assert found.headline.split(".")[0] in ("Use DropKey or HiddenCut", "Use HiddenCut or DropKey")
    assert len(found.to_the_end) == 2


def test_diverged_runs_stand_in_the_verdict() -> None:
    """B3."""
    records = ended({"none": by(0.0), "hiddencut": by(-0.1, 0.5)})
    found = verdict(with_run(records, 1, status="failed", failure_code="loss_nan", message="No number."))
    assert found.arm_id == "arm-0"
    assert line(found, "diverged").startswith("HiddenCut in 1 of 5 seeds diverged")


@pytest.mark.parametrize("clock", ["last", "stopped"])
def test_the_adapter_is_of_the_seed_that_one_half_picks(clock: str) -> None:
    records = with_halves(study([Plan("none", rise=0.4 if clock == "stopped" else 0.0), Plan("dropkey")]), noise=0.02)
    taken = verdict(records).take
    assert taken is not None
    assert taken.clock == clock
    table = records.evaluations
    half = table.metrics["validation_a/loss"]
    whole = table.metrics["validation/loss"]
    ends = []
    for index in range(0, len(records.runs), 2):
        mine = np.flatnonzero(table.run == index)
        at = mine[np.argmin(whole[mine])] if clock == "stopped" else mine[-1]
        ends.append((half[at], records.runs[index].id, int(table.step[at]), table.metrics["validation_b/loss"][at]))
    lowest, run_id, step, other = min(ends)
    assert (taken.run_id, taken.step) == (run_id, step)
    assert f"({lowest:.3f}); half B, which did not pick it, says {other:.3f}." in taken.rule


def test_without_halves_the_rule_says_that_its_number_flatters() -> None:
    taken = verdict(study([Plan("none", rise=0.0), Plan("dropkey", rise=0.0)])).take
    assert taken is not None
    assert "flatters" in taken.rule


def test_a_larger_study_is_sized_by_what_matters_and_not_by_what_was_measured() -> None:
    """B7: seeds were promised from the largest of seven noisy effects."""
    close = {"none": by(0.0), "hiddencut": by(-0.004, -0.5), "dropkey": by(0.002, 2.0)}
    found = comparison.build(ended(close))
    further = found.verdict.further
    assert further is not None
    spread = max(arm.differences["validation/loss"].sd or 0.0 for arm in found.arms[1:])
    assert (further.smallest, further.sd) == (0.02, spread)
    far = {**close, "hiddencut": by(-0.4, -0.5)}
    more = comparison.build(ended(far)).verdict.further
    assert more is not None
    assert more.seeds == further.seeds, "how far apart the arms are decides nothing"


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_advise_nothing_and_name_no_larger_study(seeds: int) -> None:
    found = verdict(ended({"none": by(0.0), "hiddencut": by(-0.1)}, seeds=seeds))
    assert (found.headline, found.arm_id, found.take, found.further) == ("Too early to tell.", None, None, None)
