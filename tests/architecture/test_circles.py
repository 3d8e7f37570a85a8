"""No module imports itself by way of others: not for types only, and not inside a function."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"backend": ROOT, "worker": ROOT, "transformer_dropout": ROOT / "worker" / "lib"}


def modules_of(package: str, home: Path) -> dict[str, Path]:
    """Files of a package under `home` by the names of their modules; a distribution inside it is left out."""
    found = {}
    for file in sorted((home / package).rglob("*.py")):
        parts = list(file.relative_to(home).with_suffix("").parts)
        if parts[:2] != ["worker", "lib"]:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports_of(module: str, file: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The known modules that a module imports, anywhere in its text.

    A name taken from a package counts as its submodule of that name, where it has one, and else as the package.
    """
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                found = f"{source}.{alias.name}" if f"{source}.{alias.name}" in known else source
                if found in known and found != module:
                    yield found


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Modules that reach each other, and so themselves: the strongly connected components of more than one."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen, ahead = reached.setdefault(start, set()), list(graph[start])
        while ahead:
            module = ahead.pop()
            if module not in seen:
                seen.add(module)
                ahead += graph[module]
    rings = {frozenset(other for other in found if start in reached[other]) for start, found in reached.items()}
    return sorted(sorted(ring) for ring in rings if len(ring) > 1)


def circles_in(packages: Mapping[str, Path]) -> list[list[str]]:
    """The circles among the modules of some packages, each with the folder that it lies in."""
    known = {name: file for package, home in packages.items() for name, file in modules_of(package, home).items()}
    return circles({name: set(imports_of(name, file, known)) for name, file in known.items()})


def test_no_circles() -> None:
    """Of all our modules, none reaches itself."""
    assert circles_in(PACKAGES) == []


def test_planted_circles_are_found(tmp_path: Path) -> None:
    """By types only, inside a function, through a package that is named relatively; a package may offer its parts."""
    files = {
        "a/__init__.py": "from a.one import One\n",
        "a/one.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import two\nclass One: ...\n",
        "a/two.py": "def late():\n    from .one import One\n",
        "a/b/__init__.py": "from .part import Part\n",
        "a/b/part.py": "from ..three import Three\nclass Part: ...\n",
        "a/b/whole.py": "from . import Part\n",
        "a/three.py": "class Three: ...\n",
        "a/c/__init__.py": "from .inner import Inner\n",
        "a/c/inner.py": "from a.c import helper\nfrom a import c\nclass Inner: ...\n",
        "a/c/helper.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert circles_in({"a": tmp_path}) == [["a.c", "a.c.inner"], ["a.one", "a.two"]]
