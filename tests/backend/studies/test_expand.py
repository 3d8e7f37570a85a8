"""How a study becomes arms and runs: axes, defaults, names, baseline. What is refused is in test_errors."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.specs import CHAT, ArmSpec, StudySpec
from backend.studies.arm_labels import unique
from backend.studies.axes import points, size
from backend.studies.expand import Expansion, expand
from tests.backend.make_studies import study
from tests.worker.data.stored import store


def _expanded(settings: Settings, *arms: dict[str, Any], **changes: Any) -> Expansion:
    return expand(settings, StudySpec.model_validate(study(arms=list(arms), **changes))).or_raise()


def test_lists_on_axes_multiply_the_last_axis_fastest() -> None:
    arm = ArmSpec(method="hiddenkey", rate=[0.1, 0.2], rank=[4, 8, 16], weight_decay=[0.0])
    found = [(point.values["rate"], point.values["rank"]) for point in points(arm, "/arms/0")]
    assert found == [(0.1, 4), (0.1, 8), (0.1, 16), (0.2, 4), (0.2, 8), (0.2, 16)]
    assert size(arm) == len(found)
    last = list(points(arm, "/arms/0"))[-1]
    assert last.pointers["rank"] == "/arms/0/rank/2"
    assert last.listed == {"rate", "rank"}


def test_alpha_is_twice_the_rank_unless_given(sqlite_settings: Settings) -> None:
    arms = [{"method": "none", "rank": rank} for rank in (4, 8)]
    assert [arm.spec.alpha for arm in _expanded(sqlite_settings, *arms).arms] == [8, 16]
    scaled = _expanded(sqlite_settings, *arms, lora={"rank": 8, "alpha": 8})
    assert [arm.spec.alpha for arm in scaled.arms] == [4, 8]
    own = _expanded(sqlite_settings, {"method": "none", "rank": 4, "alpha": 7.5})
    assert own.arms[0].spec.alpha == 7.5


def test_a_spec_is_resolved_to_what_the_machine_has(sqlite_settings: Settings) -> None:
    body = study(arms=[{"method": "hiddenkey"}])
    del body["train_rows"], body["validation_rows"]
    plan = expand(sqlite_settings, StudySpec.model_validate(body)).or_raise()
    spec = plan.arms[0].spec
    assert plan.dataset is not None
    assert plan.model is not None
    assert spec.model == plan.model.ref
    assert spec.dataset == plan.dataset.ref
    assert (spec.train_rows, spec.validation_rows) == (plan.dataset.rows["train"], plan.dataset.rows["validation"])
    assert spec.probe_rows == min(spec.train_rows, spec.validation_rows)
    assert spec.target_modules == ("query", "value")
    assert [site["layers"] for site in spec.method["sites"]] == [[0, 1, 2, 3, 4, 5]] * 2
    assert spec.method["consistency"]["kind"] == "kl"


def test_all_linear_is_the_arm_that_names_every_layer(sqlite_settings: Settings) -> None:
    """As PEFT says it: a word in place of the list, or in it; the arms are the same ones, and so are their keys."""
    wanted = ["query", "key", "value", "dense"]
    keys = set()
    for said in ("all-linear", ["all-linear"], "query, key value,dense", wanted):
        plan = _expanded(sqlite_settings, {"method": "none"}, lora={"target_modules": said})
        assert sorted(plan.arms[0].spec.target_modules) == sorted(wanted)
        if said != wanted and said != "query, key value,dense":
            keys.add(plan.arms[0].key)
    assert len(keys) == 1
    one = _expanded(sqlite_settings, {"method": "none"}, lora={"target_modules": "query"})
    assert one.arms[0].spec.target_modules == ("query",)


def test_a_decoder_drops_in_its_latter_half(sqlite_settings: Settings) -> None:
    body = study(model="smollm2-135m", dataset="chatterbot", arms=[{"method": "dropkey", "rate": 0.1}])
    plan = expand(sqlite_settings, StudySpec.model_validate(body)).or_raise()
    assert plan.study.task == "causal_lm"
    assert plan.arms[0].spec.method["sites"][0]["layers"] == list(range(15, 30))


@pytest.mark.parametrize(
    ("arms", "labels"),
    [
        ([{"method": "none"}, {"method": "dropkey", "rate": 0.1}], ["No dropout", "DropKey 0.1"]),
        (
            [{"method": "hiddenkey", "rate": [0.05, 0.1], "rank": [8, 32]}],
            ["HiddenKey 0.05 · r8", "HiddenKey 0.05 · r32", "HiddenKey 0.1 · r8", "HiddenKey 0.1 · r32"],
        ),
        (
            [{"method": "hiddenkey"}, {"method": "hiddenkey", "consistency": {"kind": "js", "weight": [0.5, 1]}}],
            ["HiddenKey 0.1 · weight 0.5", "HiddenKey 0.1 · js · weight 0.5", "HiddenKey 0.1 · js · weight 1"],
        ),
        (
            [{"method": "dropkey", "label": "mine", "rate": [0.1, 0.2]}, {"method": "none", "label": "plain"}],
            ["mine · 0.1", "mine · 0.2", "plain"],
        ),
        (
            [{"method": "dropkey", "learning_rate": [0.001, 0.002]}, {"method": "dropkey", "native": True}],
            ["DropKey 0.1 · lr 0.001", "DropKey 0.1 · lr 0.002", "DropKey 0.1 · lr 0.002 · native on"],
        ),
        (
            [{"sites": [{"position": "attention_logits", "structure": "span", "rate": 0.1}]}],
            ["attention logits span 0.1"],
        ),
        (
            [{"method": "none", "label": "same"}, {"method": "dropkey", "label": "same"}],
            ["same", "same #2"],
        ),
        (
            [{"method": "none", "epochs": [1, 2]}, {"method": "none", "label_smoothing": 0.1}],
            [
                "No dropout · 1 epoch · smoothing 0",
                "No dropout · 2 epochs · smoothing 0",
                "No dropout · 2 epochs · smoothing 0.1",
            ],
        ),
        (  # what has a name needs no setting in its label, and puts none into the others'
            [{"method": "none"}, {"method": "dropkey"}, {"method": "none", "label": "slower", "learning_rate": 0.001}],
            ["No dropout", "DropKey 0.1", "slower"],
        ),
    ],
)
def test_labels_say_what_differs(sqlite_settings: Settings, arms: list[dict[str, Any]], labels: list[str]) -> None:
    assert [arm.label for arm in _expanded(sqlite_settings, *arms).arms] == labels


@given(st.lists(st.sampled_from(["a", "b", "a #2", "x" * 200]), max_size=8), st.frozensets(st.sampled_from("ab")))
def test_labels_are_made_different(made: list[str], taken: frozenset[str]) -> None:
    found = unique(made, taken)
    assert len(found) == len(made)
    assert len(set(found) | taken) == len(found) + len(taken)
    assert all(len(label) <= 200 for label in found)


def test_the_baseline_is_a_label_key_method_or_the_plain_arm(sqlite_settings: Settings) -> None:
    arms = [{"method": "hiddenkey", "rate": [0.05, 0.1]}, {"method": "none"}, {"method": "dropkey", "rate": 0.1}]
    assert _expanded(sqlite_settings, *arms).baseline == 2
    assert _expanded(sqlite_settings, *arms, baseline="dropkey").baseline == 3
    assert _expanded(sqlite_settings, *arms, baseline="HiddenKey 0.1").baseline == 1
    key = _expanded(sqlite_settings, *arms).arms[0].key
    assert _expanded(sqlite_settings, *arms, baseline=key).baseline == 0
    with pytest.raises(InvalidInput, match="several arms"):
        _expanded(sqlite_settings, *arms, baseline="hiddenkey")
    assert _expanded(sqlite_settings, arms[0], arms[2]).baseline == 0


def test_a_preset_keeps_its_consistency_when_only_the_weight_is_given(sqlite_settings: Settings) -> None:
    plan = _expanded(sqlite_settings, {"method": "hiddenkey", "consistency": {"weight": 0.25}})
    assert plan.arms[0].spec.method["consistency"] == {"kind": "kl", "weight": 0.25, "regression": "mse"}


def test_equal_arms_have_equal_keys_whatever_the_words(sqlite_settings: Settings) -> None:
    site = {"position": "attention_logits", "structure": "column", "rate": 0.1, "rescale": "none"}
    spelled = _expanded(sqlite_settings, {"sites": [site]}).arms[0]
    named = _expanded(sqlite_settings, {"method": "dropkey", "rate": 0.1}).arms[0]
    assert spelled.key == named.key
    assert _expanded(sqlite_settings, {"method": "dropkey", "rate": 0.2}).arms[0].key != named.key


def test_an_arm_may_train_for_epochs_and_with_smoothing_of_its_own(sqlite_settings: Settings) -> None:
    arms = [{"method": "none"}, {"method": "none", "epochs": 3}, {"method": "none", "label_smoothing": 0.1}]
    plan = _expanded(sqlite_settings, *arms)
    assert [arm.spec.training.epochs for arm in plan.arms] == [2, 3, 2]
    assert [arm.spec.training.label_smoothing for arm in plan.arms] == [0, 0, 0.1]
    assert plan.steps_per_run == 12  # the longest: 64 rows, 16 a step
    assert plan.baseline == 0
    spelled = _expanded(sqlite_settings, {"method": "none", "epochs": 2, "label_smoothing": 0})
    assert spelled.arms[0].key == plan.arms[0].key


def test_the_key_of_an_arm_is_what_it_was_before_labels_could_be_smoothed(sqlite_settings: Settings) -> None:
    spec = _expanded(sqlite_settings, {"method": "none"}).arms[0].spec
    younger = {"label_smoothing", "fp32_loss", "keep", "keep_by", "patience", "min_delta", "schedule", *CHAT}
    body = spec.model_dump(
        mode="json",
        exclude={
            "method_name": True,
            "test_rows": True,
            "generation": True,
            "start_from": True,
            "also_measure": True,
            "training": younger,
        },
    )
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert spec.key() == hashlib.sha256(canonical.encode()).hexdigest()[:16]


def test_a_number_cannot_be_smoothed(sqlite_settings: Settings) -> None:
    rows = [(split, {"text": f"a {i}", "label": i / 10}) for split in ("train", "validation") for i in range(70)]
    store(sqlite_settings.shared, "numbers", "regression", rows)
    for change, pointer in (
        ({"arms": [{"method": "none"}, {"method": "none", "label_smoothing": [0, 0.1]}]}, "/arms/1/label_smoothing/1"),
        ({"training": {"epochs": 2, "label_smoothing": 0.1}}, "/training/label_smoothing"),
    ):
        body = study(dataset="numbers", task="regression", **change)
        found = expand(sqlite_settings, StudySpec.model_validate(body)).problems
        assert ("no other answers" in one.message for one in found)
        assert pointer in [one.pointer for one in found]


def test_an_arm_that_is_there_twice_is_told_in_words(sqlite_settings: Settings) -> None:
    arms = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "dropkey", "rate": 0.1}]
    (problem,) = expand(sqlite_settings, StudySpec.model_validate(study(arms=arms))).problems
    assert problem.pointer.startswith("/arms/2")
    assert problem.message.startswith("this arm is the same as arm 2 of the list (dropkey); take one of them out")
