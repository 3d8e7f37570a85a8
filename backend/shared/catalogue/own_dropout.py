"""The dropout that a base model's own configuration turns on, told from its config alone: what native dropout keeps.

Source of keys and defaults: the configuration classes of transformers 5, one a family.
"""

from dataclasses import dataclass
from pathlib import Path

from backend.shared.catalogue.config_checks import read_config
from backend.shared.catalogue.models import model_location
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts

_BERT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
_QUIET = {"attention_dropout": 0.0}
# Rates that are modules of the model, with what they are where the config leaves them out.
_RATES: dict[str, dict[str, float]] = {
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "electra"), _BERT),
    "distilbert": {"dropout": 0.1, "attention_dropout": 0.1, "seq_classif_dropout": 0.2},
    "gpt2": {"resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1},
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "smollm3"), _QUIET),
    "phi3": {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attention_dropout": 0.0},
    "gpt_neox": {"attention_dropout": 0.0, "hidden_dropout": 0.0},
    "opt": _QUIET,
}
# Rates that a functional call applies, which nothing can switch on and off from outside.
_BY_FUNCTION: dict[str, dict[str, float]] = {"opt": {"dropout": 0.1, "layerdrop": 0.0}}
# The head's own rate, the hidden one where the config leaves it out.
_HEADS = dict.fromkeys(("bert", "roberta", "xlm-roberta", "electra"), "classifier_dropout")


@dataclass(frozen=True)
class OwnDropout:
    """Rates above 0 by their names in the config: those that can be kept on, and those that are out of reach."""

    rates: dict[str, float]
    by_function: dict[str, float]


def own_dropout(home: Path, model: ModelFacts, with_head: bool) -> OwnDropout | None:
    """What a registered or built-in model drops by itself; None where its config cannot be read.

    with_head: whether a classifier's head is trained, whose dropout counts then.
    """
    try:
        location = model_location(home, model.id)
        # A GGUF file holds no rates: transformers takes the defaults of its family.
        config = {} if location.is_file() else read_config(location / "config.json")
    except (InvalidInput, OSError):
        return None
    rates = _above(config, _RATES.get(model.family, {}))
    head = config.get(_HEADS.get(model.family, ""))
    if with_head and isinstance(head, int | float) and head > 0:
        rates[_HEADS[model.family]] = float(head)
    return OwnDropout(rates, _above(config, _BY_FUNCTION.get(model.family, {})))


def _above(config: dict[str, object], defaults: dict[str, float]) -> dict[str, float]:
    found = {}
    for name, default in defaults.items():
        rate = config.get(name, default)
        if isinstance(rate, int | float) and rate > 0:
            found[name] = float(rate)
    return found
