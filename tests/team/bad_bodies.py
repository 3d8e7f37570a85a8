"""Bodies that nobody means, each as large as a cap lets it be: what they cost is paid before anybody is known."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.backend.make_studies import study

Make = Callable[[int], bytes]
LOGIN = {"email": "a@example.org", "password": "x" * 20}


def _fill(one: Callable[[int], str], size: int, before: str, after: str) -> bytes:
    """As many parts between two ends as fit."""
    parts, length = [], len(before) + len(after)
    for number in range(size):
        part = one(number)
        length += len(part) + 1
        if length > size:
            break
        parts.append(part)
    return (before + ",".join(parts) + after).encode()


def _listed(part: str, before: str = "[", after: str = "]") -> Make:
    return lambda size: _fill(lambda _: part, size, before, after)


def _keys(length: int) -> Make:
    return lambda size: _fill(lambda number: f'"{number:0{length}}":0', size, "{", "}")


def _near_keys(size: int) -> bytes:
    return _fill(lambda number: f'"learning_rat{number}":0', size, "{", "}")


def _study(field: str, value: Any) -> Make:
    return lambda size: json.dumps(study(**{field: value})).encode()[:size]


def _arms(part: str, most: int = 10**6) -> Make:
    begun = json.dumps(study(arms=[]))[:-3] + "["

    def make(size: int) -> bytes:
        found = _fill(lambda _: part, size, begun, "]}")
        return (
            found if found.count(part.encode()) <= most else begun.encode() + b",".join([part.encode()] * most) + b"]}"
        )

    return make


def _deep(opened: str, closed: str) -> Make:
    return lambda size: (
        (opened * (size // (len(opened) + len(closed)))).encode()
        + (closed * (size // (len(opened) + len(closed)))).encode()
    )


def _long_key(inside: str) -> Make:
    return lambda size: _fill(lambda _: inside, size, '{"' + "k" * (size // 2) + '":[', "]}")


def _text(letter: str, field: str = "email") -> Make:
    def make(size: int) -> bytes:
        begun = json.dumps({**LOGIN, field: ""})[:-2]
        begun = '{"password":"x","' + field + '":"'
        return begun.encode() + letter.encode() * ((size - len(begun) - 2) // len(letter.encode())) + b'"}'

    return make


_50_KEYS = "{" + ",".join(f'"k{n}":0' for n in range(50)) + "}"
_64_ZEROS, _64_WORDS = ",".join(["0"] * 64), ",".join(['"x"'] * 64)
KINDS: dict[str, Make] = {
    "unknown keys": _keys(1),
    "unknown long keys": _keys(190),
    "keys that are nearly ours": _near_keys,
    "zeros": _listed("0"),
    "empty objects": _listed("{}"),
    "empty lists": _listed("[]"),
    "objects of 50 keys": _listed(_50_KEYS),
    "arms of zero": _arms("0"),
    "empty arms": _arms("{}"),
    "arms of 50 unknown keys": _arms(_50_KEYS),
    "500 arms of 50 unknown keys": _arms(_50_KEYS, 500),
    "sites of zeros": _listed("0", json.dumps(study(arms=[]))[:-2] + '{"sites":[', "]}]}"),
    "arms of 64 sites of zero": _arms('{"sites":[' + _64_ZEROS + "]}", 500),
    "arms of 64 words for rates": _arms('{"method":"dropkey","rate":[' + _64_WORDS + "]}", 500),
    "arms of words on every axis": _arms(
        '{"method":"dropkey",'
        + ",".join(f'"{axis}":["x","x"]' for axis in ("rate", "rank", "alpha", "learning_rate"))
        + "}",
        500,
    ),
    "500 equal arms": _arms('{"method":"dropkey","rate":0.1}', 500),
    "500 arms of an equal label": _arms('{"label":"a","method":"none","rank":[1,2,3,4]}', 500),
    "500 arms with four wrong learning rates": _arms('{"method":"none","learning_rate":[2,3,4,5]}', 500),
    "seeds and axes without end": _arms(
        '{"method":"dropkey",' + ",".join(f'"{axis}":[{_64_ZEROS}]' for axis in ("rate", "rank", "alpha")) + "}", 500
    ),
    "targets": _listed('"q"', json.dumps(study())[:-1] + ',"lora":{"target_modules":[', "]}}"),
    "names of a split": _listed('"q"', '{"split":{"by":"column","column":"a","validation_names":[', "]}}"),
    "deep lists": _deep("[", "]"),
    "deep objects": _deep('{"a":', "}"),
    "a long key around zeros": _long_key("0"),
    "a long text": _text("a"),
    "a long text in another script": _text("é"),
    "a text of at signs": _text("@"),
    "a text of half pairs": _text("\\ud800"),
    "a text of NUL": _text("\\u0000"),
    "NaN": _listed("NaN"),
    "numbers without end": _listed("9" * 4000),
    "numbers beyond all": _listed("1e999"),
    "texts of NUL": _listed('"\\u0000"'),
    "no JSON": lambda size: b"a: b\n" * (size // 5),
    "spaces": lambda size: b" " * size,
    "half a list": lambda size: _listed("0")(size)[:-1],
}


def kinds(size: int) -> Iterator[tuple[str, bytes]]:
    """(what it is, the body of about so many bytes, never more)."""
    for name, make in KINDS.items():
        body = make(size)
        if len(body) <= size:
            yield name, body
