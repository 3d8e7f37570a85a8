"""What must not be in the tree: overlong files, code from data, registry hosts."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Files under version control that match, generated ones left out."""
    listed = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists() and "schema.d.ts" not in name]


def test_no_file_passes_the_wall() -> None:
    """400 lines are a wall."""
    long = {
        str(f.relative_to(ROOT)): n
        for f in tracked("*.py", "*.ts", "*.tsx", "*.css")
        if (n := len(f.read_text().splitlines())) > 400
    }
    assert not long


def test_no_code_from_data() -> None:
    """No unpickling, no shell, no evaluation of text on any path of the product."""
    forbidden = re.compile(
        r"\btorch\.load\(|\bpickle\b|\bjoblib\b|shell=True|yaml\.load\(|(?<![\w.])eval\(|(?<![\w.])exec\("
    )
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in tracked("backend/*.py", "worker/*.py")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if forbidden.search(line.split("#")[0]) and '"""' not in line
    ]
    assert not found


def test_lock_files_name_no_registry() -> None:
    """Locks say which versions, never from where."""
    assert "://" not in (ROOT / "constraints.txt").read_text()
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    assert len(packages) > 50
    assert not [name for name, package in packages.items() if "resolved" in package]
