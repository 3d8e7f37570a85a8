"""Text inside a chart: names made safe for Plotly's pseudo-HTML."""

import unicodedata

LONGEST = 42


def safe(name: str, longest: int = LONGEST) -> str:
    """Return a name as Plotly shows it literally: tags, entities, templates and formulas escaped, long names cut.

    Right-to-left names are isolated, so that they do not turn the numbers beside them around.
    """
    letters = [" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in name]
    # Bidirectional overrides inside a name would reach the text after it.
    kept = "".join(
        letter for letter in letters if letter not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    short = kept if len(kept) <= longest else kept[: longest - 1] + "…"
    turned = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in short)
    for old, new in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;"), ("%{", "%\u200b{")):
        short = short.replace(old, new)
    return f"\u2068{short}\u2069" if turned else short


def wrapped(sentence: str, width: int = 64) -> str:
    """Break a sentence into lines for a hover box, safe as `safe` makes it."""
    lines: list[str] = [""]
    for word in safe(sentence, 400).split(" "):
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
