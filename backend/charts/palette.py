"""One fixed look for each method: colour, marker and, for its settings, lightness. The same on every chart, page and
share. A dash tells probe from validation, and nothing else.

Six colours of Okabe & Ito (2008), a violet and a grey for the baseline: told apart with red-, green- and
blue-blindness, on white and on near-black. Methods of one family share a colour and differ by marker. Names come
from the library's presets.
"""

from dataclasses import dataclass

GREY = "#707070"
BLUE = "#0072B2"
SKY = "#56B4E9"
GREEN = "#009E73"
ORANGE = "#E69F00"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
VIOLET = "#8E3FE0"
BROWN = "#9A6324"
SILVER = "#9AA3B3"  # what belongs to no arm: the noise of single steps, a plan

ORDERED = (SKY, BLUE, VIOLET, PURPLE, VERMILLION, ORANGE)  # of values in their order: ranks, rates
TONED = 0.35  # the most of white, or of black, that a method's other settings are mixed with
_MARKS = ("", "-open", "-dot", "-open-dot")


@dataclass(frozen=True)
class Look:
    """How an arm is drawn: the hue is its method's, lightness and `symbol` differ between settings of one method."""

    colour: str
    symbol: str

    def fill(self, alpha: float) -> str:
        """Return the colour with an opacity, for bands."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{alpha:g})"


METHODS: dict[str, tuple[str, str]] = {
    "none": (GREY, "circle"),
    "native_dropout": (VIOLET, "square"),
    "rdrop": (VIOLET, "diamond"),
    "neftune": (VIOLET, "star"),
    "adapter_dropout": (PURPLE, "triangle-up"),
    "adapter_rank": (PURPLE, "triangle-down"),
    "dropkey": (BLUE, "diamond"),
    "dropkey_element": (BLUE, "circle"),
    "dropkey_span": (BLUE, "hexagon"),
    "dropattention": (SKY, "square"),
    "dropattention_grad": (SKY, "diamond"),
    "attention_dropout": (SKY, "circle"),
    "hiddencut": (GREEN, "triangle-down"),
    "hiddencut_column": (GREEN, "square"),
    "hiddencut_span": (GREEN, "hexagon"),
    "hiddencut_original": (GREEN, "star"),
    "hidden_dropout": (GREEN, "circle"),
    "hiddenkey_minus": (ORANGE, "pentagon"),
    "hiddenkey": (VERMILLION, "star"),
    "input_cutoff": (BROWN, "square"),
    "input_cutoff_span": (BROWN, "hexagon"),
    "input_cutoff_feature": (BROWN, "diamond"),
    "output_dropout": (BROWN, "circle"),
}
_COMPOSED = (BLUE, SKY, GREEN, ORANGE, VERMILLION, PURPLE, VIOLET, BROWN)


def look(colour_key: str, variant: int = 0, tone: float = 0.0) -> Look:
    """Return the look of an arm. A method that is no preset gets a colour by the hash of its key, and a cross."""
    found = METHODS.get(colour_key)
    if found is None:
        digest = _fnv1a(colour_key)
        found = (_COMPOSED[digest % len(_COMPOSED)], ("cross", "x", "bowtie", "hourglass")[(digest >> 8) % 4])
    colour, symbol = found
    return Look(toned(colour, tone), symbol + _MARKS[variant % len(_MARKS)])


def toned(colour: str, tone: float) -> str:
    """Return a colour mixed with white (tone below 0) or black (above): the page computes the same."""
    target, share = (255 if tone < 0 else 0), TONED * min(1.0, abs(tone))
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{int(part + (target - part) * share + 0.5):02X}" for part in parts)


def _fnv1a(text: str) -> int:
    """Return the FNV-1a hash of a text, 32 bits: the page computes the same one for its colour chips."""
    digest = 0x811C9DC5
    for byte in text.encode():
        digest = ((digest ^ byte) * 0x01000193) & 0xFFFFFFFF
    return digest
