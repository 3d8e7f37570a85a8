"""`dropscope data add` says all that the page's preview warns of."""

from pathlib import Path

import pytest

from backend.cli.datasets import plan, say
from backend.cli.own_database import OWNER, opened
from backend.datasets.add import add_dataset
from backend.datasets.files.table import source_of
from backend.datasets.preview import preview
from backend.datasets.schemas import PreviewPlan
from backend.shared.settings import Settings

ROWS = "text,label\na good film,1\na bad film,0\nnice one,1.0\nawful,nan\nok,1\nmeh,0\nok,1\n"


def test_every_warning_of_the_preview_is_printed(
    sqlite_settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(ROWS)
    wanted = preview(sqlite_settings.shared, source_of(file), PreviewPlan(task="classification")).warnings
    asked = plan("classification", dict.fromkeys(("text", "text_pair", "label", "prompt", "completion")))
    with opened(sqlite_settings) as database:
        say(add_dataset(database, sqlite_settings, OWNER, file, asked))
    printed = " ".join(capsys.readouterr().err.split())
    assert len(wanted) >= 3
    assert [warning for warning in wanted if " ".join(warning.split()) not in printed] == []
