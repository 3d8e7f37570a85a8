"""A study as a person writes it: YAML (or JSON) of bounded size in which no key stands twice."""

import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from backend.shared.errors import InvalidInput

_LARGEST_FILE = 1 << 20
_MOST_VALUES = 100_000


class _Twice(yaml.constructor.ConstructorError):
    """A key that stands twice: YAML, but not what anybody means."""


class _Once(yaml.SafeLoader):
    """YAML's safe reader, which takes the last of two equal keys; this one refuses the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:  # before `<<` is unfolded, whose keys may be said anew
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                raise _Twice(
                    None,
                    None,
                    f"the key '{key.value[:100]}' stands here and in line {lines[key.value]}; take one of them out",
                    key.start_mark,
                )
            lines[key.value] = line
        return super().construct_mapping(node, deep)


def read_study(path: Path) -> dict[str, Any]:
    """A study from a YAML (or JSON) file; `-` is standard input. Raises InvalidInput."""
    try:
        text = sys.stdin.read(_LARGEST_FILE + 1) if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    return parse_study(text, str(path))


def parse_study(text: str, name: str) -> dict[str, Any]:
    """A study from YAML text; `name` is what messages call it. Raises InvalidInput."""
    if len(text) > _LARGEST_FILE:
        raise InvalidInput(f"{name} is larger than 1 MiB, which no study is.")
    try:
        loader = _Once(text)
        spec = loader.get_single_data()
        size = _size(spec, {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        what = "says one thing twice" if isinstance(error, _Twice) else "is not YAML"
        raise InvalidInput(f"{name} {what}{where}: {problem}.") from error
    except RecursionError as error:
        raise InvalidInput(f"{name} is nested too deeply to be a study.") from error
    except ValueError as error:  # a number of thousands of digits, a date that is none
        raise InvalidInput(f"{name} holds a value that cannot be read ({error}).") from error
    if size > _MOST_VALUES:
        raise InvalidInput(f"{name} unfolds to more than {_MOST_VALUES:,} values, which no study has.")
    if not isinstance(spec, dict):
        raise InvalidInput(f"{name} holds no study: it must be a mapping with `name`, `model`, `dataset` and `arms`.")
    return spec


def _size(value: Any, known: dict[int, float]) -> float:
    """How many values there are once all aliases are written out; one that holds itself has no end."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = float("inf")  # until it is counted
        inside = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(one, known) for one in inside)
    return known[id(value)]
