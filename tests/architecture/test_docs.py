"""The docs say what is there: the house's table, the recipes, the decisions, and lines that fit."""

import re

import pytest

from tests.architecture.test_tree import ROOT, tracked

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
HOUSE = README.partition("## Where things are")[2].partition("\n## ")[0]
ROOMS = ("backend", "worker", "frontend/src", "tests", "")


def folders(room: str) -> list[str]:
    """Names of the folders of a room that hold files of the project."""
    base = ROOT / room
    found = {path.relative_to(base).parts[0] for path in tracked(f"{room}/**" if room else "*") if base in path.parents}
    return sorted(name for name in found if (base / name).is_dir() and not name.startswith("."))


@pytest.mark.parametrize("room", ROOMS)
def test_no_folder_is_missing_in_the_house(room: str) -> None:
    """The README's table names every folder, whole or below its row's first path."""
    cells = re.findall(r"`([^`]+)`", HOUSE)
    named = {part for cell in cells for part in cell.strip("/").split("/")}
    assert len(folders(room)) > 4
    assert not [name for name in folders(room) if name not in named]


def test_the_house_names_nothing_that_is_gone() -> None:
    """Every path that starts a row's cell exists."""
    rows = [line.split("|")[1] for line in HOUSE.splitlines() if line.startswith("| `")]
    for row in rows:
        first, *more = re.findall(r"`([^`]+)`", row)
        top = first.split("/")[0]
        for path in (first, *more):
            assert (ROOT / path).exists() or (ROOT / top / path).exists(), path


def test_recipes_name_what_is_there() -> None:
    """Paths, constants, modules and make targets of CONTRIBUTING exist."""
    quoted = set(re.findall(r"`([^`]+)`", CONTRIBUTING))
    paths = {one for one in quoted if "/" in one and " " not in one}
    assert len(paths) > 15
    assert not [path for path in paths if not (ROOT / path).exists()]
    makefile = (ROOT / "Makefile").read_text()
    targets = {one.split()[1] for one in quoted if one.startswith("make ")}
    assert not [target for target in targets if f"\n{target}:" not in makefile]
    for module in re.findall(r"python -m ([\w.]+)", CONTRIBUTING):
        place = module.replace(".", "/")
        below = [ROOT / place, ROOT / f"{place}.py", ROOT / "worker" / "lib" / place]
        assert any(path.exists() for path in below), module
    for file, names in {
        "backend/accounts/permissions.py": ("OBJECTS", "PUBLIC", "NEEDS"),
        "backend/charts/__init__.py": ("FIGURES",),
        "worker/lib/transformer_dropout/spec/cells.py": ("def catalogue(",),
    }.items():
        text = (ROOT / file).read_text()
        assert not [name for name in names if name not in text]


def test_every_decision_is_in_the_index() -> None:
    """Each page is linked once, under its number."""
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    assert sorted(re.findall(r"\((\d{4}[^)]+\.md)\)", index)) == pages
    assert all(f"| {int(page[:4])} | [" in index for page in pages)


def test_links_lead_somewhere() -> None:
    """Relative links of all pages exist."""
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in tracked("*.md")
        if page.name != "template.md"  # its links are docs/methods.md's
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert not dead


def test_prose_fits_120_columns() -> None:
    """Tables, code, pictures and addresses may be longer; sentences are wrapped."""
    long = []
    for page in tracked("*.md"):
        code = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            code ^= line.lstrip().startswith("```")
            prose = (
                not code and not line.startswith("    ") and not line.lstrip().startswith(("|", "#", "!", "<", "```"))
            )
            if len(line) > 120 and prose:
                long.append(f"{page.relative_to(ROOT)}:{number}")
    assert not long


def test_words_explains_the_words_of_this_house() -> None:
    """Each word that only this house uses has a row."""
    words = (ROOT / "docs" / "words.md").read_text()
    wanted = [
        "study",
        "arm",
        "run",
        "slot",
        "pack",
        "group",
        "form",
        "stack",
        "lane",
        "fence",
        "lease",
        "claim",
        "doorbell",
        "reaper",
        "probe",
        "clock",
        "low",
    ]
    assert not [word for word in wanted if f"\n| {word} |" not in words]
    assert "docs/words.md" in README


def test_every_make_target_says_what_it_does() -> None:
    """`make` alone lists each target that a person calls."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"\.PHONY: (.+)", makefile)
    assert phony is not None
    silent = {"install", "install-dev", "page"}
    told = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert set(phony.group(1).split()) - silent == told
