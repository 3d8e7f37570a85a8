"""A row as a model reads it: its tokens, which of them are trained, and what is cut. Preview and training call this.

It needs a tokenizer of the `tokenizers` library, which both have, and neither torch nor transformers.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.shared.chat.spans import Spans, trained_spans
from backend.shared.chat.template import Rendered, Template, TemplateRefused, TemplateSlow
from backend.shared.rows.chat import Turn
from backend.shared.specs import LossOn, Truncate

ROW_S = 20.0  # seconds that all renderings of one row may take: a template of ordinary cost needs milliseconds
MOST_ROUNDS = 500  # of leaving out the oldest turns


class Unreadable(ValueError):
    """This row cannot be read so; a sentence says why."""


class ReadTooSlowly(Unreadable):
    """It takes too long, on this machine: elsewhere it might be read."""


@dataclass(frozen=True)
class Read:
    """A row of T tokens in all, of which the first `kept` are read by the model.

    `ids` [T]; `offsets` [T, 2] say which characters of `text` a token stands for; `trained` [T] which are learned,
    where they are kept. `left_out` are turns that were taken out at the beginning, `rewritten` as in `Spans`.
    `answers` says of each answer that is trained at which token it begins and which of the row's turns it is.
    """

    text: str
    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    trained: npt.NDArray[np.bool_]
    kept: int
    answers: tuple[tuple[int, int], ...] = ()
    left_out: int = 0
    rewritten: bool = False
    dated: bool = False

    @property
    def last_answer(self) -> tuple[int, int]:
        """Where the last answer of which anything is kept begins, and which turn it is: −1 for none."""
        return next((one for one in reversed(self.answers) if one[0] < self.kept), (min(1, self.kept), -1))

    @property
    def learned(self) -> int:
        """Tokens that the loss counts: the first token of a row is predicted from nothing."""
        return int(self.trained[1 : self.kept].sum())

    @property
    def cut(self) -> bool:
        """Whether anything of the row is not read."""
        return self.kept < len(self.ids) or self.left_out > 0


@dataclass(frozen=True)
class Reader:
    """Reads rows with one tokenizer and one template.

    `limit`: tokens that a row may have; what is longer is cut at its end, loses its oldest turns, or is not read.
    """

    tokenizer: Any
    template: Template
    loss_on: LossOn
    truncate: Truncate
    limit: int

    def read(self, row: Mapping[str, Any]) -> Read:
        """The row's tokens.

        Raises:
            Unreadable: the template refuses the row.
        """
        turns = turns_of(row)
        if turns is None:
            return self._text(row)
        end = time.monotonic() + ROW_S
        try:
            found = self._tokens(self._spans(turns, end))
            rest, left_out = turns, 0
            if self.truncate == "oldest_turns":
                for _ in range(MOST_ROUNDS):
                    shorter = without_oldest(rest)
                    if len(found.ids) <= self.limit or shorter is None:
                        break
                    left_out += len(rest) - len(shorter)
                    rest = shorter
                    found = self._tokens(self._spans(rest, end), left_out)
        except TemplateSlow as error:
            raise ReadTooSlowly(str(error)) from error
        except TemplateRefused as error:
            raise Unreadable(str(error)) from error
        return found

    def _spans(self, turns: list[Turn], end: float) -> Spans:
        if time.monotonic() > end:
            raise TemplateSlow("The template takes too long for a conversation of so many turns.")
        told = trained_spans(self.template, turns, self.loss_on, end)
        if self.loss_on != "all":
            return told
        return replace(told, last=trained_spans(self.template, turns, "completion", end))

    def _text(self, row: Mapping[str, Any]) -> Read:
        """A text alone, from its first token to the model's end mark; all of it is trained."""
        specials = dict(self.template.specials)
        text = "\n".join(row[part] for part in ("text", "text_pair") if part in row) + specials.get("eos_token", "")
        return self._tokens(Spans(Rendered(text, ()), ((0, len(text)),)))

    def _tokens(self, told: Spans, left_out: int = 0) -> Read:
        encoding = self.tokenizer.encode(told.rendered.text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        start, end = offsets[:, 0], offsets[:, 1]
        trained = np.zeros(len(offsets), dtype=np.bool_)
        for first, last in told.spans:  # a token that reaches over the edge of an answer is none of its words
            trained |= (start >= first) & (end <= last) & (end > start)
        named = told if told.last is None else told.last
        answers = tuple(
            (int(np.searchsorted(start, first)), place + left_out)
            for (first, _), place in zip(named.spans, named.places, strict=False)  # none where all is trained
        )
        whole = len(offsets)
        kept = min(whole, self.limit)
        if self.truncate == "drop" and whole > self.limit:
            kept = 0
        return Read(
            text=told.rendered.text,
            ids=np.array(encoding.ids, dtype=np.int32),
            offsets=offsets,
            trained=trained,
            kept=kept,
            answers=answers,
            left_out=left_out,
            rewritten=told.rewritten,
            dated=told.rendered.dated,
        )


def turns_of(row: Mapping[str, Any]) -> list[Turn] | None:
    """The conversation that a row is, a prompt with its completion taken as two turns; None for a text alone."""
    if "messages" in row:
        found: list[Turn] = row["messages"]
        return found
    if "prompt" in row:
        return [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]}]
    return None


def without_oldest(turns: list[Turn]) -> list[Turn] | None:
    """The turns without the oldest ones, up to the next of the user; None where no answer would be left.

    A system turn stays.
    """
    head = turns[:1] if turns[0]["role"] == "system" else []
    rest = turns[len(head) :]
    later = next((place for place, turn in enumerate(rest) if place and turn["role"] == "user"), None)
    if later is None or not any(turn["role"] == "assistant" for turn in rest[later:]):
        return None
    return head + rest[later:]
