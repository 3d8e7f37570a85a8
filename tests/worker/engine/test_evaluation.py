"""What an evaluation says: means over examples or completion tokens, standard errors over examples, dropout off."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from backend.shared.files import unsealed
from backend.shared.metrics import recorded
from backend.shared.schedule import evaluation_steps, total_steps
from backend.shared.specs import CHAT, GenerationSpec
from tests.worker.engine.test_against_peft import a_place
from tests.worker.engine.tiny_pack import World, make_world, start, train, trained
from worker.data import halves
from worker.engine import batches
from worker.engine.ending import finish
from worker.engine.evaluate import measured
from worker.engine.loaded import Warm
from worker.engine.losses import Tally, divergence
from worker.engine.pack import prepare
from worker.engine.place import Ended, Place
from worker.engine.precision import resolve_precision
from worker.engine.single.evaluate import evaluate, judge

CPU = torch.device("cpu")


def values(place: Place) -> dict[str, float]:
    """What an evaluation now would say."""
    return measured(place.slot, evaluate(place.slot, place.data))


def said(predicted: list[int], right: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(predicted), torch.tensor(right)


def test_standard_error_is_over_examples() -> None:
    losses = np.array([0.3, 1.2, 0.5, 2.0])
    tally = Tally()
    tally.add(torch.from_numpy(losses[:3]), np.array([4, 7, 2]), said([1, 0, 2], [1, 1, 2]))
    tally.add(torch.from_numpy(losses[3:]), np.array([0]), said([0], [0]))
    assert tally.mean == pytest.approx(losses.mean())
    assert tally.standard_error == pytest.approx(stats.sem(losses))
    assert tally.accuracy == 0.75


def test_standard_error_of_tokens_treats_an_example_as_one() -> None:
    """Doubling every token of an example adds no information."""
    losses, examples = np.array([0.3, 1.2, 0.5, 2.0]), np.array([0, 1, 2, 3])
    once, twice = Tally(), Tally()
    once.add(torch.from_numpy(losses), examples, None)
    twice.add(torch.from_numpy(losses.repeat(2)), examples.repeat(2), None)
    assert twice.standard_error == pytest.approx(once.standard_error)
    assert once.accuracy is None


def test_divergence_is_the_kl_from_dropout_on_to_off() -> None:
    on, off = torch.tensor([[1.0, 0.0, -1.0]]), torch.tensor([[0.0, 0.5, 0.2]])
    expected = stats.entropy(torch.softmax(on, -1)[0].numpy(), torch.softmax(off, -1)[0].numpy())
    assert float(divergence(on, off)) == pytest.approx(float(expected), rel=1e-5)


def test_values_do_not_depend_on_how_rows_are_batched(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = values(a_place(bert_world, tmp_path, "hiddenkey"))
    monkeypatch.setattr(batches, "EVALUATION_TOKENS", 1)
    apart = values(place := a_place(bert_world, tmp_path, "hiddenkey"))
    assert len(place.data.validation) == 6
    for name in ("validation/loss", "validation/loss_se", "validation/accuracy", "probe/loss", "probe/accuracy"):
        assert apart[name] == pytest.approx(whole[name], rel=1e-5), name


def test_dropout_is_off_in_what_makes_the_gap_and_on_in_the_slice(bert_world: World, tmp_path: Path) -> None:
    quiet, noisy = (values(a_place(bert_world, tmp_path, name)) for name in ("none", "hiddenkey"))
    for name in ("validation/loss", "probe/loss", "probe/slice_loss_off"):
        assert quiet[name] == noisy[name]  # both are untrained and started from the same seed
    assert quiet["probe/slice_loss_on"] == quiet["probe/slice_loss_off"]
    assert quiet["probe/slice_kl"] == 0.0
    assert noisy["probe/slice_loss_on"] != noisy["probe/slice_loss_off"]
    assert noisy["probe/slice_kl"] > 0.0


SCORES = {
    "classification": {"accuracy", "macro_f1", "matthews"},
    "regression": {"pearson", "spearman"},
    "causal_lm": {"accuracy"},
}
GENERATED = {"validation/bleu", "validation/chrf", "validation/ter", "validation/rouge_l"}


def _expected(task: str) -> set[str]:
    """Every metric but the scores of other tasks."""
    every = set().union(*SCORES.values())
    splits = ("validation", "validation_a", "validation_b", "test", "test_stopped", "probe")
    foreign = {f"{split}/{name}" for split in splits for name in every - SCORES[task]}
    foreign |= set() if task == "causal_lm" else GENERATED
    return {metric.name for metric in recorded()} - foreign - ({"probe/slice_kl"} if task == "regression" else set())


@pytest.mark.parametrize(
    ("family", "task"), [("bert", "classification"), ("bert", "regression"), ("llama", "causal_lm")]
)
def test_a_run_says_every_metric_by_its_name(tmp_path: Path, family: str, task: str) -> None:
    world = make_world(tmp_path / "home", family, task)  # type: ignore[arg-type]
    more = {"test_rows": 2, "validation_rows": 4, "generation": GenerationSpec(rows=2, max_new_tokens=4)}
    arm = world.arm("hiddenkey", evaluations=3)
    arm = arm.model_copy(update=more if task == "causal_lm" else {**more, "generation": None})
    told = trained(world, tmp_path / "out", {"run": arm})
    steps = total_steps(arm.train_rows, 4, 2)
    found = told.only("run", "evaluation")
    assert [event.step for event in found] == sorted(evaluation_steps(steps, 3))
    assert found[-1].epoch == 2.0
    assert {name for event in found for name in event.values} == _expected(task)
    assert all(
        set(event.extra) == {"train/gradient_norm"} and event.extra["train/gradient_norm"] > 0 for event in found
    )
    assert len(told.losses("run")) == steps
    assert found[0].values["train/loss"] == pytest.approx(np.mean(told.losses("run")[: found[0].step]))
    final = told.final("run")
    assert final["flops"] > 0
    assert final["validation/loss_fp32"] == pytest.approx(found[-1].values["validation/loss"], rel=1e-5)


@pytest.mark.parametrize(("rows", "sizes"), [(5, (3, 2)), (2, (1, 1)), (1, (0, 0))])
def test_halves_of_the_validation_rows_are_told_apart(
    tmp_path: Path, bert_world: World, rows: int, sizes: tuple[int, int]
) -> None:
    """Each row is in one of them, its loss as the whole set has it; where one row is all there is, nothing is told."""
    arm = bert_world.arm("hiddenkey").model_copy(update={"validation_rows": rows})
    failures: list[object] = []
    (place,) = prepare(start(bert_world, tmp_path, {"run": arm}).runs, Warm(bert_world.home, CPU), failures.append)
    told = values(place)
    whole = judge(place.slot, place.data.validation)
    _, losses = whole.by_example()
    parts = [half for half in halves(rows) if len(half)]
    assert tuple(f"validation_{letter}/loss" in told for letter in "ab") == tuple(size > 0 for size in sizes)
    if rows == 1:
        return
    assert tuple(len(half) for half in parts) == sizes
    for letter, half in zip("ab", parts, strict=True):
        assert told[f"validation_{letter}/loss"] == pytest.approx(losses[half].mean(), rel=1e-12)
        right = [said == wanted for said, wanted in (whole.said_of(row) for row in half)]
        assert told[f"validation_{letter}/accuracy"] == np.mean(right)
    shares = sum(told[f"validation_{letter}/loss"] * size for letter, size in zip("ab", sizes, strict=True))
    assert shares / rows == pytest.approx(told["validation/loss"], rel=1e-12)


def test_the_training_loss_told_is_the_mean_since_the_evaluation_before(bert_world: World, tmp_path: Path) -> None:
    told = trained(bert_world, tmp_path, {"run": bert_world.arm("hiddenkey", evaluations=3)})
    losses, begin = told.losses("run"), 0
    steps = []
    for evaluation in told.only("run", "evaluation"):
        steps.append(evaluation.step)
        assert evaluation.values["train/loss"] == pytest.approx(np.mean(losses[begin : evaluation.step]), rel=1e-12)
        begin = evaluation.step
    assert steps == [2, 4, 6]
    assert len(set(losses)) == 6


def test_the_norm_told_is_that_of_the_gradient_before_clipping(bert_world: World, tmp_path: Path) -> None:
    place = a_place(bert_world, tmp_path, "none", gradient_clip=1e-4)
    slot, batch = place.slot, place.data.batch(0)
    slot.parameters.zero_grad()
    slot.loss(batch, 0).backward()  # type: ignore[no-untyped-call]  # torch ships it without types
    expected = float(torch.linalg.vector_norm(slot.parameters.collect()))
    assert "train/gradient_norm" not in values(place)
    slot.train_step(batch)
    assert values(place)["train/gradient_norm"] == pytest.approx(expected, rel=1e-6)
    assert expected > 1e-4


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_in_fp32_ends_with_what_its_last_evaluation_said(tmp_path: Path, precision: str) -> None:
    """Not measured a second time, and the same as if it were, as after a crash at the last step; bf16 is."""
    world = make_world(tmp_path / "home", "bert", "classification")
    place = a_place(world, tmp_path, "hiddenkey", precision=precision)
    warm = Warm(world.home, torch.device("cpu"))
    ends: list[Ended] = []

    def ended(place: Place) -> Ended:
        ends.extend([finish(place, warm), finish(replace(place, validation=None), warm)])
        return ends[0]

    assert train([place], list, ended, checkpoint_s=60.0)
    assert place.validation is not None
    kept, again = ends
    assert kept == again
    assert (kept[0]["validation/loss_fp32"] == place.validation.mean) == (precision == "fp32")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_loss_in_fp32_can_be_left_out(tmp_path: Path, precision: str) -> None:
    """Then nothing is measured after the last evaluation, and a loss is told only if that was in fp32."""
    world = make_world(tmp_path / "home", "bert", "classification")
    told = trained(
        world,
        tmp_path / "out",
        {
            "with": world.arm("hiddenkey", precision=precision),
            "without": world.arm("hiddenkey", precision=precision, fp32_loss=False),
        },
    )
    whole, short = told.final("with"), told.final("without")
    assert "validation/loss_fp32" in whole
    assert short == {name: value for name, value in whole.items() if precision == "fp32" or name == "flops"}
    shown = [told.only(name, "finished")[0].examples for name in ("with", "without")]
    assert shown[1] is not None
    assert len(shown[1].best) == len(shown[0].best) > 0


def test_without_it_a_run_resumed_at_its_last_step_ends_like_any_other(tmp_path: Path) -> None:
    """Its examples are those of the precision it computes in."""
    world = make_world(tmp_path / "home", "bert", "classification")
    place = a_place(world, tmp_path, "hiddenkey", precision="bf16", fp32_loss=False)
    warm = Warm(world.home, torch.device("cpu"))
    ends: list[Ended] = []

    def ended(place: Place) -> Ended:
        ends.extend([finish(place, warm), finish(replace(place, validation=None), warm)])
        return ends[0]

    assert train([place], list, ended, checkpoint_s=60.0)
    kept, again = ends
    assert kept == again


def test_arms_that_leave_the_setting_alone_keep_their_keys(bert_world: World) -> None:
    arm = bert_world.arm("hiddenkey")
    younger = {"test_rows", "generation", "start_from", "also_measure"}
    body = arm.model_dump(mode="json", exclude={"method_name", *younger})
    younger_still = ("label_smoothing", "fp32_loss", "keep", "keep_by", "patience", "min_delta", "schedule", *CHAT)
    for name in younger_still:  # than the first arms
        del body["training"][name]
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert arm.key() == hashlib.sha256(canonical.encode()).hexdigest()[:16]
    changes = ({"fp32_loss": False}, {"keep": "last"}, {"keep_by": "score"}, {"patience": 2}, {"min_delta": 0.1})
    assert len({arm.key(), *(bert_world.arm("hiddenkey", **change).key() for change in changes)}) == 6


def test_evaluations_are_evenly_spaced_and_end_at_the_end() -> None:
    assert sorted(evaluation_steps(128, 8)) == [16, 32, 48, 64, 80, 96, 112, 128]
    assert sorted(evaluation_steps(3, 8)) == [1, 2, 3]
    assert sorted(evaluation_steps(10, 3)) == [3, 7, 10]


def test_precision_is_measured_once_and_remembered(tmp_path: Path) -> None:
    assert resolve_precision("fp32", tmp_path) == "fp32"
    assert not list(tmp_path.iterdir())
    first = resolve_precision("auto", tmp_path)
    file = tmp_path / "cache" / "precision.json"
    known = unsealed(file.read_bytes())
    assert list(known.values()) == [first]
    other = "fp32" if first == "bf16" else "bf16"
    file.write_text(json.dumps(dict.fromkeys(known, other)))
    assert resolve_precision("auto", tmp_path) == other  # read, not measured again
    file.write_text("not json")
    assert resolve_precision("auto", tmp_path) in ("bf16", "fp32")


def test_native_dropout_that_cannot_be_switched_on_is_refused(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home", "opt", "classification")
    told = trained(world, tmp_path / "out", {"native": world.arm("native_dropout"), "none": world.arm()})
    assert "Leave native dropout out" in told.only("native", "failed")[0].message
    assert told.only("none", "finished")


def test_a_record_says_what_was_hooked(bert_world: World, tmp_path: Path) -> None:
    told = trained(bert_world, tmp_path, {"run": bert_world.arm("hiddenkey", rank=2)})
    started = told.only("run", "started")[0]
    assert [(hook["position"], hook["modules"]) for hook in started.hooks] == [
        ("adapter", 4),
        ("attention_logits", 2),
        ("hidden", 2),
    ]
    assert started.record["precision"] == "fp32"
    assert started.record["method"]["consistency"]["kind"] == "kl"
    assert started.trainable_parameters == 4 * (32 * 2 * 2) + 2 * 32 + 2


def test_the_slice_can_be_left_out(bert_world: World, tmp_path: Path) -> None:
    told = trained(
        bert_world,
        tmp_path,
        {"with": bert_world.arm("hiddenkey"), "without": bert_world.arm("hiddenkey", dropout_on_rows=0)},
    )
    whole, short = told.values("with"), told.values("without")
    kept = {name: value for name, value in whole[-1].items() if not name.startswith("probe/slice")}
    assert len(kept) == len(whole[-1]) - 3
    assert short[-1] == pytest.approx(kept, rel=1e-6)  # other batches, so sums in another order
