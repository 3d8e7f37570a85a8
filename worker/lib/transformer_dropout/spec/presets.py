"""The methods people ask for by name, as data."""

from dataclasses import dataclass, replace
from difflib import get_close_matches

from transformer_dropout.errors import SpecError

from .method import DropoutSpec
from .model import Consistency, Site
from .rates import check_rate

DEFAULT_RATE = 0.1


@dataclass(frozen=True)
class Preset:
    """A named method: `sites` carry the default rate; `default_rate` is None where the method has no rate to set."""

    name: str
    title: str
    sentence: str
    sites: tuple[Site, ...]
    consistency: str
    native: bool
    default_rate: float | None
    source: str
    noise_alpha: float = 0.0

    def spec(self) -> DropoutSpec:
        """Return the method at its default rate."""
        return DropoutSpec(self.sites, Consistency(self.consistency), self.native, self.noise_alpha)


def _preset(
    name: str,
    title: str,
    sentence: str,
    source: str,
    *sites: Site,
    consistency: str = "none",
    native: bool = False,
    noise_alpha: float = 0.0,
) -> Preset:
    rate = DEFAULT_RATE if sites else None
    return Preset(name, title, sentence, sites, consistency, native, rate, source, noise_alpha)


def _site(position: str, structure: str, **options: object) -> Site:
    return Site(position, structure, DEFAULT_RATE, **options)  # type: ignore[arg-type]  # Site checks its options


_FRAMEWORK = "arXiv 2403.00812"
_HIDDENCUT = "HiddenCut, ACL 2021"
_CUTOFF = "Cutoff, arXiv 2009.13818"
_TRANSFORMER = "arXiv 1706.03762"
_KEY = _site("attention_logits", "column")
_CUT = _site("hidden", "element")

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _preset("none", "No dropout", "Plain LoRA; the paper's baseline.", _FRAMEWORK),
        _preset(
            "native_dropout",
            "Native dropout",
            "What the base model's own configuration turns on (0.1 in BERT-like models, nothing in Llama).",
            "the base model's configuration",
            native=True,
        ),
        _preset(
            "adapter_dropout",
            "Adapter dropout",
            "Drops elements of the adapter's input: PEFT's lora_dropout, a strong baseline.",
            "LoRA, arXiv 2106.09685",
            _site("adapter_input", "element"),
        ),
        _preset("dropkey", "DropKey", "Hides whole keys from every query of a head.", _FRAMEWORK, _KEY),
        _preset(
            "dropkey_element",
            "DropKey by elements",
            "Hides single query-key pairs before the softmax.",
            "DropKey, arXiv 2208.02646",
            _site("attention_logits", "element"),
        ),
        _preset(
            "dropkey_span",
            "DropKey by spans",
            "Hides one run of keys from every query of a head.",
            _FRAMEWORK,
            _site("attention_logits", "span"),
        ),
        _preset(
            "dropattention",
            "DropAttention",
            "Zeroes whole columns of attention weights and divides by the kept sum, which gets no gradient.",
            "DropAttention, arXiv 1907.11065",
            _site("attention_weights", "column"),
        ),
        _preset(
            "dropattention_grad",
            "DropAttention with gradient",
            "The same, with gradient through the kept sum; mathematically DropKey.",
            _FRAMEWORK,
            _site("attention_weights", "column", rescale="normalized_grad"),
        ),
        _preset("hiddencut", "HiddenCut", "Zeroes elements of the feed-forward output.", _FRAMEWORK, _CUT),
        _preset(
            "hiddencut_column",
            "HiddenCut by columns",
            "Zeroes the feed-forward output of whole tokens.",
            _FRAMEWORK,
            _site("hidden", "column"),
        ),
        _preset(
            "hiddencut_span",
            "HiddenCut by spans",
            "Zeroes the feed-forward output of one run of tokens.",
            _HIDDENCUT,
            _site("hidden", "span"),
        ),
        _preset(
            "hiddencut_original",
            "HiddenCut with its JS loss",
            "One run of tokens, tied to a clean pass that is trained as well.",
            _HIDDENCUT,
            _site("hidden", "span"),
            consistency="js_hiddencut",
        ),
        _preset(
            "hiddenkey_minus",
            "HiddenKey without KL",
            "DropKey by columns and HiddenCut by elements together.",
            _FRAMEWORK,
            _KEY,
            _CUT,
        ),
        _preset(
            "hiddenkey",
            "HiddenKey",
            "DropKey by columns and HiddenCut by elements, tied to a second pass by KL: the paper's method.",
            _FRAMEWORK,
            _KEY,
            _CUT,
            consistency="kl",
        ),
        _preset(
            "rdrop",
            "R-Drop",
            "Native dropout, with a KL loss between two passes that are both trained.",
            "R-Drop, arXiv 2106.14448",
            native=True,
            consistency="kl_both",
        ),
        _preset(
            "attention_dropout",
            "Attention dropout",
            "The stock dropout on attention weights, in every layer.",
            _TRANSFORMER,
            _site("attention_weights", "element", rescale="inverted", layers="all"),
        ),
        _preset(
            "hidden_dropout",
            "Hidden dropout",
            "The stock dropout on the feed-forward output, in every layer.",
            _TRANSFORMER,
            _site("hidden", "element", layers="all"),
        ),
        _preset(
            "input_cutoff", "Token cutoff", "Zeroes the embeddings of whole tokens.", _CUTOFF, _site("input", "column")
        ),
        _preset(
            "input_cutoff_span",
            "Span cutoff",
            "Zeroes the embeddings of one run of tokens.",
            _CUTOFF,
            _site("input", "span"),
        ),
        _preset(
            "input_cutoff_feature",
            "Feature cutoff",
            "Zeroes embedding features for all tokens of a row.",
            _CUTOFF,
            _site("input", "column", axis="feature"),
        ),
        _preset(
            "output_dropout",
            "Output dropout",
            "Ordinary dropout on what the head reads.",
            _FRAMEWORK,
            _site("output", "element"),
        ),
        _preset(
            "adapter_rank",
            "Rank dropout (DropLoRA)",
            "Drops elements of the adapter's inner vector.",
            "DropLoRA, arXiv 2508.17337",
            _site("adapter_rank", "element"),
        ),
        _preset(
            "neftune",
            "NEFTune",
            "Adds uniform noise to the input embeddings.",
            "NEFTune, arXiv 2310.05914",
            noise_alpha=5.0,
        ),
    )
}


def preset(name: str, rate: float | None = None, consistency: Consistency | None = None) -> DropoutSpec:
    """Return the named method; `rate` sets all its sites, `consistency` replaces its own.

    Raises SpecError with pointer '/method' (unknown name) or '/rate' (no rate to set, or out of [0, 1)).
    """
    found = PRESETS.get(name) if isinstance(name, str) else None
    if found is None:
        close = get_close_matches(str(name), PRESETS, n=3, cutoff=0.5) or sorted(PRESETS)
        raise SpecError(f"there is no method '{name}'; did you mean {' or '.join(close)}?", "/method")
    spec = found.spec()
    if rate is not None:
        value = check_rate(rate, "/rate")
        if found.default_rate is None:
            raise SpecError(f"'{name}' has no rate to set; leave rate out", "/rate")
        spec = replace(spec, sites=tuple(replace(site, rate=value) for site in spec.sites))
    if consistency is not None:
        spec = replace(spec, consistency=consistency)
    return spec
