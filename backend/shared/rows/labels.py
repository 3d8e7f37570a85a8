"""What a label says whatever its spelling: words for none at all, spellings that are one, and those that look alike.

Source of the words: pandas reads exactly these as missing (`pandas.read_csv`, `na_values`).
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence

MISSING_WORDS = frozenset(
    {"nan", "NaN", "-nan", "-NaN", "NaT", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "null", "NULL", "None"}
    | {"1.#QNAN", "1.#IND", "-1.#QNAN", "-1.#IND"}
)
NO_LABEL = "-1"
NO_LABEL_REASON = "is -1, the sign for 'no label' in data sets of the hub"
_MISSING_LIKE = frozenset(word.casefold() for word in MISSING_WORDS) | {"none", "missing", "undefined"}
_WHOLE = re.compile(r"-?(0|[1-9]\d*)(\.0*)?", re.ASCII)
_FRACTION = re.compile(r"-?\d*\.\d*[1-9]\d*", re.ASCII)
_TRUTHS = frozenset({"true", "false", "yes", "no", "y", "n", "t", "f"})
_BETWEEN = re.compile(r"[\s_-]+")


def one_spelling(names: Collection[str]) -> dict[str, str]:
    """Each name → the one that stands for it: `1.0` and `1` are 1, `True` and `true` are true; nothing else is folded.

    A set with fractions may be of versions or of half stars, where `1.0` is a name of its own; there it is folded only
    if `1` occurs, too.
    """
    fractions = any(_FRACTION.fullmatch(name) for name in names)
    told = {name: _plain_number(name) or _truth(name) or name for name in names}
    spellings = groups(names, lambda name: told[name])
    alone = {some[0] for some in spellings if len(some) == 1}
    return {name: name if name in alone and (fractions or not _WHOLE.fullmatch(name)) else told[name] for name in names}


def _plain_number(name: str) -> str | None:
    if not _WHOLE.fullmatch(name):
        return None
    whole = name.partition(".")[0]
    return "0" if whole == "-0" else whole


def _truth(name: str) -> str | None:
    plain = name.casefold()
    return plain if plain in ("true", "false") else None


def lookalikes(names: Collection[str]) -> list[tuple[str, ...]]:
    """Groups of names that differ only in case, spacing, quotes, invisible characters or the writing of a number."""
    return [some for some in groups(names, _look) if len(some) > 1]


def _look(name: str) -> str:
    text = unicodedata.normalize("NFKC", name)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip(" \t'\"“”‘’`").casefold()
    try:
        return f"number {float(text)}"
    except ValueError:
        return _BETWEEN.sub(" ", text).strip()


def truths_beside_numbers(names: Collection[str]) -> list[str]:
    """All names, where 0 or 1 stand beside words for true and false and nothing else does: two ways to say a thing."""
    plain = {name.casefold() for name in names}
    both = plain & {"0", "1"} and plain & _TRUTHS
    return list(names) if both and plain <= _TRUTHS | {"0", "1"} else []


def missing_like(names: Iterable[str]) -> list[str]:
    """Names of classes that read like words for a missing value."""
    return [name for name in names if name.casefold() in _MISSING_LIKE]


def minus_one_is_missing(splits: Sequence[Collection[str]]) -> bool:
    """Whether −1 stands for no label; `splits` has the labels of each split that the files name, or all in one set.

    It does where a split has no other label (the test splits of GLUE) and the rest does not use it; beside labels that
    are words; and beside 0, 1, 2, … of at least three classes (SNLI). Beside 0 and 1, or 1 alone, it is a class, as in
    scales of sentiment.
    """
    others = set().union(*splits) - {NO_LABEL}
    having = [some for some in splits if NO_LABEL in some]
    if not having or not others:
        return False
    if all(set(some) == {NO_LABEL} for some in having):
        return True
    if not any(_WHOLE.fullmatch(name) or _FRACTION.fullmatch(name) for name in others):
        return True
    return len(others) >= 3 and others == {str(i) for i in range(len(others))}


def groups(names: Iterable[str], key: Callable[[str], object]) -> list[tuple[str, ...]]:
    """The names by what `key` says of them, in the order of the first ones."""
    found: dict[object, list[str]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return [tuple(some) for some in found.values()]
