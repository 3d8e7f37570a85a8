"""A study is refused where an arm would train as if its method were not there, at the place that says so."""

from typing import Any

import pytest

from backend.shared.errors import Problem
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.studies.expand import expand
from tests.backend.make_studies import study

LLAMA = {"model": "smollm2-135m", "dataset": "chatterbot"}
HIDDEN = {"position": "hidden", "structure": "element", "rate": 0.1}


def problems(settings: Settings, arm: dict[str, Any], **changes: Any) -> list[Problem]:
    asked = StudySpec.model_validate(study(arms=[{"method": "none"}, arm], **changes))
    return expand(settings, asked).problems


@pytest.mark.parametrize(
    ("arm", "pointer", "words"),
    [
        ({"method": "native_dropout"}, "/method", "smollm2-135m has no dropout of its own"),
        ({"method": "rdrop"}, "/method", "two passes of the consistency loss are equal"),
        ({"method": "hiddenkey", "rate": 0.1, "native": True}, "/native", "leave it out for this model"),
        ({"sites": [], "native": True, "consistency": {"kind": "js"}}, "/native", "two passes of the consistency"),
        ({"method": "hiddenkey", "rate": [0.1, 0]}, "/rate/1", "every rate of this arm is 0"),
        ({"sites": [HIDDEN | {"rate": 0}], "consistency": {"kind": "kl"}}, "", "every rate of this arm is 0"),
        ({"method": "dropkey", "rate": [0.1, 1e-6]}, "/rate/1", "rounded to 1/65,536"),
        (
            {"sites": [HIDDEN, {"position": "attention_logits", "structure": "column", "layers": [2],
                                "rate": {"per_layer": [0.1, 0.1, 0.0, *[0.1] * 27]}}]},
            "/sites/1", "attention logits by column has a rate of 0 in each of its layers",
        ),
    ],
)  # fmt: skip
def test_an_arm_that_would_change_nothing_is_refused(
    sqlite_settings: Settings, arm: dict[str, Any], pointer: str, words: str
) -> None:
    (found,) = problems(sqlite_settings, arm, **LLAMA)
    assert found.pointer == f"/arms/1{pointer}"
    assert words in found.message


def test_adapter_sites_are_held_against_where_the_adapters_are(sqlite_settings: Settings) -> None:
    site = {"position": "adapter_input", "structure": "element", "rate": 0.1, "layers": [0, 1]}
    lora = {"target_modules": ["layers.4.self_attn.q_proj", "layers.5.self_attn.q_proj"]}
    bert = {"target_modules": ["layer.4.attention.self.query", "layer.5.attention.self.query"]}
    (found,) = problems(sqlite_settings, {"sites": [site]}, lora=lora, **LLAMA)
    assert found.pointer == "/arms/1/sites/0"
    assert found.message.endswith("the adapters are in layers 4, 5")
    (found,) = problems(sqlite_settings, {"sites": [site]}, lora=bert)
    assert "layers without an adapter" in found.message
    assert problems(sqlite_settings, {"sites": [site | {"layers": [0, 4]}]}, lora=bert) == []


@pytest.mark.parametrize(
    "arm",
    [
        {"method": "native_dropout"},
        {"method": "rdrop"},
        {"method": "dropkey", "rate": [0.0, 0.1]},  # its own control, called so
        {"method": "hiddencut_span", "rate": 1e-6},  # a span is one token at least
        {"method": "neftune"},
        {"sites": [HIDDEN | {"place": "ffn_inner", "rate": {"first": 0.0, "last": 0.2}}]},
    ],
)
def test_what_has_an_effect_is_left_alone(sqlite_settings: Settings, arm: dict[str, Any]) -> None:
    assert problems(sqlite_settings, arm) == []


@pytest.mark.parametrize(
    ("arm", "pointer", "words"),
    [
        ({"method": "dropkey", "rate": [0.1, 0]}, "/rate/1", "every rate of this arm is 0"),
        ({"method": "dropkey", "rate": 0}, "/rate", "trains as plain LoRA does"),
        ({"sites": [HIDDEN | {"rate": 0}]}, "", "every rate of this arm is 0"),
        (
            {"sites": [HIDDEN, {"position": "input", "structure": "element", "rate": 0}]},
            "/sites/1", "input by element has a rate of 0: nothing is dropped there",
        ),
        (
            {"method": "hiddenkey", "rate": 0.1, "consistency": {"weight": [0.5, 0]}},
            "/consistency/weight/1", "its second pass costs time and changes nothing",
        ),
    ],
)  # fmt: skip
def test_what_is_asked_for_in_vain_is_told_and_trained(
    sqlite_settings: Settings, arm: dict[str, Any], pointer: str, words: str
) -> None:
    """As the preview says it; a control may be what was meant."""
    found = expand(sqlite_settings, StudySpec.model_validate(study(arms=[{"method": "none"}, arm])))
    assert found.problems == []
    (warning,) = found.warnings
    assert warning.pointer == f"/arms/1{pointer}"
    assert words in warning.message


@pytest.mark.parametrize("arm", [{"method": "dropkey"}, {"method": "native_dropout"}, {"method": "rdrop"}])
def test_an_arm_that_does_what_it_says_is_warned_of_by_nobody(sqlite_settings: Settings, arm: dict[str, Any]) -> None:
    assert expand(sqlite_settings, StudySpec.model_validate(study(arms=[{"method": "none"}, arm]))).warnings == []


def test_a_study_that_has_such_an_arm_can_still_grow(sqlite_settings: Settings) -> None:
    """Arms of before go on as they are; only new ones are asked."""
    asked = StudySpec.model_validate(study(arms=[{"method": "none"}, {"method": "native_dropout"}], **LLAMA))
    first = expand(sqlite_settings, asked)
    taken = {arm.key: arm.label for arm in first.arms}
    assert len(taken) == 2
    assert expand(sqlite_settings, asked, taken).problems == []
    more = StudySpec.model_validate(
        {**asked.model_dump(exclude_unset=True), "arms": [*asked.arms, {"method": "rdrop"}]}
    )
    assert [problem.pointer for problem in expand(sqlite_settings, more, taken).problems] == ["/arms/2/method"]
