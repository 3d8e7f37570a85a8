"""docs/operations.md documents every setting, and no setting that does not exist."""

import re
from pathlib import Path

from backend.shared.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


def test_every_setting_is_documented_once_with_its_default() -> None:
    rows = re.findall(r"^\| `DROPSCOPE_([A-Z_]+)` \| (.+?) \|", PAGE, re.M)
    assert sorted(name.lower() for name, _ in rows) == sorted(Settings.model_fields)
    for name, shown in rows:
        default = Settings.model_fields[name.lower()].default
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert float(shown.strip("`")) == default, name


def test_no_other_setting_is_named() -> None:
    named = {name.lower() for name in re.findall(r"DROPSCOPE_([A-Z_]+)", PAGE)}
    assert named - {"test_lease_s", "test_sequences", "test_runs", "test_seed"} <= set(Settings.model_fields)
