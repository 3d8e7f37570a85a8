"""The walls of the page: no circle of imports, nobody imports upwards, and only `src/api` speaks to the client.

Every import counts. One of a type does: a circle of types ties two files together for a reader as any other does.
A lazy one (`import("./x")`) does too: a route or a tab may be loaded late, but what it loads has no need to know
who shows it. Only the registration of the router's types is out of sight, for it is no import.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "frontend" / "src"

LAYERS = ("api", "format", "live | figure", "components", "pages", "app", "main.tsx")
"""From the bottom up. Folders of one layer do not import each other; `test` is for the tests of all of them."""
OUTSIDE = {"test"}

IMPORT = re.compile(
    r"""(?xm)
      ^ [ \t]* (?: import | export ) \s+ (?: type \s+ )? [\w*{] [^;"'`]*? \b from \s* ["'] (?P<named> [^"']+ ) ["']
    | ^ [ \t]* import \s* ["'] (?P<bare> [^"']+ ) ["']
    | \b import \s* \( \s* ["'`] (?P<lazy> [^"'`]+ ) ["'`]
    """
)
"""A statement begins its line, as the formatter has it, so that no comment is taken for one."""
ENDINGS = ("", ".ts", ".tsx", ".d.ts", "/index.ts", "/index.tsx")

Imports = Mapping[str, set[str]]


def specifiers(text: str) -> Iterator[str]:
    """What a file imports or passes on, as it is written."""
    for found in IMPORT.finditer(text):
        yield next(group for group in found.groups() if group)


def imports(source: Path) -> dict[str, set[str]]:
    """The TypeScript files below a folder, each with those that it imports."""
    files = {file.relative_to(source).as_posix(): file for end in ("ts", "tsx") for file in source.rglob(f"*.{end}")}
    found: dict[str, set[str]] = {name: set() for name in files}
    for name, file in files.items():
        for specifier in specifiers(file.read_text()):
            if not specifier.startswith("."):
                continue  # a library
            target = (file.parent / specifier).resolve()
            if not target.is_relative_to(source.resolve()):
                continue  # a picture of the documentation
            within = target.relative_to(source.resolve()).as_posix()
            known = [within + ending for ending in ENDINGS if within + ending in files]
            if not known and target.is_file():
                continue  # a style sheet
            assert known, f"{name} imports {specifier}, which is not there"
            found[name].add(known[0])
    return found


def circles(graph: Imports) -> list[list[str]]:
    """Files that reach themselves, each circle once (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        path.append(name)
        for target in graph[name]:
            if target not in order:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in path:
                lowest[name] = min(lowest[name], order[target])
        if lowest[name] == order[name]:
            at = path.index(name)
            circle = sorted(path[at:])
            del path[at:]
            if len(circle) > 1 or name in graph[name]:
                found.append(circle)

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return found


def place(name: str) -> str:
    """The folder of a file, or the file itself where it stands beside the folders."""
    return name.split("/")[0]


def upward(graph: Imports) -> list[str]:
    """Imports that lead from a layer to one above it, or to a neighbour in the same."""
    height = {folder: at for at, layer in enumerate(LAYERS) for folder in layer.split(" | ")}
    return [
        f"{name} -> {target}"
        for name, targets in sorted(graph.items())
        for target in sorted(targets)
        if place(name) not in OUTSIDE and place(name) != place(target) and height[place(name)] <= height[place(target)]
    ]


def rooms(graph: Imports) -> dict[str, set[str]]:
    """Which page looks into which: the folders below `pages`, with what hangs below them."""
    found: dict[str, set[str]] = {}
    for name, targets in graph.items():
        if not name.startswith("pages/") or name.endswith((".test.ts", ".test.tsx")):
            continue  # a test may look at all pages
        here = name.split("/")[1]
        others = {target.split("/")[1] for target in targets if target.startswith("pages/")}
        found.setdefault(here, set()).update(others - {here})
    return found


def around_the_wall(graph: Imports) -> list[str]:
    """Files outside `api` that import the client."""
    return [name for name, targets in sorted(graph.items()) if place(name) != "api" and "api/client.ts" in targets]


@pytest.fixture(scope="module")
def page() -> dict[str, set[str]]:
    return imports(SOURCE)


def test_every_file_has_a_layer(page: Imports) -> None:
    known = {folder for layer in LAYERS for folder in layer.split(" | ")} | OUTSIDE
    assert {place(name) for name in page} == known


def test_no_circles(page: Imports) -> None:
    """Neither among files nor among pages, types included."""
    assert not circles(page)
    assert not circles(rooms(page))


def test_nobody_imports_upwards(page: Imports) -> None:
    assert not upward(page)


def test_only_the_api_speaks_to_the_client(page: Imports) -> None:
    assert not around_the_wall(page)


def test_planted_imports_are_found(tmp_path: Path) -> None:
    """Every way to write an import is seen, and each of the walls above falls when it is broken."""
    planted = {
        "api/client.ts": 'import createClient from "openapi-fetch";\n',
        "api/view.ts": "export interface View { x: number }\n",
        "components/index.ts": 'export type { Tab } from "../pages/study/tab";\nexport * from "./Side";\n',
        "components/Side.tsx": '// import { no } from "../pages/nowhere";\nimport classes from "./Side.module.css";\n',
        "components/Side.module.css": "",
        "pages/data/plan.ts": "",
        "pages/data/send.ts": 'import "../study/tab";\n',
        "pages/study/tab.ts": 'import type {\n  View,\n} from "../../api/view";\nimport("./Tabs").then(show);\n',
        "pages/study/Tabs.tsx": 'import { type Row, rows } from "./rows";\nimport "../../api/client";\n',
        "pages/study/rows.ts": 'import "../data/plan";\nexport * from "./tab";\nimport Bar from "../../components";\n',
    }
    for name, text in planted.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = imports(tmp_path)
    assert graph == {
        "api/client.ts": set(),
        "api/view.ts": set(),
        "components/index.ts": {"pages/study/tab.ts", "components/Side.tsx"},
        "components/Side.tsx": set(),
        "pages/data/plan.ts": set(),
        "pages/data/send.ts": {"pages/study/tab.ts"},
        "pages/study/tab.ts": {"api/view.ts", "pages/study/Tabs.tsx"},
        "pages/study/Tabs.tsx": {"pages/study/rows.ts", "api/client.ts"},
        "pages/study/rows.ts": {"pages/study/tab.ts", "components/index.ts", "pages/data/plan.ts"},
    }
    assert circles(graph) == [
        ["components/index.ts", "pages/study/Tabs.tsx", "pages/study/rows.ts", "pages/study/tab.ts"]
    ]
    assert circles(rooms(graph)) == [["data", "study"]]
    assert upward(graph) == ["components/index.ts -> pages/study/tab.ts"]
    assert around_the_wall(graph) == ["pages/study/Tabs.tsx"]
