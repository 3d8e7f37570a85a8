"""A chat template, rendered: the text of a conversation, and what of it the template itself marks as generated.

What a template finds is what transformers gives it (`apply_chat_template` of release 5): the same names, filters and
handling of white space, the tag `{% generation %}`. Today's date is a fixed one, so that a study reads the same text
whenever it is trained; no tools and no documents are given.
"""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import ext, nodes
from jinja2.exceptions import SecurityError
from jinja2.parser import Parser

from backend.shared.chat.limits import MOST_CHARACTERS, Limited, TooMuch, TooSlow, guarded
from backend.shared.rows.chat import Turn

DATE = datetime(2024, 7, 26, tzinfo=UTC)  # the day that Llama 3's templates take where they are given none
MOST_SOURCE = 1 << 20  # characters of a template
_KEPT_TEMPLATES = 32


class TemplateRefused(ValueError):
    """The template cannot be used, or not for this conversation; a sentence says why."""


class TemplateSlow(TemplateRefused):
    """The template takes too long for this conversation, on this machine."""


@dataclass(frozen=True)
class Rendered:
    """A conversation as text; `generated` are the spans [start, end) that the template's own tag marks."""

    text: str
    generated: tuple[tuple[int, int], ...]
    dated: bool = False


@dataclass(frozen=True)
class Template:
    """A template's source, what it is called (the model's own, chatml, ...), and the named special tokens it is given.

    `marks` are all special tokens of the model, as text.
    """

    source: str
    name: str
    specials: tuple[tuple[str, str], ...] = ()
    marks: frozenset[str] = field(default=frozenset(), compare=False)

    def render(self, turns: list[Turn], opens: bool = False) -> Rendered:
        """The turns as text; `opens`: then the assistant's turn begins (`add_generation_prompt`).

        Raises:
            TemplateRefused: the template is none, refuses this conversation, or takes too much time or room.
        """
        compiled = _compiled(self.source)
        environment: Any = compiled.environment
        environment.begin()
        environment.watched.state = state = _State()
        given = {
            "messages": [dict(turn) for turn in turns],
            "tools": None,
            "documents": None,
            "add_generation_prompt": opens,
            **dict(self.specials),
        }
        try:
            for block in compiled.generate(**given):
                environment.tick()
                state.add(block)
        except _Raised as error:
            raise TemplateRefused(f"The template says: {str(error)[:300]}") from error
        except RecursionError as error:
            raise TemplateRefused("The template calls itself without end.") from error
        except TooSlow as error:
            raise TemplateSlow(f"The template cannot be rendered: {error}.") from error
        except jinja2.TemplateError as error:
            raise TemplateRefused(f"The template cannot be rendered: {str(error)[:300]}.") from error
        except Exception as error:  # code of whoever made the model: what goes wrong in it may be anything
            raise TemplateRefused(
                f"The template cannot be rendered ({type(error).__name__}: {str(error)[:200]})."
            ) from error
        finally:
            environment.watched.state = None
        return Rendered("".join(state.blocks), tuple(state.generated), state.dated)

    @property
    def marks_generated(self) -> bool:
        """Whether it says itself what the assistant generates."""
        return bool(_compiled(self.source).environment.watched.tagged)  # type: ignore[attr-defined]


class _Raised(jinja2.TemplateError):
    """What `raise_exception` of a template raises."""


@dataclass
class _State:
    blocks: list[str] = field(default_factory=list)
    length: int = 0
    generated: list[tuple[int, int]] = field(default_factory=list)
    dated: bool = False

    def add(self, block: str) -> None:
        self.blocks.append(block)
        self.length += len(block)
        if self.length > MOST_CHARACTERS:
            raise TooMuch("it renders a text of more than 4 MiB")


class _Watched:
    """What is told of the rendering that goes on; one template is rendered by one thread at a time."""

    def __init__(self) -> None:
        self.state: _State | None = None
        self.tagged = False


class _Generation(ext.Extension):
    """The tag `{% generation %}`: where its text begins and ends, as transformers' `AssistantTracker` tells it."""

    tags = {"generation"}  # noqa: RUF012  # as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        self.environment.watched.tagged = True  # type: ignore[attr-defined]
        return nodes.CallBlock(self.call_method("_told"), [], [], body).set_lineno(line)

    def _told(self, caller: Any) -> str:
        said = str(caller())
        state = self.environment.watched.state  # type: ignore[attr-defined]
        if state is not None:
            state.generated.append((state.length, state.length + len(said)))
        return said


class _Namespace(jinja2.utils.Namespace):
    """A namespace of a template, without the names that lead into Python."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # so that `self` may be a name in it
        self, args = args[0], args[1:]
        found = dict(*args, **kwargs)
        if any(str(name).startswith("_") for name in found):
            raise SecurityError("names in a namespace may not begin with _")
        jinja2.utils.Namespace.__init__(self, found)

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError("names in a namespace may not begin with _")
        super().__setitem__(name, value)


def _raise(message: Any) -> Any:
    raise _Raised(str(message))


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@lru_cache(maxsize=_KEPT_TEMPLATES)
def _compiled_by(source: str, thread: int) -> jinja2.Template:
    if len(source) > MOST_SOURCE:
        raise TemplateRefused("The template is longer than 1 MiB.")
    watched = _Watched()
    environment = Limited(trim_blocks=True, lstrip_blocks=True, optimized=False)  # nothing is worked out unwatched
    environment.watched = watched  # type: ignore[attr-defined]
    environment.add_extension(_Generation)
    environment.add_extension(ext.loopcontrols)

    def now(form: str) -> str:
        if watched.state is not None:
            watched.state.dated = True
        return DATE.strftime(str(form)[:100])

    environment.filters["tojson"] = guarded("tojson", _tojson)
    environment.globals |= {"raise_exception": _raise, "strftime_now": now, "namespace": _Namespace, "dict": _made}
    try:
        return environment.from_string(source)
    except (jinja2.TemplateError, RecursionError, SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise TemplateRefused(f"The template is not one that Jinja reads{where}: {str(error)[:200]}.") from error


def _compiled(source: str) -> jinja2.Template:
    return _compiled_by(source, threading.get_ident())


def _made(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)
