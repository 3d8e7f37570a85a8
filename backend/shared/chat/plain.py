"""A prompt with its completion, or a text alone, as a model without a template reads it: what the loop trains on.

The prompt and its end are tokenised apart from the completion, so that the same prompt is always the same tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.shared.chat.reading import Read
from backend.shared.chat.template import Template

PROMPT_END = "\n"  # stands between a prompt and its completion


@dataclass(frozen=True)
class PlainReader:
    """Reads rows with one tokenizer, cut at `limit` tokens; `template` names the marks of beginning and end."""

    tokenizer: Any
    template: Template
    limit: int

    def read(self, row: Mapping[str, Any]) -> Read:
        """The row's tokens."""
        specials = dict(self.template.specials)
        begin, end = specials.get("bos_token", ""), specials["eos_token"]
        if "prompt" in row:
            parts = [(row["prompt"] + PROMPT_END, False), (row["completion"], True)]
        else:
            text = "\n".join(row[part] for part in ("text", "text_pair") if part in row)
            parts = [(text, True)]
        ids, offsets, trained, whole = list[int](), list[tuple[int, int]](), list[bool](), ""
        for text, learned in [(begin, False), *parts, (end, True)]:
            encoding = self.tokenizer.encode(text, add_special_tokens=False)
            ids += encoding.ids
            offsets += [(first + len(whole), last + len(whole)) for first, last in encoding.offsets]
            trained += [learned] * len(encoding.ids)
            whole += text
        starts = next((place for place, learned in enumerate(trained) if learned), 0)
        return Read(
            text=whole,
            ids=np.array(ids, dtype=np.int32),
            offsets=np.array(offsets, dtype=np.int64).reshape(-1, 2),
            trained=np.array(trained, dtype=np.bool_),
            kept=min(len(ids), self.limit),
            answers=((starts, 1),),
        )
