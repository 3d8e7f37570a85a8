"""What a chat template may take: it is code of whoever made the model, so each step, text and number has a bound."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARACTERS = 4 << 20  # of any text that a template makes
MOST_ITEMS = 200_000  # of any list, those within it counted, too
MOST_NUMBER = 10_000  # a width, a count, a depth of indentation
SECONDS = 2.0
_NAMES = """abs capitalize count d default dictsort e escape first float groupby indent int items join last length list
lower map max min reject rejectattr replace reverse round safe select selectattr sort string sum title tojson trim
unique upper"""
FILTERS = frozenset(_NAMES.split())
_METHODS = frozenset({"format", "format_map", "ljust", "rjust", "center", "zfill", "expandtabs", "translate"})
_WIDE = re.compile(r"%[^a-zA-Z%]*(\d{4}|\*)")


class TooMuch(TemplateError):
    """The template asks for more than a chat template needs."""


class TooSlow(TooMuch):
    """It takes longer than a chat template may: on this machine, now."""


class _Generator(CodeGenerator):
    """Compiles every body of statements with a look at the clock, and every joining of texts with one at its length."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        self.writeline("environment.tick()")
        super().blockvisit(nodes, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def _concat(parts: Iterable[str]) -> str:
    found, length = [], 0
    for part in parts:
        length += len(part)
        if length > MOST_CHARACTERS:
            raise TooMuch("it renders a text of more than 4 MiB")
        found.append(part)
    return "".join(found)


class Limited(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which nothing grows and nothing goes on without end."""

    code_generator_class = _Generator
    concat = staticmethod(_concat)
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_measured, **options)
        self._clock = threading.local()
        for name in ("lipsum", "cycler", "joiner"):
            self.globals.pop(name, None)
        self.filters = {name: guarded(name, way) for name, way in self.filters.items() if name in FILTERS}

    def begin(self) -> None:
        """From now on the time of one rendering counts, in this thread."""
        self._clock.end = time.monotonic() + SECONDS

    def tick(self) -> None:
        """Raises TooSlow when the time is over."""
        if time.monotonic() > getattr(self._clock, "end", float("inf")):
            raise TooSlow(f"it is not rendered within {SECONDS:.0f} seconds")

    def joined(self, parts: tuple[Any, ...]) -> str:
        """What `~` joins."""
        return _concat(str(_measured(part)) for part in parts)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """A sum, a product, a power or a formatted text, if it stays small."""
        _measured(left), _measured(right)
        if operator == "**":
            _require(abs(left) <= MOST_NUMBER and abs(right) <= 9, "it takes a power of large numbers")
        elif operator == "+" and hasattr(left, "__len__") and hasattr(right, "__len__"):
            _require(len(left) + len(right) <= MOST_CHARACTERS, "it makes a text of more than 4 MiB")
        elif operator == "*":
            many = [one for one in (left, right) if isinstance(one, int)]
            longest = max((len(one) for one in (left, right) if hasattr(one, "__len__")), default=None)
            if longest is None:
                _require(all(abs(one) < 1 << 64 for one in many), "it multiplies numbers without end")
            else:
                _require(all(longest * one <= MOST_CHARACTERS for one in many), "it makes a text of more than 4 MiB")
        elif operator == "%" and isinstance(left, str):
            _require(not _WIDE.search(left), "it pads a text to a great width")
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # as Jinja names them
        """A call, if neither what it is given nor what it makes is large."""
        __self.tick()
        for value in (*args, *kwargs.values()):
            _measured(value)
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str):
            _require(name not in _METHODS, f"it calls {name} of a text, which is not done here")
            _grown(name, owner, args)
        return super().call(__context, __obj, *args, **kwargs)


def guarded(name: str, way: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is given nothing large, and makes nothing large."""

    @wraps(way)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            _measured(value)
            if name in ("indent", "tojson") and isinstance(value, int):
                _require(value <= 100, "it indents by a great width")
        texts = [value for value in args if isinstance(value, str)]
        if name in ("replace", "indent") and texts:
            _grown("replace", texts[0], tuple(texts[1:]))
        if name == "join" and len(texts) > 0:
            longest = max(map(len, texts))
            many = max((len(value) for value in args if hasattr(value, "__len__")), default=0)
            _require(longest * many <= MOST_CHARACTERS, "it makes a text of more than 4 MiB")
        return way(*args, **kwargs)

    return checked


def _grown(name: str, owner: str, args: tuple[Any, ...]) -> None:
    if name == "replace" and len(args) > 1 and isinstance(args[0], str) and isinstance(args[1], str):
        grown = owner.count(args[0]) * len(args[1])
    elif name == "join" and args and hasattr(args[0], "__len__"):
        grown = len(owner) * len(args[0])
    else:
        return
    _require(grown <= MOST_CHARACTERS, "it makes a text of more than 4 MiB")


def _measured(value: Any) -> Any:
    """The value, if it is not large, those within it counted each time that they stand there."""
    if isinstance(value, list | tuple | Mapping | set):
        left, waiting = MOST_ITEMS, [value]
        while waiting:
            one = waiting.pop()
            items = [*one.keys(), *one.values()] if isinstance(one, Mapping) else one
            left -= len(items)
            _require(left >= 0, "it makes a list without end")
            waiting += [item for item in items if isinstance(item, list | tuple | Mapping | set)]
    elif isinstance(value, str):
        _require(len(value) <= MOST_CHARACTERS, "it makes a text of more than 4 MiB")
    elif isinstance(value, int):
        _require(abs(value) < 1 << 128, "it makes a number without end")
    return value


def _require(small: bool, otherwise: str) -> None:
    if not small:
        raise TooMuch(otherwise)
