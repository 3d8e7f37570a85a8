"""A dropout method said in one plain sentence, and as formulas."""

from .kinds import CONSISTENCY
from .method import DropoutSpec
from .model import Site
from .rates import LinearRate, PerLayer, Rate

_WHAT = {
    ("attention_logits", "element"): "hides {share} of the query-key pairs before the softmax",
    ("attention_logits", "column"): "hides {share} of the keys from every query of a head",
    ("attention_logits", "span"): "hides one run of keys, {share} of the text, from every query of a head",
    ("attention_weights", "element"): "zeroes {share} of the attention weights",
    ("attention_weights", "column"): "zeroes {share} of the columns of attention weights",
    ("attention_weights", "span"): "zeroes one run of attention columns, {share} of the text",
    ("hidden", "element"): "zeroes {share} of the elements of the feed-forward {place}",
    ("hidden", "column"): "zeroes the feed-forward {place} of {share} of the {axis}s",
    ("hidden", "span"): "zeroes the feed-forward {place} of one run of tokens, {share} of the text",
    ("input", "element"): "zeroes {share} of the elements of the input embeddings",
    ("input", "column"): "zeroes the input embeddings of {share} of the {axis}s",
    ("input", "span"): "zeroes the input embeddings of one run of tokens, {share} of the text",
    ("output", "element"): "zeroes {share} of the elements of what the head reads",
    ("adapter_input", "element"): "zeroes {share} of the elements of the adapter's input",
    ("adapter_rank", "element"): "zeroes {share} of the elements of the adapter's inner vector",
}
_PLACE_WORDS = {"ffn_output": "output", "ffn_inner": "activation"}
_SCALE_WORDS = {
    ("attention_weights", "normalized"): "dividing by the kept sum without gradient",
    ("attention_weights", "normalized_grad"): "dividing by the kept sum",
    ("attention_weights", "none"): "without rescaling",
}

_MASK = {
    "element": "m[b,h,i,j]",
    "column": "m[b,h,j]",
    "span": "m[b,h,j] (one run of keys)",
}
_WEIGHT_FORMULA = {
    "normalized": "w′ = w·m / sg(Σⱼ w·m)",
    "normalized_grad": "w′ = w·m / Σⱼ w·m",
    "inverted": "w′ = w·m / (1 − p)",
    "none": "w′ = w·m",
}
_SCALE_FORMULA = {"inverted": " / (1 − p)", "none": "", "normalized": " · n / (n − l)"}
_VECTOR = {
    "hidden": ("h", {"element": "m[b,t,e]", "column": "m[b,t]", "span": "m[b,t] (one run of tokens)"}),
    "input": ("x", {"element": "m[b,t,e]", "column": "m[b,t]", "span": "m[b,t] (one run of tokens)"}),
    "output": ("z", {"element": "m[b,e]"}),
    "adapter_input": ("x", {"element": "m[b,t,e]"}),
    "adapter_rank": ("Ax", {"element": "m[b,t,r]"}),
}


def describe(spec: DropoutSpec) -> str:
    """Return one plain sentence on what the method does in training."""
    parts = [_describe_site(site) for site in spec.sites if site.active]
    if spec.noise_alpha:
        parts.append(f"adds uniform noise of size {spec.noise_alpha:g}/√(tokens × features) to the input embeddings")
    if spec.native:
        parts.append("keeps the base model's own dropout on")
    if not parts:
        return "No dropout: plain LoRA with every dropout of the base model switched off."
    tie = CONSISTENCY[spec.consistency.kind]
    if tie.passes == 2:
        parts.append(f"adds {tie.sentence}, weight {spec.consistency.weight:g}")
    sentence = "; ".join(parts)
    return f"In training it {sentence}."


def formula(spec: DropoutSpec) -> str:
    """Return the method as formulas, one a line; m is 0 with probability p and 1 otherwise, sg stops the gradient."""
    lines = [_site_formula(site) for site in spec.sites]
    if spec.noise_alpha:
        lines.append(f"x′ = x + {spec.noise_alpha:g}/√(n·E) · u,  u ~ Uniform(−1, 1)")
    if spec.native:
        lines.append("h′ = h·m / (1 − p),  where and with the p that the base model's configuration says")
    tie = CONSISTENCY[spec.consistency.kind]
    if tie.passes == 2:
        task = {"first": "CE(P₁)", "mean": "½[CE(P₁) + CE(P₂)]", "sum": "CE(P̄) + CE(P₁)"}[tie.task_on_both]
        lines.append(f"L = {task} + {spec.consistency.weight:g} · {tie.formula}")
    return "\n".join(lines) or "h′ = h everywhere"


def _describe_site(site: Site) -> str:
    text = _WHAT[site.position, site.structure]
    text = text.format(share=_share(site.rate), place=_PLACE_WORDS[site.place], axis=site.axis)
    scale = _SCALE_WORDS.get((site.position, site.rescale or ""))
    if scale:
        text += f", {scale}"
    if site.window > 1:
        text += f", {site.window} neighbours at a time"
    if site.per_row:
        text += ", a run of its own for each query"
    if site.keep_first:
        text += ", never the first token"
    if site.keep_diagonal:
        text += ", never a query's own key"
    return text + _where(site)


def _where(site: Site) -> str:
    if site.layers == "latter_half":
        return " in the latter half of the layers"
    if isinstance(site.layers, tuple) and site.position not in ("input", "output"):
        numbers = ", ".join(str(n) for n in site.layers)
        return f" in layer{'s' if len(site.layers) > 1 else ''} {numbers}"
    return ""


def _share(rate: Rate) -> str:
    if isinstance(rate, LinearRate):
        return f"{100 * rate.first:g} % (first layer) to {100 * rate.last:g} % (last layer)"
    if isinstance(rate, PerLayer):
        low, high = min(rate.values), max(rate.values)
        return f"{100 * low:g} %" if low == high else f"{100 * low:g} to {100 * high:g} % (by layer)"
    return f"{100 * rate:g} %"


def _site_formula(site: Site) -> str:
    rate = f"p = {site.rate:g}" if isinstance(site.rate, float) else "p by layer"
    if site.position == "attention_logits":
        return f"w′ = softmax(g + log m),  {_MASK[site.structure]},  {rate}"
    if site.position == "attention_weights":
        return f"w = softmax(g),  {_WEIGHT_FORMULA[site.rescale or 'normalized']},  {_MASK[site.structure]},  {rate}"
    letter, masks = _VECTOR[site.position]
    mask = "m[b,e]" if site.axis == "feature" else masks[site.structure]
    return f"{letter}′ = {letter}·m{_SCALE_FORMULA[site.rescale or 'none']},  {mask},  {rate}"
