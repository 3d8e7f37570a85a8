"""Text inside a chart: names made safe for Plotly's pseudo-HTML, numbers for hovers and text alternatives."""

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


def signed(value: float | None, digits: int = 3) -> str:
    """Write a difference with its sign."""
    if value is None:
        return "–"
    written = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if float(written) == 0 else written.replace("-", "−")


def number(value: float | None, digits: int = 3) -> str:
    """Write a number."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def plus_minus(value: float | None, half_width: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Write a mean with the half-width of its interval, where it has one."""
    written = signed(value, digits) if sign else number(value, digits)
    return written if half_width is None or value is None else f"{written} ± {half_width:.{digits}f}"
