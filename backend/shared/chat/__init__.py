"""Conversations as a model reads them: its chat template, rendered in a sandbox, and the tokens that are trained."""

from backend.shared.chat.plain import PROMPT_END
from backend.shared.chat.plan import by_template, loss_of, reader_for, shown_by, tokenizer_folder
from backend.shared.chat.reading import Read, Reader, ReadTooSlowly, Unreadable
from backend.shared.chat.source import chosen, own_template
from backend.shared.chat.template import DATE, Template, TemplateRefused

__all__ = [
    "DATE",
    "PROMPT_END",
    "Read",
    "ReadTooSlowly",
    "Reader",
    "Template",
    "TemplateRefused",
    "Unreadable",
    "by_template",
    "chosen",
    "loss_of",
    "own_template",
    "reader_for",
    "shown_by",
    "tokenizer_folder",
]
