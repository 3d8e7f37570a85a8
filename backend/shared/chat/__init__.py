"""Conversations as a model reads them: its chat template, rendered in a sandbox, and the tokens that are trained."""

from backend.shared.chat.plan import by_template, reader_for, tokenizer_folder
from backend.shared.chat.reading import Read, Reader, Unreadable
from backend.shared.chat.source import chosen, own_template
from backend.shared.chat.template import DATE, Template, TemplateRefused

__all__ = [
    "DATE",
    "Read",
    "Reader",
    "Template",
    "TemplateRefused",
    "Unreadable",
    "by_template",
    "chosen",
    "own_template",
    "reader_for",
    "tokenizer_folder",
]
