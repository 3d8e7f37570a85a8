"""Where a model's chat template stands: in the files of its tokenizer's folder, which are data and never run as code.

Sources: transformers' `PreTrainedTokenizerBase.from_pretrained` and `save_chat_templates`: `chat_template.jinja` comes
before what `tokenizer_config.json` holds; several named templates have a default one.
"""

import json
from pathlib import Path
from typing import Any

from backend.shared.chat.forms import FORMS
from backend.shared.chat.template import MOST_SOURCE, Template, TemplateRefused
from backend.shared.specs import TemplateName

_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_MOST_BYTES = 32 << 20  # of a tokenizer's settings


def own_template(folder: Path) -> Template | None:
    """The template that comes with a tokenizer, None where there is none.

    Raises:
        TemplateRefused: its files cannot be read.
    """
    settings = _settings(folder)
    source = _file(folder / "chat_template.jinja") or _in(settings.get("chat_template"))
    if source is None:
        source = _in(_json(folder / "chat_template.json").get("chat_template"))
    return None if source is None else Template(source, "model", _specials(settings), _marks(folder, settings))


def chosen(folder: Path, name: TemplateName | None, adds_bos: bool) -> Template:
    """The template of this name; where none is named the model's own, or ChatML where it has none.

    `adds_bos`: whether the tokenizer begins a text with the mark of a beginning, as our own forms then do.

    Raises:
        TemplateRefused: the model has no template of its own and `model` is asked for.
    """
    if name in (None, "model"):
        own = own_template(folder)
        if own is not None:
            return own
        if name == "model":
            raise TemplateRefused("The model has no chat template of its own; take chatml, alpaca or plain.")
        name = "chatml"
    settings = _settings(folder)
    specials = dict(_specials(settings))
    if "eos_token" not in specials:
        raise TemplateRefused("The tokenizer names no end mark (`eos_token`), with which an answer could end.")
    given = {"eos_token": specials["eos_token"], "bos_token": specials.get("bos_token", "") if adds_bos else ""}
    return Template(FORMS[str(name)], str(name), tuple(sorted(given.items())), _marks(folder, settings))


def _settings(folder: Path) -> dict[str, Any]:
    return _json(folder / "special_tokens_map.json") | _json(folder / "tokenizer_config.json")


def _specials(settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = {}
    for name in _NAMED:
        token = settings.get(name)
        text = token.get("content") if isinstance(token, dict) else token
        if isinstance(text, str):
            found[name] = text
    return tuple(sorted(found.items()))


def _marks(folder: Path, settings: dict[str, Any]) -> frozenset[str]:
    """Every special token of the tokenizer, as text."""
    added = _json(folder / "tokenizer.json").get("added_tokens")
    found = {
        one["content"] for one in added or [] if isinstance(one, dict) and one.get("special") and one.get("content")
    }
    return frozenset(found | {text for _, text in _specials(settings)})


def _in(given: Any) -> str | None:
    """A template, or of several the default one."""
    if isinstance(given, list):
        named = {one.get("name"): one.get("template") for one in given if isinstance(one, dict)}
        given = named.get("default")
    elif isinstance(given, dict):
        given = given.get("default")
    if not isinstance(given, str) or not given.strip():
        return None
    if len(given) > MOST_SOURCE:
        raise TemplateRefused("The template is longer than 1 MiB.")
    return given


def _file(file: Path) -> str | None:
    if not file.is_file():
        return None
    if file.stat().st_size > MOST_SOURCE:
        raise TemplateRefused("The template is longer than 1 MiB.")
    try:
        return _in(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateRefused(f"The file {file.name} cannot be read as text.") from error


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file() or file.stat().st_size > _MOST_BYTES:
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
