"""An unknown key of a study is answered with the one that was meant, and where it belongs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cli.validated import validated
from backend.edge.likely_keys import SECTIONS, SYNONYMS, hint, meant
from backend.shared.errors import InvalidInput
from backend.shared.specs import StudySpec

SOUND = {"name": "x", "model": "m", "dataset": "d", "arms": [{"method": "none"}]}
KEYS = sorted({key for model in SECTIONS.values() for key in model.model_fields})


def told(study: dict[str, object]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        validated(StudySpec, study)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("place", "key", "says"),
    [
        ("training", "lr", "there is no key 'lr' here; did you mean learning_rate?"),
        ("", "lr", "there is no key 'lr' here; did you mean learning_rate? It belongs under training or arms"),
        ("training", "per_device_train_batch_size", "did you mean batch_size?"),
        ("training", "num_train_epochs", "did you mean epochs?"),
        ("training", "batchSize", "did you mean batch_size?"),
        ("training", "wd", "did you mean weight_decay?"),
        ("training", "max-length", "did you mean max_length?"),
        ("training", "epocs", "did you mean epochs?"),
        ("training", "early_stopping_patience", "did you mean patience?"),
        ("training", "load_best_model_at_end", "did you mean keep?"),
        ("lora", "r", "did you mean rank?"),
        ("lora", "lora_alpha", "did you mean alpha?"),
        ("lora", "learning_rate", "did you mean learning_rate? It belongs under training or arms"),
        ("arms", "dropout", "did you mean rate?"),
        ("arms", "lora_dropout", "did you mean rate?"),
        ("arms", "metod", "did you mean method?"),
        ("", "training.learning_rate", "did you mean learning_rate? It belongs under training"),
        ("", "seed", "did you mean seeds?"),
        ("", "base_model", "did you mean model?"),
        ("generation", "num_beams", "did you mean beams?"),
        ("", "zzzzzz", "there is no key 'zzzzzz' here; take it out"),
    ],
)
def test_the_key_that_was_meant(place: str, key: str, says: str) -> None:
    study: dict[str, object] = {**SOUND}
    if place == "arms":
        study["arms"] = [{"method": "none", key: 1}]
    else:
        study |= {place: {key: 1}} if place else {key: 1}
    assert any(says in one for one in told(study)), told(study)


def test_the_table_names_keys_that_there_are_and_no_key_itself() -> None:
    assert set(SYNONYMS.values()) <= set(KEYS)
    assert not set(SYNONYMS) & set(KEYS)


@pytest.mark.parametrize("said", sorted(SYNONYMS))
def test_every_synonym_is_known_in_any_spelling(said: str) -> None:
    camel = "".join(part.capitalize() if i else part for i, part in enumerate(said.split("_")))
    for spelling in (said, said.upper(), said.replace("_", "-"), camel, f"training.{said}"):
        assert meant(spelling, "training") == [SYNONYMS[said]], spelling


@given(st.sampled_from([key for key in KEYS if len(key) > 4]), st.data())
def test_a_letter_too_few_too_many_or_swapped_is_recognised(key: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(key) - 2))
    typos = (key[:at] + key[at + 1 :], key[:at] + key[at] + key[at:], key[:at] + key[at + 1] + key[at] + key[at + 2 :])
    typo = data.draw(st.sampled_from([one for one in typos if one not in KEYS and one not in SYNONYMS] or [key]))
    home = next(name for name, model in SECTIONS.items() if key in model.model_fields)
    assert key in meant(typo, home), typo


@given(st.text(max_size=200), st.lists(st.sampled_from([*SECTIONS, 0, "x"]), max_size=4))
def test_any_key_gets_an_end_of_a_sentence(key: str, place: list[object]) -> None:
    assert hint(place, key).startswith("; ")


def test_the_costliest_key_is_cheap() -> None:
    begun = time.process_time()
    for i in range(20):
        meant(f"{'ab' * 18}{i:03d}")
    assert time.process_time() - begun < 0.5
