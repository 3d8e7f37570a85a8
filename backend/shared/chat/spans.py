"""Which characters of a rendered conversation are trained: the assistant's words, each answer with its end mark.

A template that marks them itself (`{% generation %}`) is believed. Else they are what a turn adds: the conversation up
to the answer, opened for the assistant, must be a beginning of the whole, and so must the one up to the answer's end.
Both are checked for every row, since a template may write a turn otherwise once others follow.
"""

import time
from dataclasses import dataclass

from backend.shared.chat.template import Rendered, Template, TemplateRefused, TemplateSlow
from backend.shared.rows.chat import Turn
from backend.shared.specs import LossOn

Span = tuple[int, int]


@dataclass(frozen=True)
class Spans:
    """A rendered conversation, the spans [start, end) of it that are trained, and whether only its last answer can be.

    `places` says of each span which turn it is; nothing where all is trained.

    `rewritten`: the template writes earlier answers otherwise once others follow, so that what would be trained is not
    what the model would have said; then the last answer alone is.
    """

    rendered: Rendered
    spans: tuple[Span, ...]
    rewritten: bool = False
    places: tuple[int, ...] = ()
    last: "Spans | None" = None  # where all is trained: the last answer alone


def trained_spans(template: Template, turns: list[Turn], loss_on: LossOn, end: float = float("inf")) -> Spans:
    """The conversation as text, and what of it is trained; `end`: of the time that it may take (`time.monotonic`).

    Raises:
        TemplateRefused: the template refuses the conversation, or does not let its last answer be told.
    """
    whole = template.render(turns)
    if loss_on == "all":
        return Spans(whole, ((0, len(whole.text)),))
    answers = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    if template.marks_generated:
        marked = tuple(span for span in whole.generated if span[1] > span[0])
        places = tuple(answers) if len(marked) == len(answers) else (answers[-1],) * len(marked)
        few = slice(None) if loss_on == "assistant" else slice(-1, None)
        return Spans(whole, marked[few], places=places[few])
    found: dict[int, Span] = {}
    rewritten = False
    closing = _closing(template, turns, whole.text) if len(turns) > 2 else ""
    for place in answers if loss_on == "assistant" else answers[-1:]:
        if time.monotonic() > end:
            raise TemplateSlow("The template takes too long for a conversation of so many turns.")
        span = _answer(template, turns, place, whole.text, closing)
        if span is not None:
            found[place] = span
        elif place == answers[-1]:
            raise TemplateRefused(
                "The template writes the last answer otherwise than it opens it, so that its words cannot be told from "
                "the rest; choose another template."
            )
        else:
            rewritten = True
    kept = list(found.items())[-1:] if rewritten else list(found.items())
    return Spans(whole, tuple(span for _, span in kept), rewritten, tuple(place for place, _ in kept))


def _closing(template: Template, turns: list[Turn], whole: str) -> str:
    """What the template writes after a conversation that goes on no more, as Phi's `<|endoftext|>`; mostly nothing."""
    try:
        opened = template.render(turns, opens=True).text
    except TemplateRefused:
        return ""
    pairs = enumerate(zip(whole, opened, strict=False))
    shared = next((at for at, (one, other) in pairs if one != other), min(len(whole), len(opened)))
    return whole[shared:]


def _answer(template: Template, turns: list[Turn], place: int, whole: str, closing: str) -> Span | None:
    """Where the answer at this place begins and ends, None where the template writes it otherwise in the whole.

    closing: what is written after a whole conversation, and after a part of one when it is rendered alone.
    """
    opened = template.render(turns[:place], opens=True).text
    before = template.render(turns[:place]).text.removesuffix(closing)
    ended = whole if place == len(turns) - 1 else template.render(turns[: place + 1]).text.removesuffix(closing)
    if not whole.startswith(ended):
        return None
    if opened != before and whole.startswith(opened):
        start = len(opened)
    elif whole.startswith(before):  # it opens no answer, or otherwise: the words themselves say where they begin
        said = turns[place]["content"].strip()
        at = ended.find(said, len(before))
        if at < 0:
            return None
        start = at if whole[len(before) : at].strip() else len(before)
    else:
        return None
    return start, start + _end(ended[start:], turns[place]["content"].strip(), template.marks)


def _end(said: str, words: str, marks: frozenset[str]) -> int:
    """Where an answer ends: after the end marks that follow its words, if it has any; what else follows is left out."""
    at = said.find(words)
    end = at + len(words) if at >= 0 else len(said)
    end += len(said[end:]) - len(said[end:].lstrip())
    marked = False
    while (mark := next((mark for mark in marks if mark and said.startswith(mark, end)), None)) is not None:
        end, marked = end + len(mark), True
    return end if marked else len(said)
