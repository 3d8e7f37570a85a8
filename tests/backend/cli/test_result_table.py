"""The result of a study in a terminal: the report's table with three decimals, whatever the terminal's width."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from backend.cli import result_table as command
from backend.comparison import build as comparison
from backend.comparison.schema import Comparison
from backend.reports.table import result_table
from backend.shared.errors import Unavailable
from tests.backend.comparison.test_metrics import ON_TEST_ROWS, TASKS, scored
from tests.backend.make_records import DEMO, Plan, study

LABEL = "[red]a label[/red] that is much longer than a table has room for in one line"


def printed(built: Comparison, width: int) -> str:
    screen = io.StringIO()
    console = Console(file=screen, width=width)
    command.print_table(console, built.study_name, result_table(built, command.DIGITS))
    return screen.getvalue()


@pytest.mark.parametrize("width", [80, 120, 160, 400])
def test_the_table_fits_and_loses_nothing(width: int) -> None:
    names = [f"validation/{name}" for name in TASKS["classification"]]
    names += [f"test/{name}" for name in ("loss", *ON_TEST_ROWS["classification"])]
    built = comparison.build(scored("classification", *names))
    text = printed(built, width)
    assert max(map(len, text.splitlines())) <= width
    table = result_table(built, command.DIGITS)
    words = [word for title in table.columns for word in title.split()]
    assert not [part for part in [*words, *(cell for row in table.rows for cell in row)] if part not in text]


def test_numbers_have_three_decimals() -> None:
    built = comparison.build(study(DEMO, seeds=5))
    arm = next(arm for arm in built.arms if arm.id == built.ranking[0])
    loss, gap, probe = (arm.final[name] for name in ("validation/loss", "gap", "probe/loss"))
    difference = arm.differences["validation/loss"]
    assert difference.p_holm is not None
    table = result_table(built, command.DIGITS)
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["Validation loss"] == f"{loss.mean:.3f} ± {loss.half_width:.3f}"
    assert cells["Gap"] == f"{gap.mean:.3f} ± {gap.half_width:.3f}"
    assert cells["Probe loss"] == f"{probe.mean:.3f}"
    assert cells["Difference"] == f"−{-(difference.mean or 0):.3f} ± {difference.half_width:.3f}"
    p = "p < 0.001" if difference.p_holm < 0.001 else f"p = {difference.p_holm:.3f}"
    assert cells["Verdict, p (Holm)"] == f"{difference.decided}, {p}"


def test_names_are_shown_literally() -> None:
    text = printed(comparison.build(study([Plan("none"), Plan("dropkey", LABEL)], seeds=2)), 400)
    names = "".join(line.split("│")[1] for line in text.splitlines() if line.startswith("│"))
    assert LABEL.replace(" ", "") in names.replace(" ", "")


def test_answers_of_other_versions_are_read_or_refused_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    answer = comparison.build(study([Plan("none"), Plan("dropkey")], seeds=2)).model_dump(mode="json")
    newer = {**answer, "verdicts": [], "arms": [{**arm, "clock": "last"} for arm in answer["arms"]]}
    command.print_result(newer, as_json=False)
    assert "Made up" in capsys.readouterr().out
    older = {name: value for name, value in answer.items() if name != "metrics"}
    with pytest.raises(Unavailable, match="--json"):
        command.print_result(older, as_json=False)
    command.print_result(older, as_json=True)


def test_the_command_line_starts_without_statistics() -> None:
    code = "import sys, backend.cli.app; print({'scipy', 'backend.comparison', 'backend.reports'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
